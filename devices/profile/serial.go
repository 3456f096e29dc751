package profile

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"solarhub/protocol"
)

var serialForm = regexp.MustCompile(`^([1-9][0-9]{0,6}) ([5-8])([NEO])([12])$`)

// ParseSerial reads the usual short form of a serial setting, "9600 8N1": what protocol.Serial prints. The baud is
// 1200..921600 and there are 8 data bits, as RTU needs.
func ParseSerial(text string) (protocol.Serial, error) {
	m := serialForm.FindStringSubmatch(strings.ToUpper(text))
	if m == nil {
		return protocol.Serial{}, fmt.Errorf(`%q is not of the form "9600 8N1": baud, 8, the parity N, E or O, 1 or 2 stop bits`, text)
	}
	baud, _ := strconv.Atoi(m[1])
	s := protocol.Serial{Baud: baud, DataBits: int(m[2][0] - '0'), Parity: parities[m[3]], StopBits: int(m[4][0] - '0')}
	return s, s.Check()
}

var parities = map[string]protocol.Parity{"N": protocol.NoParity, "E": protocol.EvenParity, "O": protocol.OddParity}
