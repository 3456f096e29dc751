package doctor

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/config"
	"solarhub/protocol"
)

// without returns points that ended so, from holding 100 on.
func without(n int, err error, known bool) (all []devices.Unread) {
	for i := range n {
		p := profile.Point{Name: fmt.Sprint("Word ", i+1), Ranges: []protocol.Range{{Addr: uint16(100 + i), Count: 1}}}
		all = append(all, devices.Unread{Point: p, Err: err, Known: known})
	}
	return all
}

var (
	errNoAddress = fmt.Errorf("read: %w", protocol.ExceptionError{Function: 3, Code: 2})
	errTimeout   = fmt.Errorf("read: %w", protocol.ErrTimeout)
	errMisfit    = fmt.Errorf("read: %w: with 5 data bytes, not 4", protocol.ErrMisfit)
)

func TestAdviceOnPoints(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *Symptoms, d *DeviceSymptoms)
		mend   bool
		says   string // "": nothing
	}{
		"all have a value": {func(*Symptoms, *DeviceSymptoms) {}, false, ""},
		"one is refused": {func(_ *Symptoms, d *DeviceSymptoms) { d.Unread = without(1, errNoAddress, true) }, false,
			"Roof does not give Word 1 (holding 100): it answers exception 2 (illegal data address). You can switch " +
				"that entity off"},
		"five are refused": {func(_ *Symptoms, d *DeviceSymptoms) { d.Unread = without(5, errNoAddress, true) }, false,
			"Word 1 (holding 100), Word 2 (holding 101), Word 3 (holding 102) and 2 more"},
		"most are refused": {func(_ *Symptoms, d *DeviceSymptoms) { d.Unread = without(39, errNoAddress, true) }, true,
			"Roof refuses 39 of the 50 values that it is asked for, such as Word 1 (holding 100): it answers"},
		"one is no reply": {func(_ *Symptoms, d *DeviceSymptoms) { d.Unread = without(1, errMisfit, false) }, true,
			"answers Word 1 (holding 100) with what is no reply to it (with 5 data bytes, not 4)"},
		"one is silent": {func(_ *Symptoms, d *DeviceSymptoms) {
			d.Unread, d.Stats.Timeouts = without(1, errTimeout, false), 10
		}, true, "Roof never answers Word 1 (holding 100), and answers the rest. Switch that entity off"},
		"one is noise": {func(s *Symptoms, d *DeviceSymptoms) {
			d.Unread, d.Stats.Timeouts, s.Stats.Frames.Noise = without(1, errTimeout, false), 10, 80
		}, true, "Roof sends no readable reply for Word 1 (holding 100)"},
		"one is known to be silent": {func(_ *Symptoms, d *DeviceSymptoms) {
			d.Unread = without(1, errTimeout, true)
		}, false, "is asked for that only now and then"},
		"they are too long": {func(_ *Symptoms, d *DeviceSymptoms) {
			d.Unread, d.Stats.Timeouts, d.Most = without(9, errTimeout, false), 10, 48
		}, true, "set `max_registers: 48`"},
		"one was not read": {func(s *Symptoms, d *DeviceSymptoms) { s.Live, d.Unread = true, without(1, nil, false) },
			true, "Word 1 (holding 100) is not read yet"},
		"not one whole poll": {func(s *Symptoms, d *DeviceSymptoms) { s.Live, d.Poll.Requests = true, 0 }, true,
			"Roof was not read once from beginning to end in 20s"},
		"not there": {func(s *Symptoms, d *DeviceSymptoms) {
			s.Live, d.Status = true, devices.Status{Reason: "somebody else is"}
		}, true, "Roof is not available: somebody else is"},
		"opened twice": {func(s *Symptoms, _ *DeviceSymptoms) {
			s.Live, s.Stats.Openings, s.Stats.LastError = true, 2, fmt.Errorf("cut")
		}, true, "had to be opened 2 times in 20s, because the connection was lost: cut"},
		"garbled now and then": {func(s *Symptoms, _ *DeviceSymptoms) {
			s.Stats.Misfits, s.Stats.LastError = 30, fmt.Errorf("%w: from unit 192", protocol.ErrMisfit)
		}, true, "30 of 200 replies do not fit what was asked, the last one from unit 192: the gateway passes on"},
		"a length is learnt": {func(_ *Symptoms, d *DeviceSymptoms) { d.Learned.Longest.Registers = 45 }, false,
			"which was found out and is kept to: `max_registers: 45` says so from the start"},
		"closes": {func(s *Symptoms, _ *DeviceSymptoms) { s.Stats.Link.Closes = true }, false,
			"closes the connection behind each reply. SolarHub opens a new one for each request"},
		"over": {func(s *Symptoms, d *DeviceSymptoms) {
			d.Stats.Timeouts, s.Recent = 30, &protocol.Stats{}
		}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := ill(config.TCP, func(s *Symptoms, d *DeviceSymptoms) {
				s.Watched, d.Polled, d.Poll.Requests = 20*time.Second, 50, 3
				c.change(s, d)
			})
			all := advise(s)
			mends := slices.ContainsFunc(all, func(a Advice) bool { return a.Mend })
			var said strings.Builder
			for _, a := range all {
				fmt.Fprintln(&said, a.Sentence())
				if len(a.Sentence()) > 255 {
					t.Errorf("%d characters do not fit a state", len(a.Sentence()))
				}
			}
			if len(all) > 1 || (c.says == "") != (len(all) == 0) || mends != c.mend ||
				!strings.Contains(said.String(), c.says) {
				t.Errorf("it says (mend %t): %q\nwant (mend %t): %q", mends, &said, c.mend, c.says)
			}
		})
	}
}
