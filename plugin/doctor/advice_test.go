package doctor

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/config"
	"solarhub/protocol"
)

// ill is a line with one device that is well, so that a test only says what is wrong.
func ill(t config.Transport, change func(s *Symptoms, d *DeviceSymptoms)) Symptoms {
	s := Symptoms{Line: config.Line{Transport: t, Address: "/dev/ttyUSB0", Serial: protocol.DefaultSerial},
		Watched: 20 * time.Second,
		Stats:   protocol.Stats{Requests: 200, Replies: 200, Openings: 1}}
	if t != config.Serial {
		s.Line.Address = "192.168.1.50:502"
	}
	d := DeviceSymptoms{Config: devices.Config{Name: "Roof", Unit: 1},
		Status: devices.Status{Online: true, Identified: true},
		Stats:  protocol.UnitStats{Requests: 200, Replies: 200}}
	change(&s, &d)
	s.Devices = append([]DeviceSymptoms{d}, s.Devices...)
	return s
}

func openError(err error) protocol.Stats {
	return protocol.Stats{LastError: fmt.Errorf("%w: %w", protocol.ErrDown,
		&protocol.LinkError{Op: "open", Link: "x", Err: err}),
		DownSince: time.Unix(1, 0)}
}

func noAnswer(s *Symptoms, d *DeviceSymptoms) {
	s.Stats.Replies, s.Stats.Timeouts = 0, 200
	d.Stats = protocol.UnitStats{Requests: 200, Timeouts: 200}
	d.Status = devices.Status{Reason: "no answer"}
}

// meter is another device of the line, that is well.
var meter = DeviceSymptoms{Config: devices.Config{Name: "Meter", Unit: 2},
	Status: devices.Status{Online: true, Identified: true},
	Stats:  protocol.UnitStats{Requests: 10, Replies: 10}}

// illness is what is wrong with a line, and what is to be said of it.
type illness struct {
	on     config.Transport
	change func(s *Symptoms, d *DeviceSymptoms)
	want   []Illness
	says   string
}

var illnesses = map[string]illness{
	"well":               {config.TCP, func(*Symptoms, *DeviceSymptoms) {}, nil, ""},
	"one timeout of 200": {config.TCP, func(_ *Symptoms, d *DeviceSymptoms) { d.Stats.Timeouts = 1 }, nil, ""},

	"late": {config.Serial, func(s *Symptoms, d *DeviceSymptoms) {
		s.Stats.Frames.Late, s.Stats.Link.Latest, d.Stats.Timeouts = 9, 1210*time.Millisecond, 9
	}, []Illness{IllLate}, "replies of Roof arrive after the timeout of 1s, up to 1.21s behind the request: raise " +
		"`timeout` to 1.5s"},
	"all of them late": {config.TCP, func(s *Symptoms, d *DeviceSymptoms) {
		noAnswer(s, d)
		s.Stats.Frames.Late, s.Stats.Link.Latest = 199, 2500*time.Millisecond
	}, []Illness{IllLate}, "raise `timeout` to 3s"},
	"late, found by waiting": {config.TCP,
		func(s *Symptoms, d *DeviceSymptoms) { noAnswer(s, d); d.Slowest = 1900 * time.Millisecond },
		[]Illness{IllLate}, "raise `timeout` to 2.3s"},

	"damaged": {config.Serial, func(s *Symptoms, d *DeviceSymptoms) {
		s.Stats.Frames.Damaged, d.Stats.Timeouts = 12, 12
	}, []Illness{IllDamaged}, "12 of 200 replies were damaged (CRC): put 120 ohms at both ends"},
	"damaged, and some beyond recognition": {config.Serial, func(s *Symptoms, d *DeviceSymptoms) {
		s.Stats.Frames.Damaged, d.Stats.Timeouts = 8, 12
	}, []Illness{IllDamaged}, "8 of 200 replies were damaged (CRC)"},
	"one late of many lost": {config.Serial, func(s *Symptoms, d *DeviceSymptoms) {
		s.Stats.Frames.Late, s.Stats.Link.Latest, d.Stats.Timeouts, s.Tried = 1, 1100*time.Millisecond, 12, true
	}, []Illness{IllUnanswered}, "look at plugs and cable"},
	"two damaged of 1000": {config.Serial, func(s *Symptoms, d *DeviceSymptoms) {
		s.Stats.Requests, d.Stats.Requests, s.Stats.Frames.Damaged, d.Stats.Timeouts = 1000, 1000, 2, 2
	}, nil, ""},

	"silent": {config.Serial, noAnswer, []Illness{IllSilent},
		"nothing answers at unit id 1 of serial /dev/ttyUSB0: is it switched on, are A and B swapped, and are 9600 " +
			"8N1 and the unit id"},
	"silent, TCP": {config.TCP, noAnswer, []Illness{IllSilent}, "though the connection is open"},
	"another unit": {config.Serial,
		func(s *Symptoms, d *DeviceSymptoms) { noAnswer(s, d); s.Alive = []protocol.UnitID{3} }, []Illness{IllSilent},
		"but unit id 3 does: is that the device?"},
	"other units": {config.Serial,
		func(s *Symptoms, d *DeviceSymptoms) { noAnswer(s, d); s.Alive = []protocol.UnitID{3, 4, 7} },
		[]Illness{IllSilent}, "but unit ids 3, 4 and 7 do"},
	"the others answer": {config.Serial,
		func(s *Symptoms, d *DeviceSymptoms) { noAnswer(s, d); s.Devices = []DeviceSymptoms{meter} },
		[]Illness{IllSilent}, "while others on the line answer"},
	"another setting": {config.Serial, func(s *Symptoms, d *DeviceSymptoms) {
		noAnswer(s, d)
		s.Setting = &protocol.Serial{Baud: 19200, Parity: protocol.EvenParity, StopBits: 1, DataBits: 8}
	}, []Illness{IllSilent}, "but it answers at 19200 8E1: set `baud: 19200` and `parity: even`"},
	"behind a gateway": {config.TCP, func(s *Symptoms, d *DeviceSymptoms) {
		noAnswer(s, d)
		s.Stats.Timeouts, s.Stats.Exceptions, d.Stats = 0, 200,
			protocol.UnitStats{Requests: 200, Exceptions: 200, Unreached: 200}
	}, []Illness{IllSilent}, "the gateway answers that it gets nothing from unit id 1"},
	"another map": {config.Serial, func(s *Symptoms, d *DeviceSymptoms) {
		noAnswer(s, d)
		s.Stats.Timeouts, s.Stats.Exceptions, d.Stats = 0, 200, protocol.UnitStats{Requests: 200, Exceptions: 200}
		d.Status.Reason = "unit 1 is no Powdrive: its kind is refused"
	}, []Illness{IllWrongDevice}, "Roof is not available: unit 1 is no Powdrive"},
	"not away but hasty": {config.TCP, func(_ *Symptoms, d *DeviceSymptoms) {
		d.Stats.Timeouts, d.Status, d.Gap = 90, devices.Status{Identified: true, Reason: "no answer"},
			300*time.Millisecond
	}, []Illness{IllHasty}, "set `gap: 300ms`"},
	"away": {config.TCP, func(_ *Symptoms, d *DeviceSymptoms) {
		d.Stats.Timeouts, d.Status = 30,
			devices.Status{Identified: true, Reason: "no answer", Since: time.Date(2026, 1, 2, 18, 5, 0, 0, time.Local)}
	}, []Illness{IllAway}, "Roof has not answered since 18:05: is it switched on?"},
	"not away but late": {config.TCP, func(s *Symptoms, d *DeviceSymptoms) {
		s.Stats.Frames.Late, s.Stats.Link.Latest, d.Stats.Timeouts = 7, 1210*time.Millisecond, 8
		d.Status = devices.Status{Identified: true, Reason: "no answer"}
	}, []Illness{IllLate}, "raise `timeout` to 1.5s"},
	"a stranger": {config.TCP, func(_ *Symptoms, d *DeviceSymptoms) {
		d.Status = devices.Status{Reason: "unit 1 is no Powdrive: its kind is 2"}
	},
		[]Illness{IllWrongDevice}, "Roof is not available: unit 1 is no Powdrive"},
	"a known stranger": {config.TCP, func(_ *Symptoms, d *DeviceSymptoms) {
		d.Status, d.Fits = devices.Status{Reason: "unit 1 is no Powdrive: its kind is 2"}, []string{"senergy"}
	}, []Illness{IllWrongDevice}, "its kind is 2. What answers fits the profile senergy: set `profile: senergy`"},

	"no frames": {config.Serial, func(s *Symptoms, d *DeviceSymptoms) { noAnswer(s, d); s.Stats.Frames.Noise = 400 },
		[]Illness{IllNoFrames}, "bytes come in, but no frames: the devices do not run at 9600 8N1"},
	"no frames, and why": {config.Serial, func(s *Symptoms, d *DeviceSymptoms) {
		noAnswer(s, d)
		s.Stats.Frames.Noise, s.Setting = 400, &protocol.Serial{Baud: 19200, StopBits: 1, DataBits: 8}
	}, []Illness{IllNoFrames}, "the line runs at 19200 8N1, not at 9600 8N1: set `baud: 19200`"},
	"another language": {config.TCP,
		func(s *Symptoms, d *DeviceSymptoms) { noAnswer(s, d); other := config.RTUOverTCP; s.Transport = &other },
		[]Illness{IllNoFrames}, "put `rtu_over_tcp:` in the place of `tcp:`"},
	"no frames, TCP": {config.TCP, func(s *Symptoms, d *DeviceSymptoms) { noAnswer(s, d); s.Stats.Frames.Noise = 4 },
		[]Illness{IllNoFrames}, "`rtu_over_tcp:`"},

	"another master": {config.Serial, func(s *Symptoms, _ *DeviceSymptoms) { s.Stats.Frames.Foreign = 14 },
		[]Illness{IllForeign}, "another master is on the line (14 frames"},
	"another client": {config.TCP, func(s *Symptoms, _ *DeviceSymptoms) { s.Stats.Frames.Foreign = 14 },
		[]Illness{IllForeign}, "hands out answers that somebody else asked for (14 times)"},
	"another client of a stick": {config.Solarman,
		func(s *Symptoms, _ *DeviceSymptoms) { s.Stats.Frames.Foreign = 14 },
		[]Illness{IllForeign}, "another client asks the stick at 192.168.1.50:502, too (14 times)"},
	"a stick that speaks Modbus TCP": {config.Solarman,
		func(s *Symptoms, _ *DeviceSymptoms) { s.Stats.Link.Plain = true },
		[]Illness{IllPlain}, "put `tcp: 192.168.1.50:502` in the place of `solarman:`"},
	"a stick with another number": {config.Solarman, func(s *Symptoms, d *DeviceSymptoms) {
		noAnswer(s, d)
		s.Stats.LastError = &protocol.LinkError{Op: "receive", Err: protocol.LoggerError{Is: 2700000001, Asked: 5}}
	}, []Illness{IllLogger}, "the stick's serial number is 2700000001, not 5: give the right one as `logger_serial`"},
	"a stick that does not say its number": {config.Solarman, func(s *Symptoms, d *DeviceSymptoms) {
		noAnswer(s, d)
		s.Stats.LastError = &protocol.LinkError{Op: "open", Err: protocol.LoggerError{}}
	}, []Illness{IllLogger}, "give the one on its label as `logger_serial`"},
	"a stick with its port closed": {config.Solarman, func(s *Symptoms, d *DeviceSymptoms) {
		noAnswer(s, d)
		s.Stats.LastError = &protocol.LinkError{Op: "open", Err: syscall.ECONNREFUSED}
		s.Stats.DownSince = time.Now()
	}, []Illness{IllUnreachable}, "the inverter's RS485 port stays open"},
	"wrong transaction ids": {config.TCP, func(s *Symptoms, d *DeviceSymptoms) {
		noAnswer(s, d)
		s.Stats.Frames.Foreign, s.Stats.Link.Transactions = 200, true
	}, []Illness{IllTransactions, IllSilent}, "set `transaction_ids: shape`"},
	"wrong transaction ids, borne": {config.TCP, func(s *Symptoms, _ *DeviceSymptoms) {
		s.Stats.Link.Transactions, s.Line.Quirks.Transactions = true, protocol.ShapeTransactions
	}, nil, ""},
	"wrong unit ids": {config.TCP, func(s *Symptoms, d *DeviceSymptoms) {
		noAnswer(s, d)
		s.Stats.Frames.Foreign, s.Stats.Link.Units = 200, true
	}, []Illness{IllUnits, IllSilent}, "set `unit_ids: lax`"},

	"hasty": {config.Serial, func(_ *Symptoms, d *DeviceSymptoms) {
		d.Stats.Timeouts, d.Gap = 30,
			100*time.Millisecond
	},
		[]Illness{IllHasty}, "Roof loses requests that come too soon behind its last reply (30 of 200): set `gap: " +
			"100ms`"},
	"deaf at first": {config.TCP,
		func(_ *Symptoms, d *DeviceSymptoms) { d.Stats.Timeouts, d.Connect = 3, 2*time.Second },
		[]Illness{IllFirst}, "set `connect_delay: 2s` for this line"},
	"slow at first": {config.TCP, func(s *Symptoms, d *DeviceSymptoms) {
		d.Stats.Timeouts, d.Waking, s.Stats.Frames.Late, s.Stats.Link.Latest = 3, 3*time.Second, 2, 3*time.Second
	}, []Illness{IllFirst}, "set `first_timeout: 4s`"},
	"long": {config.Serial, func(_ *Symptoms, d *DeviceSymptoms) { d.Stats.Timeouts, d.Most = 30, 48 },
		[]Illness{IllLong}, "reads of more than 48 registers: set `max_registers: 48`"},
	"a hole, found out": {config.Serial, func(_ *Symptoms, d *DeviceSymptoms) {
		d.Learned.Holes = []devices.Hole{{Range: protocol.Range{Addr: 102, Count: 8}}}
	}, []Illness{IllHoles}, "does not read across 1 places"},
	"unanswered": {config.Serial, func(_ *Symptoms, d *DeviceSymptoms) { d.Stats.Timeouts = 30 },
		[]Illness{IllUnanswered}, "30 of 200 requests to Roof got no answer: `solarhub check --live` tries what helps"},
	"unanswered, tried": {config.Serial, func(s *Symptoms, d *DeviceSymptoms) { d.Stats.Timeouts, s.Tried = 30, true },
		[]Illness{IllUnanswered},
		"look at plugs and cable"},
	"busy": {config.TCP, func(_ *Symptoms, d *DeviceSymptoms) { d.Stats.Busy = 12 }, []Illness{IllBusy},
		"12 of 200 requests): set `busy_wait: 300ms`"},
	"behind": {config.Serial, func(_ *Symptoms, d *DeviceSymptoms) {
		d.Poll = devices.PollReport{Behind: true,
			Wanted: map[profile.Interval]time.Duration{profile.Now: 2 * time.Second, profile.Normal: 15 * time.Second},
			Achieved: map[profile.Interval]time.Duration{profile.Now: 4210 * time.Millisecond,
				profile.Normal: 15 * time.Second}}
	}, []Illness{IllBehind}, "now every 4.2s instead of 2s; lengthen `poll`"},
	"latency timer": {config.Serial, func(s *Symptoms, _ *DeviceSymptoms) {
		s.Stats.Link.LatencyTimer = "16 ms, and it may not be set: permission denied"
	},
		[]Illness{IllLatency}, "16 ms, and it may not be set: permission denied; each request"},
	"another number": {config.Serial, func(s *Symptoms, _ *DeviceSymptoms) {
		s.Stats.Link.Moved, s.Stats.Link.Lasting = "/dev/ttyUSB1", "/dev/serial/by-id/x"
	}, []Illness{IllMoved}, "the adapter of /dev/ttyUSB0 is /dev/ttyUSB1 since it was plugged in again, and is " +
		"read there: write /dev/serial/by-id/x into the configuration"},
	"a number": {config.Serial, func(s *Symptoms, _ *DeviceSymptoms) { s.Stats.Link.Lasting = "/dev/serial/by-id/x" },
		[]Illness{IllMoved}, "may be another adapter when the machine starts anew; /dev/serial/by-id/x is"},
	"echo": {config.Serial, func(s *Symptoms, _ *DeviceSymptoms) { s.Stats.Link.Echoes = true }, []Illness{IllEcho},
		"set `echo: on`"},

	"port in use": {config.Serial,
		func(s *Symptoms, _ *DeviceSymptoms) {
			s.Stats = openError(fmt.Errorf("/dev/ttyUSB0: %w", protocol.ErrPortHeld))
		},
		[]Illness{IllInUse}, "/dev/ttyUSB0: port in use"},
	"no port": {config.Serial, func(s *Symptoms, _ *DeviceSymptoms) { s.Stats = openError(fs.ErrNotExist) },
		[]Illness{IllPort}, "file does not exist"},
	"refused": {config.TCP, func(s *Symptoms, _ *DeviceSymptoms) { s.Stats = openError(syscall.ECONNREFUSED) },
		[]Illness{IllUnreachable}, "refuses the connection"},
	"unknown name": {config.TCP,
		func(s *Symptoms, _ *DeviceSymptoms) { s.Stats = openError(&net.DNSError{Err: "no such host"}) },
		[]Illness{IllUnreachable}, "is not known"},
	"no host": {config.TCP, func(s *Symptoms, _ *DeviceSymptoms) { s.Stats = openError(protocol.ErrTimeout) },
		[]Illness{IllUnreachable}, "nothing answers at 192.168.1.50:502"},
	"no way": {config.TCP, func(s *Symptoms, _ *DeviceSymptoms) { s.Stats = openError(errors.New("odd")) },
		[]Illness{IllUnreachable}, "cannot be reached: odd"},
	"one client only": {config.TCP, func(s *Symptoms, d *DeviceSymptoms) {
		noAnswer(s, d)
		s.Stats.Timeouts, s.Stats.Failures, s.Stats.LastError = 0, 3,
			&protocol.LinkError{Op: "receive", Link: "x", Err: io.EOF}
	}, []Illness{IllHangUp}, "serves one client only"},
	"no UDP there": {config.UDP, func(s *Symptoms, d *DeviceSymptoms) {
		noAnswer(s, d)
		s.Stats.Timeouts, s.Stats.Failures, s.Stats.LastError = 0, 3, &protocol.LinkError{Op: "receive", Link: "x",
			Err: fmt.Errorf("%w: %w", protocol.ErrHungUp, syscall.ECONNREFUSED)}
	}, []Illness{IllUnreachable}, "nothing listens on the UDP port of 192.168.1.50:502"},
	"no certificate": {config.TLS, func(s *Symptoms, d *DeviceSymptoms) {
		noAnswer(s, d)
		s.Stats.Timeouts, s.Stats.Failures, s.Stats.LastError = 0, 3,
			&protocol.LinkError{Op: "receive", Link: "x", Err: errors.New("give certificate and key")}
	}, []Illness{IllUnreachable}, "192.168.1.50:502 cannot be reached: give certificate and key"},
	"misfits": {config.TCP, func(s *Symptoms, d *DeviceSymptoms) {
		noAnswer(s, d)
		s.Stats.Timeouts, s.Stats.Misfits = 0, 3
		s.Stats.LastError = &protocol.LinkError{Op: "receive", Link: "x",
			Err: fmt.Errorf("%w: from unit 2", protocol.ErrMisfit)}
	}, []Illness{IllMismatch}, "no reply fits what was asked, the last one from unit 2: is `unit` right"},
	"hangs up": {config.TCP, func(s *Symptoms, _ *DeviceSymptoms) {
		s.Stats.Failures, s.Stats.LastError = 7, &protocol.LinkError{Op: "receive", Link: "x", Err: syscall.ECONNRESET}
	}, []Illness{IllHangUp}, "has closed the connection 7 times"},
	"unplugged": {config.Serial, func(s *Symptoms, _ *DeviceSymptoms) {
		s.Stats.DownSince, s.Stats.LastError = time.Unix(1, 0),
			&protocol.LinkError{Op: "receive", Link: "x", Err: io.EOF}
	}, []Illness{IllPort}, "is gone"},

	"several": {config.Serial, func(s *Symptoms, d *DeviceSymptoms) {
		s.Stats.Link.Echoes, s.Stats.Frames.Foreign, d.Stats.Busy, d.Stats.Timeouts, d.Gap = true, 14, 12, 30,
			50*time.Millisecond
	}, []Illness{IllHasty, IllForeign, IllBusy, IllEcho}, ""},
}

func TestAdvice(t *testing.T) {
	for name, c := range illnesses {
		t.Run(name, func(t *testing.T) {
			s := ill(c.on, c.change)
			var got []Illness
			var all strings.Builder
			for _, a := range advise(s) {
				got = append(got, a.Illness)
				all.WriteString(a.Text + "\n")
				if len(a.Sentence()) > 255 {
					t.Errorf("%d characters do not fit a state: %s", len(a.Text), a.Text)
				}
			}
			if !slices.Equal(got, c.want) || !strings.Contains(all.String(), c.says) {
				t.Errorf("got %q, want %q\n%swant %q", got, c.want, &all, c.says)
			}
		})
	}
}

func TestRoomyIsAboveWhatWasMeasured(t *testing.T) {
	for measured, want := range map[time.Duration]time.Duration{
		12 * time.Millisecond: 20 * time.Millisecond, 199 * time.Millisecond: 240 * time.Millisecond,
		200 * time.Millisecond:  300 * time.Millisecond,
		1250 * time.Millisecond: 1500 * time.Millisecond, 2 * time.Second: 2500 * time.Millisecond,
		9 * time.Second: 11 * time.Second,
	} {
		if got := withRoom(measured); got != want {
			t.Errorf("%v: %v, want %v", measured, got, want)
		}
	}
}
