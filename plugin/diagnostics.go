package plugin

import (
	"context"
	"errors"
	"time"

	"solarhub/devices"
	"solarhub/protocol"
)

// Diagnostics is what a person who looks for a fault needs. It holds no token, and of serial numbers only the end.
type Diagnostics struct {
	Version string              `json:"version"`
	Host    hostDiagnostics     `json:"host"`
	Lines   []lineDiagnostics   `json:"lines"`
	Devices []deviceDiagnostics `json:"devices"`
	Ledger  []Entry             `json:"ledger"` // the last set-values, newest last
}

type hostDiagnostics struct {
	Address string    `json:"address"`
	Ready   bool      `json:"ready"`
	Since   time.Time `json:"since"`
	Reason  string    `json:"reason,omitempty"`
	Told    bool      `json:"told_what_is_disabled"`
	Off     int       `json:"disabled"`
}

type lineDiagnostics struct {
	Line      string         `json:"line"`
	Serial    string         `json:"serial,omitempty"`
	Stats     protocol.Stats `json:"stats"`
	LastError string         `json:"last_error,omitempty"`
}

type deviceDiagnostics struct {
	Place    string                `json:"place"`
	Name     string                `json:"name"`
	Profile  string                `json:"profile"`
	Status   devices.Status        `json:"status"`
	Plan     []string              `json:"plan"`
	Learnt   devices.Lessons       `json:"learnt"`
	Poll     devices.PollReport    `json:"poll"`
	Refused  []string              `json:"refused"`
	Readings map[string]diagnosedV `json:"readings"`
}

type diagnosedV struct {
	Value  string    `json:"value"`
	ReadAt time.Time `json:"read_at"`
	Cached bool      `json:"cached,omitempty"`
}

// diagnosedEntries is how many set-values are told.
const diagnosedEntries = 50

// diagnostics collects the bundle for the host.
func (p *Plugin) diagnostics(ctx context.Context) (any, error) {
	lines := p.lines.Load()
	if lines == nil {
		return nil, errors.New("SolarHub is starting or stopping")
	}
	status := p.client.Status()
	d := Diagnostics{Version: p.deps.Version, Host: hostDiagnostics{
		Address: p.config.Host.URL.String(), Ready: status.Ready, Since: status.Since, Reason: status.Reason,
	}}
	for _, l := range *lines {
		d.Lines = append(d.Lines, diagnoseLine(l))
	}
	var serials []string
	if !p.hub.do(ctx, func(s *state) { serials = s.diagnose(&d) }) {
		return nil, errors.New("the hub does not answer")
	}
	return redacted(d, serials)
}

func diagnoseLine(l line) lineDiagnostics {
	d := lineDiagnostics{Line: l.config.String(), Stats: l.bus.Stats()}
	if l.config.Transport != TCP {
		d.Serial = l.config.Serial.String()
	}
	if err := d.Stats.LastError; err != nil {
		d.LastError, d.Stats.LastError = err.Error(), nil
	}
	return d
}

// diagnose adds what the hub knows and returns the ids that are to be redacted.
func (s *state) diagnose(d *Diagnostics) (serials []string) {
	d.Host.Told, d.Host.Off = s.told, len(s.disabled)
	for _, u := range s.units {
		one := deviceDiagnostics{
			Place: u.place, Name: u.device.Name(), Profile: u.device.Profile().ID, Status: u.device.Status(), Learnt: u.device.Learnt(),
			Refused: u.device.Refused(), Poll: u.device.Poll(), Readings: map[string]diagnosedV{},
		}
		for _, r := range u.device.Plan() {
			one.Plan = append(one.Plan, r.Range.String())
		}
		for key, v := range u.values {
			one.Readings[key] = diagnosedV{Value: v.Value.String(), ReadAt: v.ReadAt, Cached: v.cached}
		}
		serials = append(serials, one.Status.Identity.Serial)
		d.Devices = append(d.Devices, one)
	}
	d.Ledger = append([]Entry{}, s.ledger.entries[max(0, len(s.ledger.entries)-diagnosedEntries):]...)
	return serials
}
