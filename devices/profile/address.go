package profile

import (
	"fmt"
	"strconv"
	"strings"

	"solarhub/protocol"
)

var tables = []protocol.Table{protocol.HoldingRegister, protocol.InputRegister, protocol.Coil, protocol.DiscreteInput}

// parseAddress reads "587", "0x024B", "holding 587", "input 4945", "coil 3" or "discrete 3".
func parseAddress(text string) (protocol.Table, uint16, error) {
	table, number := protocol.HoldingRegister, text
	if word, rest, found := strings.Cut(text, " "); found {
		t, err := parseTable(word)
		if err != nil {
			return 0, 0, err
		}
		table, number = t, strings.TrimSpace(rest)
	}
	addr, err := parseRegister(number)
	return table, addr, err
}

// parseHole reads "holding 700..709" or "holding 700".
func parseHole(text string) (protocol.Range, error) {
	first, last, several := strings.Cut(text, "..")
	table, from, err := parseAddress(first)
	if err != nil {
		return protocol.Range{}, err
	}
	to := from
	if several {
		if to, err = parseRegister(last); err != nil {
			return protocol.Range{}, err
		}
	}
	if to < from || to-from == 65535 {
		return protocol.Range{}, fmt.Errorf("%q: the last address must lie behind the first, and not be the whole table", text)
	}
	return protocol.Range{Table: table, Addr: from, Count: to - from + 1}, nil
}

func parseTable(word string) (protocol.Table, error) {
	for _, t := range tables {
		if t.String() == word {
			return t, nil
		}
	}
	return 0, fmt.Errorf("table %q is not one of holding, input, coil, discrete", word)
}

// parseRegister reads a decimal or hexadecimal address. A leading zero is refused: it means octal to some and nothing to
// others.
func parseRegister(text string) (uint16, error) {
	n, err := parseNatural(text)
	if err != nil || n > 65535 {
		return 0, fmt.Errorf("address %q is not a whole number from 0 to 65535", text)
	}
	return uint16(n), nil
}

// parseNatural reads a decimal number without leading zeros, or a hexadecimal one behind 0x.
func parseNatural(text string) (uint64, error) {
	if hex, found := strings.CutPrefix(text, "0x"); found {
		return strconv.ParseUint(hex, 16, 64)
	}
	if len(text) > 1 && text[0] == '0' || strings.HasPrefix(text, "+") {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseUint(text, 10, 64)
}
