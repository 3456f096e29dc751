package hub

import (
	"strings"
	"time"

	"solarhub/devices"
	"solarhub/plugin/host"
)

// A device that has never been identified has no id, so it has no entities. The host shows it all the same, under an id
// of its place, with the reason and with what the owner can choose, until it says who it is.

// pendingAfter is how long a device may take to be identified for the first time before the host shows that it is not.
const pendingAfter = 10 * time.Second

// statusKey is the key of the one sensor of such a device.
const statusKey = "status"

// await has the host show the devices that have not been identified for a while.
func (s *state) await(now time.Time) {
	changed := false
	for _, u := range s.members {
		if u.device.ID() == "" && u.pendingID != "" && !u.pending && !u.silent.IsZero() &&
			now.Sub(u.silent) >= pendingAfter {
			u.pending, changed = true, true
		}
	}
	if changed {
		s.describe(now)
	}
}

// addPending describes a device that has never been identified.
func (c *catalog) addPending(d *devices.Device, id string) {
	family := d.Profile()
	c.definitions.Devices = append(c.definitions.Devices, host.Device{ID: id, Name: d.Name(),
		Manufacturer: family.Manufacturer, Model: family.Name, Pending: true})
	c.definitions.Entities = append(c.definitions.Entities, host.Entity{ID: id + "_" + statusKey, Device: id,
		Platform: "sensor", Key: statusKey, Name: "Status", Category: "diagnostic", Enabled: true,
		Icon: "mdi:help-network-outline"})
	c.addChoices(d, id)
}

// showPending tells the host why a device has not been identified, and what to look at.
func (s *state) showPending(u *member, now time.Time) {
	if u.device.ID() != "" || !u.pending {
		return
	}
	reason := shortened(u.device.Status().Reason)
	fields := map[string]any{"reason": reason}
	if u.gauge != nil {
		if line := u.gauge.Measure(u.device, now); !line.Well && !strings.Contains(line.Advice, reason) {
			fields["advice"] = line.Advice
		}
	}
	s.hub.outbox.Put(host.States{
		Values: map[string]any{u.pendingID + "_" + statusKey: reason},
		Devices: map[string]host.DeviceState{u.pendingID: {Online: true,
			Problems: host.Problems{host.ProblemUnidentified: fields}}}})
	s.showChoices(u, u.pendingID)
}

// shortened cuts a sentence to the longest state of the host.
func shortened(text string) string {
	const most = 255
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// problems returns what is wrong with a device that has been identified.
func (u *member) problems() host.Problems {
	if u.status.Stranger == "" {
		return nil
	}
	return host.Problems{host.ProblemReplaced: {"found": u.status.Stranger}}
}
