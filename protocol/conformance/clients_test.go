package conformance

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"solarhub/protocol"
)

func TestOurSimulator(t *testing.T) {
	for _, peer := range []struct {
		name  string
		lines []string
		open  func(t *testing.T, mode, place string, c certificates) *process
	}{
		{"pymodbus client", everyLine, func(t *testing.T, mode, place string, c certificates) *process {
			return python(t, append([]string{"testdata/pymodbus_client.py", mode, place, "1"}, c.given()...)...)
		}},
		{"modbus-serial client", []string{onTCP, onPTY, onRTUTCP},
			func(t *testing.T, mode, place string, _ certificates) *process {
				return node(t, "testdata/modbus_serial.js", "client", mode, place, "1")
			}},
	} {
		for _, line := range peer.lines {
			pair(t, peer.name, "our simulator", line, func(t *testing.T) string {
				m, c := newMemory(1), certified(t, line)
				place, served := simulate(t, m, line, c)
				p := peer.open(t, modes[line], place, c)
				p.hear("ready")
				done := exercise(t, m, 300, p.ask, nil)
				if n := served.Journal().Counts(); n.Noise+n.Lost > 0 {
					t.Errorf("%d bytes were no request: %+v", n.Noise, n)
				}
				return done
			})
		}
	}
	for _, line := range []string{onTCP, onPTY} {
		pair(t, "mbpoll", "our simulator", line, func(t *testing.T) string {
			m := newMemory(1)
			place, served := simulate(t, m, line, certificates{})
			done := exercise(t, m, 10, mbpoll{t, line, place}.ask, mbpoll{}.cannot)
			if n := served.Journal().Counts(); n.Noise+n.Lost > 0 {
				t.Errorf("%d bytes were no request: %+v", n.Noise, n)
			}
			return done
		})
	}
}

// mbpoll is a program that carries out one request and ends.
type mbpoll struct {
	t           *testing.T
	line, place string
}

// cannot says what mbpoll does not do: more than 125 of anything, and a block of one.
func (mbpoll) cannot(req protocol.Request) bool {
	return req.Range.Count > 125 || req.Op == protocol.WriteMultiple && req.Range.Count == 1
}

var (
	mbpollValue  = regexp.MustCompile(`(?m)^\[\d+\]:\s+(\d+)`)
	mbpollReason = regexp.MustCompile(`(?m)(?:Read|Write) .* failed: (.*)$`)
)

func (p mbpoll) ask(req protocol.Request) ([]uint16, error) {
	args := []string{"-1", "-0", "-a", fmt.Sprint(req.Unit), "-r", fmt.Sprint(req.Range.Addr), "-o", "5"}
	args = append(args, "-t", map[protocol.Table]string{protocol.Coil: "0", protocol.DiscreteInput: "1",
		protocol.InputRegister: "3", protocol.HoldingRegister: "4"}[req.Range.Table])
	if req.Op == protocol.Read {
		args = append(args, "-c", fmt.Sprint(req.Range.Count))
	}
	if p.line == onTCP {
		args = append(args, "-m", "tcp", "-p", p.place, "127.0.0.1")
	} else {
		args = append(args, "-m", "rtu", "-b", "115200", "-P", "none", p.place)
	}
	for _, w := range req.Words {
		args = append(args, fmt.Sprint(w))
	}
	out, err := exec.CommandContext(p.t.Context(), "mbpoll", args...).CombinedOutput()
	if failed := mbpollReason.FindSubmatch(out); failed != nil {
		return nil, reasonOf(req, string(failed[1]))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	var words []uint16
	if req.Op == protocol.Read {
		for _, found := range mbpollValue.FindAllSubmatch(out, -1) {
			n, err := strconv.ParseUint(string(found[1]), 10, 16)
			if err != nil {
				return nil, err
			}
			words = append(words, uint16(n))
		}
	}
	return words, nil
}

// reasonOf turns libmodbus' words for an exception into ours.
func reasonOf(req protocol.Request, text string) error {
	if strings.Contains(text, "Illegal data address") {
		return protocol.ExceptionError{Function: req.Function(), Code: 2}
	}
	return fmt.Errorf("mbpoll: %s", text)
}
