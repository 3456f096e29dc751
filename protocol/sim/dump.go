package sim

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"solarhub/protocol"
)

var tableNames = map[string]protocol.Table{
	protocol.HoldingRegister.String(): protocol.HoldingRegister,
	protocol.InputRegister.String():   protocol.InputRegister,
	protocol.Coil.String():            protocol.Coil,
	protocol.DiscreteInput.String():   protocol.DiscreteInput,
}

// LoadDump sets the addresses of a raw dump in u, as ParseDump reads it. It sets nothing if there are findings.
func LoadDump(r io.Reader, u *Unit) error {
	words, err := ParseDump(r)
	for at, word := range words {
		u.Set(at.Table, at.Addr, word)
	}
	return err
}

// ParseDump reads a raw dump into its registers and bits, each a range of one: one line for each,
// "table,address,value", as in "holding,588,51" or "input,0x24C,0x33". The table is holding, input, coil or discrete,
// the address the zero-based one of the PDU, the value 0..65535, 0 or 1 for bits. Empty lines, lines that begin with #
// and a heading "table,address,value" are skipped; of two lines for one address the later counts. It returns all
// findings at once, and no words then.
func ParseDump(r io.Reader) (map[protocol.Range]uint16, error) {
	words := map[protocol.Range]uint16{}
	var findings []error
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' || strings.ReplaceAll(text, " ", "") == "table,address,value" {
			continue
		}
		table, addr, value, err := dumpLine(text)
		if err != nil {
			findings = append(findings, fmt.Errorf("line %d: %w", n, err))
			continue
		}
		words[protocol.Range{Table: table, Addr: addr, Count: 1}] = value
	}
	if err := lines.Err(); err != nil {
		findings = append(findings, fmt.Errorf("read the dump: %w", err))
	}
	if len(findings) > 0 {
		return nil, errors.Join(findings...)
	}
	return words, nil
}

func dumpLine(text string) (t protocol.Table, addr, value uint16, err error) {
	fields := strings.Split(text, ",")
	if len(fields) != 3 {
		return 0, 0, 0, fmt.Errorf("%q has %d fields, not table,address,value", text, len(fields))
	}
	name := strings.TrimSpace(fields[0])
	t, known := tableNames[name]
	if !known {
		err = fmt.Errorf("table %q is none of holding, input, coil, discrete", name)
	}
	addr, wrong := dumpNumber("address", fields[1], 65535)
	err = errors.Join(err, wrong)
	most := uint64(65535)
	if t.Bits() {
		most = 1
	}
	value, wrong = dumpNumber("value", fields[2], most)
	return t, addr, value, errors.Join(err, wrong)
}

// dumpNumber reads a decimal number, or a hexadecimal one that begins with 0x. A leading zero means nothing.
func dumpNumber(what, text string, most uint64) (uint16, error) {
	text = strings.TrimSpace(text)
	digits, hex := strings.CutPrefix(strings.ToLower(text), "0x")
	base := 10
	if hex {
		base = 16
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil || n > most {
		return 0, fmt.Errorf("%s %q is not a number 0..%d", what, text, most)
	}
	return uint16(n), nil
}
