package sim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ParseFaults reads the short form of a flag: faults with commas between, each kind=share, then :duration or :number
// where the kind takes one. The share is a part of all requests, as 1% or 0.01.
//
//	late=1%:1.2s,drop=0.5%,exception=2%:6,hang-up=0.1%:5s
//
// It returns all findings at once.
func ParseFaults(text string) ([]Fault, error) {
	var faults []Fault
	var findings []error
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		f, err := parseFault(part)
		if err != nil {
			findings = append(findings, fmt.Errorf("fault %q: %w", part, err))
			continue
		}
		faults = append(faults, f)
	}
	return faults, errors.Join(findings...)
}

func parseFault(part string) (Fault, error) {
	name, rest, _ := strings.Cut(part, "=")
	f := Fault{Kind: Kind(name)}
	if !slices.Contains(Kinds(), f.Kind) {
		return f, fmt.Errorf("%q is not one of %v", name, Kinds())
	}
	share, argument, given := strings.Cut(rest, ":")
	p, err := parseShare(share)
	if err != nil {
		return f, err
	}
	f.Match.Probability = p
	return f, f.parseArgument(argument, given)
}

func parseShare(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	p, err := strconv.ParseFloat(number, 64)
	if percent {
		p /= 100
	}
	if err != nil || !(p > 0 && p <= 1) {
		return 0, fmt.Errorf("the share is %q, not a part of all requests as 1%% or 0.01", text)
	}
	return p, nil
}

// usualDelay is the Delay of the kinds that take one, if the flag does not say.
var usualDelay = map[Kind]time.Duration{
	Late: 1200 * time.Millisecond, Drip: 50 * time.Millisecond,
	HangUp: 5 * time.Second, CloseBefore: 5 * time.Second, CloseAfter: 5 * time.Second,
}

// parseArgument takes what stands behind the share. Without it the fault is one that a client notices.
func (f *Fault) parseArgument(text string, given bool) error {
	if f.Kind == Exception {
		return f.parseCode(text, given)
	}
	usual, delays := usualDelay[f.Kind]
	f.Delay = usual
	if !given {
		return nil
	}
	if !delays {
		return fmt.Errorf("%s takes nothing behind its share, but there is %q", f.Kind, text)
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return fmt.Errorf("%q is not a duration as 1.2s or 50ms", text)
	}
	f.Delay = d
	return nil
}

func (f *Fault) parseCode(text string, given bool) error {
	f.Code = 6
	if !given {
		return nil
	}
	code, err := strconv.ParseUint(text, 10, 8)
	if err != nil || code == 0 {
		return fmt.Errorf("%q is not an exception code 1..255", text)
	}
	f.Code = byte(code)
	return nil
}
