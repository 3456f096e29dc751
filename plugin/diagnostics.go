package plugin

import (
	"context"
	"errors"
	"strings"
	"time"

	"solarhub/devices"
	"solarhub/plugin/doctor"
	"solarhub/plugin/hub"
	"solarhub/plugin/ledger"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// Diagnostics is what a person who looks for a fault needs. It holds no token, and of serial numbers only the end.
type Diagnostics struct {
	Version string              `json:"version"`
	Host    hostDiagnostics     `json:"host"`
	Lines   []lineDiagnostics   `json:"lines"`
	Devices []deviceDiagnostics `json:"devices"`
	Ledger  []ledger.Entry      `json:"ledger"` // the last set-values, newest last
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
	Line      string          `json:"line"`
	Serial    string          `json:"serial,omitempty"`
	Stats     protocol.Stats  `json:"stats"`   // since the start
	Watched   string          `json:"watched"` // how long the advice looks back
	Advice    []doctor.Advice `json:"advice"`
	LastError string          `json:"last_error,omitempty"`
}

type deviceDiagnostics struct {
	Place    string                `json:"place"`
	Name     string                `json:"name"`
	Profile  string                `json:"profile"`
	Status   devices.Status        `json:"status"`
	Plan     []string              `json:"plan"`
	Learned  devices.Learned       `json:"learned"`
	Poll     devices.PollReport    `json:"poll"`
	Refused  []string              `json:"refused"`
	Readings map[string]diagnosedV `json:"readings"`

	Registers string `json:"registers"` // as they were read last, for `solarhub simulate ... --from`
}

type diagnosedV struct {
	Value  string    `json:"value"`
	ReadAt time.Time `json:"read_at"`
	Cached bool      `json:"cached,omitempty"`
}

// diagnostics collects the bundle for the host.
func (p *Plugin) diagnostics(ctx context.Context) (any, error) {
	now := p.now.Load()
	if now == nil {
		return nil, errors.New("SolarHub is starting or stopping")
	}
	status := p.client.Load().Status()
	d := Diagnostics{Version: p.deps.Version, Host: hostDiagnostics{
		Address: now.config.Host.URL.String(), Ready: status.Ready, Since: status.Since, Reason: status.Reason,
	}}
	for _, l := range now.lines {
		d.Lines = append(d.Lines, diagnoseLine(l))
	}
	known, err := p.hub.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	d.Host.Told, d.Host.Off, d.Ledger = known.Told, known.Disabled, known.Ledger
	var serials []string
	for _, one := range known.Devices {
		d.Devices = append(d.Devices, diagnoseDevice(one))
		who := one.Place.Device.Identity()
		serials = append(serials, who.Serial, who.ID(), one.Place.Device.Status().Stranger)
	}
	return redacted(d, serials)
}

func diagnoseLine(l *line) lineDiagnostics {
	f := l.gauge.Measure(time.Now())
	d := lineDiagnostics{Line: l.Config.String(), Stats: l.Bus.Stats(), Watched: f.Watched.Round(time.Second).String(),
		Advice: append([]doctor.Advice{}, f.Advice...)}
	if l.Config.Transport.HasSerial() {
		d.Serial = l.Config.Serial.String()
	}
	if err := d.Stats.LastError; err != nil {
		d.LastError, d.Stats.LastError = err.Error(), nil
	}
	return d
}

func diagnoseDevice(known hub.DeviceSnapshot) deviceDiagnostics {
	d := known.Place.Device
	one := deviceDiagnostics{
		Place: known.Place.Key, Name: d.Name(), Profile: d.Profile().ID, Status: d.Status(), Learned: d.Learned(),
		Refused: d.Refused(), Poll: d.Poll(), Readings: map[string]diagnosedV{},
		Registers: registers(known, time.Now()),
	}
	for _, r := range d.Plan() {
		one.Plan = append(one.Plan, r.Range.String())
	}
	for key, v := range known.Readings {
		one.Readings[key] = diagnosedV{Value: v.Value.String(), ReadAt: v.ReadAt, Cached: v.Cached}
	}
	return one
}

// registers returns the raw words of the device as they were read last, in the form of a dump, with the serial number
// hidden. Where identification is not part of what is polled, it is made of what is known, so that the simulator plays
// the same device.
func registers(known hub.DeviceSnapshot, now time.Time) string {
	d := known.Place.Device
	who := d.Identity()
	traits, _ := d.Profile().NamedTraits(who.Traits) // which the device has settled
	dump := doctor.Dump{Device: d.Name(), Profile: d.Profile(), Traits: traits, At: now,
		Words: map[protocol.Range]uint16{}}
	id := dump.Profile.Identify
	dump.Put(id.Serial(), codec.TextOf(who.Serial))
	dump.Put(id.Model, codec.TextOf(who.Model))
	for _, e := range id.Expect {
		dump.Put(e.Field, codec.Number(e.Values[0].Low))
	}
	for _, t := range dump.Profile.Traits {
		if v, ok := t.Sample(traits[t.Name]); ok {
			dump.Put(t.Field, v)
		}
	}
	for key, v := range known.Readings {
		if p, ok := known.Points[key]; ok && v.Raw != nil {
			dump.Keep(p.Ranges, v.Raw)
		}
	}
	dump.Redact()
	var text strings.Builder
	_ = dump.Write(&text) // a builder takes everything
	return text.String()
}
