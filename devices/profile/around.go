package profile

import (
	"maps"
	"slices"
	"time"

	"solarhub/protocol"
)

// Around is what is written before and after a setting, while nobody else gets the line: a code that unlocks, control
// that is taken first, a command that has the device take over what was written.
type Around struct {
	Key           string
	Before, After []Step
}

// Step is one write before or after a setting.
type Step struct {
	At     uint16 // of holding registers
	Words  []uint16
	Mask   uint16        // the bits that are written; the others stay as they are
	Single bool          // function 6
	Held   bool          // the register keeps the words: it is read first, and not written if it holds them
	Wait   time.Duration // after the reply
}

// Range returns the registers of the step.
func (s Step) Range() protocol.Range { return protocol.Range{Addr: s.At, Count: uint16(len(s.Words))} }

// Bounds of what goes around a write. Nobody else gets the line meanwhile.
const (
	maxSteps = 8 // before, and as many after
	maxWait  = 5 * time.Second
)

// readAround reads what can go around writes.
func (l *loader) readAround(f fields) {
	l.around = map[string]*Around{"none": nil}
	for _, e := range f.entries("around") {
		key := e.Key.Raw()
		if !wordForm.MatchString(key) || key == "none" {
			e.Key.Fail("around %q is not %s, or is none", key, wordForm)
		}
		one := l.fields(e.Value, "around")
		if one.exists() && !one.has("before") && !one.has("after") {
			e.Value.Fail("around: nothing stands before or after the write")
		}
		l.around[key] = &Around{Key: key, Before: l.steps(one, "before"), After: l.steps(one, "after")}
		l.source(one, l.defaults.source)
	}
}

func (l *loader) steps(f fields, key string) (steps []Step) {
	if !f.has(key) {
		return nil
	}
	list := f.list(key)
	if len(list) > maxSteps {
		f.fail(key, "%s: there are %d steps, more than %d", key, len(list), maxSteps)
		return nil
	}
	for _, n := range list {
		s := l.fields(n, "step")
		step := Step{Mask: 0xFFFF, Held: s.boolean("held"), Wait: s.duration("wait", 0, maxWait)}
		table, addr, err := parseAddress(s.text("at"))
		for _, value := range s.list("value") {
			word, _ := value.Uint(0xFFFF)
			step.Words = append(step.Words, uint16(word))
		}
		if s.has("with") {
			step.Single = s.choice("with", writeWords, 1) == 0
		} else {
			step.Single = l.defaults.single && len(step.Words) == 1
		}
		if s.has("mask") {
			step.Mask = uint16(s.natural("mask", 1, 0xFFFF, 0xFFFF))
		}
		step.At = addr
		switch {
		case !s.exists():
		case err != nil:
			s.fail("at", "at: %v", err)
		case table != protocol.HoldingRegister:
			s.fail("at", "at: only a holding register is written before or after others")
		case len(step.Words) > protocol.MaxWriteRegisters || step.Range().End() > 65536:
			s.fail("value", "value: %d words do not fit", len(step.Words))
		case len(step.Words) != 1 && (step.Single || s.has("mask")):
			s.fail("value", "value: function 6 and a mask are for one word")
		default:
			for _, never := range l.p.Line.Never {
				if never.Overlaps(step.Range()) {
					s.fail("at", "at: %s lies in %s, which nothing may ever touch", step.Range(), HoleText(never))
				}
			}
		}
		steps = append(steps, step)
	}
	return steps
}

// aroundOf returns what goes around a write.
func (l *loader) aroundOf(f fields) *Around {
	if !f.has("around") {
		return nil
	}
	word := f.text("around")
	one, ok := l.around[word]
	if !ok && word != "" {
		f.fail("around", "around: %q is not one of %s", word, joinWords(slices.Sorted(maps.Keys(l.around))))
	}
	return one
}
