package search

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"solarhub/devices/profile"
	"solarhub/devices/scan"
	"solarhub/protocol"
)

// ParseUnits reads unit ids: "1,5,10-20". Nothing is nil. They are 0 to 255, each once, in the order given.
func ParseUnits(text string) (all []protocol.UnitID, err error) {
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		first, last, several := strings.Cut(strings.TrimSpace(part), "-")
		low, wrong := strconv.ParseUint(first, 10, 8)
		high := low
		if several && wrong == nil {
			high, wrong = strconv.ParseUint(last, 10, 8)
		}
		if wrong != nil || high < low {
			return nil, fmt.Errorf("%q is no unit id from 0 to 255, nor a range of them such as 1-10", part)
		}
		for id := low; id <= high; id++ {
			if !slices.Contains(all, protocol.UnitID(id)) {
				all = append(all, protocol.UnitID(id))
			}
		}
	}
	return all, nil
}

// Settings returns the settings of a serial port with one of some rates and with a parity (none, even, odd), the
// likeliest first. Without rates, and with an empty parity, they are all that are usual.
func Settings(bauds []int, parity string) (all []protocol.Serial, err error) {
	words := []string{"none", "even", "odd"}
	if parity != "" && !slices.Contains(words, parity) {
		return nil, fmt.Errorf("parity %q is none of %s", parity, strings.Join(words, ", "))
	}
	families, err := profile.Embedded()
	if err != nil {
		return nil, err
	}
	usual := scan.Serials(families)
	for _, baud := range bauds {
		for p := range protocol.Parity(len(words)) {
			s := protocol.Serial{Baud: baud, DataBits: 8, Parity: p, StopBits: 1}
			if err := s.Check(); err != nil {
				return nil, err
			}
			if !slices.Contains(usual, s) {
				usual = append(usual, s)
			}
		}
	}
	for _, s := range usual {
		if (len(bauds) == 0 || slices.Contains(bauds, s.Baud)) && (parity == "" || words[s.Parity] == parity) {
			all = append(all, s)
		}
	}
	return all, nil
}
