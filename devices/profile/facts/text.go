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

func orderText(lowFirst bool) string {
	if lowFirst {
		return "low first"
	}
	return "high first"
}

// addrText writes addresses as a profile does: 622 of one word, 622+2 of two neighbours, [622, 687] apart.
// AddressText writes addresses as a profile does: 622 of one word or of neighbours, [622, 687] of words apart.
func AddressText(addrs []uint16) string {
	if !apart(addrs) && len(addrs) > 0 {
		return strconv.Itoa(int(addrs[0]))
	}
	return addrText(addrs)
}

func addrText(addrs []uint16) string {
	switch {
	case len(addrs) == 0:
		return "none"
	case len(addrs) == 1:
		return strconv.Itoa(int(addrs[0]))
	case !apart(addrs):
		return fmt.Sprintf("%d+%d", addrs[0], len(addrs))
	}
	var texts []string
	for _, a := range addrs {
		texts = append(texts, strconv.Itoa(int(a)))
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

func (d Decoding) kind() string {
	return []string{"number", "float", "text", "bits", "time", "block"}[d.Kind]
}
