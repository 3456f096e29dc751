package doctor

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/config"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// Dump is the registers of a device as they were read, for the simulator to play: package sim loads what Write writes.
type Dump struct {
	Device  string
	Profile *profile.Profile
	Traits  profile.Traits
	At      time.Time
	Words   map[protocol.Range]uint16 // of one register or bit each
	Refused []string                  // what the device does not give, with its reason
	Who     devices.Identity          // as it was identified
	Unlike  error                     // why it is not what the profile says; nil if it is
}

// ReadDump reads every register that the device's plan has, with all points on, and those that tell what it is, then
// those that somebody names besides. progress is told how many of the requests are done.
func ReadDump(ctx context.Context, cfg config.Config, name string, besides []protocol.Range,
	progress func(done, of int), log zerolog.Logger) (Dump, error) {
	l, d, err := cfg.Device(name)
	if err != nil {
		return Dump{}, err
	}
	release, err := takeLines(l.Endpoint())
	if err != nil {
		return Dump{}, err
	}
	defer release()
	bus := protocol.NewBus(l.NewLink(log), protocol.BusOptions{Log: log})
	stop := start(bus)
	dump, err := ReadDumpOver(ctx, bus, d, besides, progress)
	return dump, errors.Join(err, stop())
}

// ReadDumpOver is ReadDump over a line that somebody has opened.
func ReadDumpOver(ctx context.Context, line devices.Bus, d devices.Config, besides []protocol.Range,
	progress func(done, of int)) (Dump, error) {
	dump := Dump{Device: d.Name, Profile: d.Profile, At: time.Now(), Words: map[protocol.Range]uint16{}}
	if d.Line.NamedOnly && len(besides) > 0 {
		return dump, fmt.Errorf("dump %s: %s does worse than refuse registers that it does not have, so only those "+
			"that its profile names are read. To search it nevertheless, set named_only: false in the configuration",
			d.Name, d.Profile.Name)
	}
	never := d.Line.Never
	who, err := devices.Identify(ctx, line, d)
	dump.Who, dump.Unlike = who, err
	if err == nil {
		dump.Traits, _ = d.Profile.NamedTraits(who.Traits) // which the device has settled
	} else {
		never = slices.Concat(never, d.Profile.Identify.Never)
	}
	for _, r := range identityRanges(d.Profile, dump.Traits) {
		if slices.ContainsFunc(never, r.Overlaps) {
			continue
		}
		if err := dump.read(ctx, line, d, r, nil); err != nil {
			return dump, err
		}
	}
	if dump.Traits == nil {
		dump.Traits = dump.traits()
		d.Line.Never = never
	}
	points, err := d.Profile.Resolve(dump.Traits)
	if err != nil {
		return dump, err
	}
	reads, _ := devices.ReadPlan(points, d.Line) // what cannot be read is read by nobody
	var items []protocol.Range
	for _, p := range points {
		if p.HasValue() {
			items = append(items, p.Ranges...)
		}
	}
	blocks := blocksOf(besides, d.Line)
	for i, r := range reads {
		progress(i, len(reads)+len(blocks))
		if err := dump.read(ctx, line, d, r.Range, items); err != nil {
			return dump, err
		}
	}
	for i, r := range blocks {
		progress(len(reads)+i, len(reads)+len(blocks))
		if err := dump.search(ctx, line, d, r); err != nil {
			return dump, err
		}
	}
	progress(len(reads)+len(blocks), len(reads)+len(blocks))
	return dump, nil
}

// blocksOf cuts ranges into reads that the device takes, around what must not be read.
func blocksOf(ranges []protocol.Range, l profile.LineSettings) (blocks []protocol.Range) {
	most := cmp.Or(l.MaxRegisters, protocol.MaxReadRegisters)
	for _, r := range ranges {
		for _, part := range profile.SubtractRanges(r, slices.Concat(l.Holes, l.Never)...) {
			for at := uint32(part.Addr); at < part.End(); at += uint32(most) {
				blocks = append(blocks, protocol.Range{Table: part.Table, Addr: uint16(at),
					Count: uint16(min(uint32(most), part.End()-at))})
			}
		}
	}
	return blocks
}

// search takes what the device gives of a range of which nobody knows what is there: it halves what is refused.
func (d *Dump) search(ctx context.Context, line devices.Bus, of devices.Config, r protocol.Range) error {
	resp, err := readThrice(ctx, line, ask(of, r, protocol.PriorityPoll, of.Line.Pace))
	switch {
	case err == nil:
		d.Keep([]protocol.Range{r}, resp.Words)
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case !replied(err): // it may be silent about what it does not have, and to halve silence takes long
		d.Refused = append(d.Refused, fmt.Sprintf("%v: %v", r, err))
		return nil
	case r.Count == 1:
		return nil // there is no such register
	}
	low, high := r, r
	low.Count = r.Count / 2
	high.Addr, high.Count = r.Addr+low.Count, r.Count-low.Count
	if err := d.search(ctx, line, of, low); err != nil {
		return err
	}
	return d.search(ctx, line, of, high)
}

// identityRanges returns what tells what a device is: the fields of identification, and where its models of SunSpec
// begin and end.
func identityRanges(p *profile.Profile, traits profile.Traits) []protocol.Range {
	var all []protocol.Range
	for _, f := range p.IdentityFields(traits) {
		all = append(all, f.Ranges...)
	}
	for _, t := range p.Traits {
		if traits != nil && p.Applies(t, traits) {
			all = append(all, t.Field.In(traits).Ranges...)
		}
	}
	chain, err := profile.ParseChain(traits[profile.ChainTrait])
	if err != nil {
		return all
	}
	end := protocol.Range{Addr: chain.Base, Count: 2}
	for _, m := range chain.Models {
		all = append(all, end)
		end = protocol.Range{Addr: m.Addr, Count: 2}
		if last := m.Addr + 2 + m.Length; m == chain.Models[len(chain.Models)-1] {
			all, end = append(all, end), protocol.Range{Addr: last, Count: 1}
		}
	}
	return append(all, end)
}

// read takes a range. If the device refuses it, the items in it are asked for one by one.
func (d *Dump) read(ctx context.Context, line devices.Bus, of devices.Config, r protocol.Range,
	items []protocol.Range) error {
	resp, err := readThrice(ctx, line, ask(of, r, protocol.PriorityPoll, of.Line.Pace))
	if err == nil {
		d.Keep([]protocol.Range{r}, resp.Words)
		return nil
	}
	if !replied(err) {
		return fmt.Errorf("dump %s: %w", of.Name, err)
	}
	parts := slices.DeleteFunc(slices.Clone(items),
		func(item protocol.Range) bool { return item == r || !r.Contains(item) })
	if len(parts) == 0 {
		d.Refused = append(d.Refused, err.Error())
	}
	for _, part := range parts {
		if err := d.read(ctx, line, of, part, nil); err != nil {
			return err
		}
	}
	return nil
}

// readThrice asks three times: a dump is not to fail for one lost frame.
func readThrice(ctx context.Context, line devices.Bus, req protocol.Request) (resp protocol.Response, err error) {
	for range 3 {
		if resp, err = line.Do(ctx, req); err == nil || ctx.Err() != nil {
			return resp, err
		}
		if no, refused := errors.AsType[protocol.ExceptionError](err); refused && no.Code != protocol.Acknowledge &&
			no.Code != protocol.ServerDeviceBusy {
			return resp, err
		}
	}
	return resp, err
}

// traits returns which of the family it is; as the typical device is where that cannot be told.
func (d Dump) traits() profile.Traits {
	traits := d.Profile.Cases()[0]
	for _, t := range d.Profile.Traits {
		if word, ok := t.Word(d.value(t.Field)); ok {
			traits[t.Name] = word
		}
	}
	return traits
}

// value decodes a field of identification from what was read.
func (d Dump) value(f profile.Field) codec.Value {
	words, ok := d.words(f.Ranges)
	if !ok || !f.Present() {
		return codec.None("it was not read")
	}
	return f.Spec.Decode(words)
}

func (d Dump) words(ranges []protocol.Range) (words []uint16, ok bool) {
	for _, r := range ranges {
		for i := range r.Count {
			w, ok := d.Words[protocol.Range{Table: r.Table, Addr: r.Addr + i, Count: 1}]
			if !ok {
				return nil, false
			}
			words = append(words, w)
		}
	}
	return words, true
}

// Keep notes the words of ranges.
func (d Dump) Keep(ranges []protocol.Range, words []uint16) {
	for _, r := range ranges {
		for i := range min(int(r.Count), len(words)) {
			d.Words[protocol.Range{Table: r.Table, Addr: r.Addr + uint16(i), Count: 1}] = words[i]
		}
		words = words[min(int(r.Count), len(words)):]
	}
}

// Put notes the words of a value, where the field takes it.
func (d Dump) Put(f profile.Field, v codec.Value) {
	if !f.Present() {
		return
	}
	old, ok := d.words(f.Ranges)
	if !ok {
		old = make([]uint16, f.Spec.Words())
	}
	if words, err := f.Spec.Encode(v, old); err == nil {
		d.Keep(f.Ranges, words)
	}
}

// shownDigits is how much of a serial number is left: enough to tell two devices apart, too little to ask a maker's
// cloud for the device.
const shownDigits = 3

// Redact puts X in the place of each character of the serial number but the last three, so that the dump can be shown
// around and the simulator still plays a device with one.
func (d Dump) Redact() {
	field := d.Profile.Identify.Serial()
	serial := d.value(field)
	if !field.Present() || serial.Kind == codec.KindNone {
		return
	}
	text := serial.String()
	hidden := strings.Repeat("X", max(len(text)-shownDigits, 0)) + text[max(len(text)-shownDigits, 0):]
	for _, r := range field.Ranges {
		for i := range r.Count {
			delete(d.Words, protocol.Range{Table: r.Table, Addr: r.Addr + i, Count: 1})
		}
	}
	d.Put(field, codec.TextOf(hidden))
}

// Write writes the dump as lines of table,address,value under a heading of remarks.
func (d Dump) Write(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s, profile %s", d.Profile.Name, d.Profile.ID)
	if text := d.Profile.TraitsText(d.Traits); text != "" {
		fmt.Fprintf(&b, ", %s", text)
	}
	device := d.Profile.ID
	if !slices.Contains(profile.Names(), device) {
		device = "./" + device + ".yaml" // the owner's own, which has the name of its file
	}
	fmt.Fprintf(&b, ", read %s\n# play it: solarhub simulate %s --from THIS-FILE\n", d.At.Format(time.RFC3339), device)
	for _, r := range d.Refused {
		fmt.Fprintf(&b, "# not given: %s\n", r)
	}
	b.WriteString("table,address,value\n")
	all := make([]protocol.Range, 0, len(d.Words))
	for r := range d.Words {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b protocol.Range) int {
		if a.Table != b.Table {
			return int(a.Table) - int(b.Table)
		}
		return int(a.Addr) - int(b.Addr)
	})
	for _, r := range all {
		fmt.Fprintf(&b, "%s,%d,%d\n", r.Table, r.Addr, d.Words[r])
	}
	_, err := w.Write(b.Bytes())
	return err
}
