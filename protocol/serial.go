package protocol

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Parity of a character on a serial line.
type Parity uint8

// What the parity bit completes the ones of a character to, if there is one.
const (
	NoParity Parity = iota
	EvenParity
	OddParity
)

// Serial is the setting of a serial line. The zero value is not usable; DefaultSerial is.
type Serial struct {
	Baud     int // bits per second, 1200..921600
	DataBits int // 8 for RTU; 7 or 8 for ASCII
	Parity   Parity
	StopBits int  // 1 or 2
	ASCII    bool // each byte of a frame travels as two characters
}

// DefaultSerial is 9600 8N1, what nearly every solar inverter is delivered with.
var DefaultSerial = Serial{Baud: 9600, DataBits: 8, Parity: NoParity, StopBits: 1}

// DefaultASCII is what the standard wants of ASCII, at the usual baud. In practice 8N1 is as common.
// Source: MODBUS over Serial Line V1.02, 2.5.2.
var DefaultASCII = Serial{Baud: 9600, DataBits: 7, Parity: EvenParity, StopBits: 1, ASCII: true}

// bauds are the rates that Linux has a name for and that RTU lines use.
var bauds = []int{
	1200, 1800, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 500000, 576000, 921600,
}

// Check reports a setting that no line has or that this system's ports cannot be set to.
func (s Serial) Check() error {
	if !slices.Contains(bauds, s.Baud) {
		return fmt.Errorf("baud %d is not one of %v; the nearest is %d", s.Baud, bauds, nearest(s.Baud, bauds))
	}
	if s.DataBits != 8 && !s.ASCII {
		return fmt.Errorf("%d data bits, RTU has 8", s.DataBits)
	}
	if s.DataBits != 8 && s.DataBits != 7 {
		return fmt.Errorf("%d data bits, ASCII has 7 or 8", s.DataBits)
	}
	if s.Parity > OddParity {
		return fmt.Errorf("parity %d is none of none, even, odd", s.Parity)
	}
	if s.StopBits != 1 && s.StopBits != 2 {
		return fmt.Errorf("%d stop bits, not 1 or 2", s.StopBits)
	}
	return nil
}

// nearest returns the number of a list that lies nearest to n, of two the smaller.
func nearest(n int, sorted []int) int {
	return slices.MinFunc(sorted, func(a, b int) int { return cmp.Compare(max(a-n, n-a), max(b-n, n-b)) })
}

// String returns the usual short form: "9600 8N1".
func (s Serial) String() string {
	return fmt.Sprintf("%d %d%c%d", s.Baud, s.DataBits, "NEO"[s.Parity], s.StopBits)
}

var (
	serialForm = regexp.MustCompile(`^([1-9][0-9]{0,6}) ([5-8])([NEO])([12])$`)
	parities   = map[string]Parity{"N": NoParity, "E": EvenParity, "O": OddParity}
)

// ParseSerial reads the usual short form of a serial setting, "9600 8N1": what String prints. The baud rate is
// 1200..921600 and there are 8 data bits, as RTU needs.
func ParseSerial(text string) (Serial, error) {
	m := serialForm.FindStringSubmatch(strings.ToUpper(text))
	if m == nil {
		return Serial{}, fmt.Errorf(`%q is not of the form "9600 8N1": baud, 8, the parity N, E or O, 1 or 2 stop bits`,
			text)
	}
	baud, _ := strconv.Atoi(m[1])
	s := Serial{Baud: baud, DataBits: int(m[2][0] - '0'), Parity: parities[m[3]], StopBits: int(m[4][0] - '0')}
	return s, s.Check()
}
