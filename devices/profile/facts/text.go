package facts

import (
	"fmt"
	"strconv"
	"strings"
)

func decimal(f float64) string { return strconv.FormatFloat(f, 'g', 10, 64) }

func maskText(mask uint64) string {
	if mask == 0 {
		return "whole"
	}
	return fmt.Sprintf("0x%04X", mask)
}

func signText(signed bool) string {
	if signed {
		return "signed"
	}
	return "unsigned"
}

func formText(magnitude bool) string {
	if magnitude {
		return "a bit for the sign"
	}
	return "complement"
}

func orderText(lowFirst bool) string {
	if lowFirst {
		return "low first"
	}
	return "high first"
}

// AddressText writes addresses as a profile does: 622 of one word or of neighbours, [622, 687] of words apart, each
// the first of as many neighbours.
func AddressText(addrs []uint16) string {
	if len(addrs) == 0 {
		return "none"
	}
	var starts []uint16
	for i, a := range addrs {
		if i == 0 || a != addrs[i-1]+1 {
			starts = append(starts, a)
		}
	}
	if len(starts) == 1 {
		return strconv.Itoa(int(starts[0]))
	}
	return strings.ReplaceAll(fmt.Sprint(starts), " ", ", ")
}

// addrText writes addresses for people: 622 of one word, 622+2 of two neighbours, [622 687] apart.
func addrText(addrs []uint16) string {
	switch {
	case len(addrs) == 0:
		return "none"
	case len(addrs) == 1:
		return strconv.Itoa(int(addrs[0]))
	case !apart(addrs):
		return fmt.Sprintf("%d+%d", addrs[0], len(addrs))
	}
	return fmt.Sprint(addrs)
}

func (d Decoding) kind() string {
	return []string{"number", "float", "text", "bits", "time", "block"}[d.Kind]
}
