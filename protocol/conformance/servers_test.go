package conformance

import (
	"testing"
	"time"

	"solarhub/protocol"
	"solarhub/protocol/link"
)

// client opens a link of ours to a server, which may take its time to start.
func client(t *testing.T, line, place string, c certificates, timeout time.Duration, quirks protocol.Quirks) exchange {
	t.Helper()
	l := open(line, place, c, link.TCPConfig{Timeout: timeout, Quirks: quirks})
	t.Cleanup(func() { l.Close() })
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		_, err := l.Open(t.Context())
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	return func(req protocol.Request) ([]uint16, error) {
		resp, err := l.Exchange(t.Context(), req)
		return resp.Words, err
	}
}

// usual is a client for servers that do nothing odd: each request has its reply.
func usual(t *testing.T, line, place string, c certificates) exchange {
	t.Helper()
	return client(t, line, place, c, 10*time.Second, protocol.Quirks{})
}

// places returns where a server is to listen and where a client finds it.
func places(t *testing.T, line string) (server, client string) {
	if line == onPTY || line == onASCII {
		return nullModem(t)
	}
	port := freePort(t)
	return port, port
}

func TestOurClient(t *testing.T) {
	for _, line := range everyLine {
		pair(t, "our client", "pymodbus server", line, func(t *testing.T) string {
			m, c := newMemory(1), certified(t, line)
			there, here := places(t, line)
			args := append([]string{"testdata/pymodbus_server.py", modes[line], there}, c.given()...)
			python(t, args...).say(m.described()).hear("ready")
			return exercise(t, m, 300, usual(t, line, here, c), nil)
		})
	}
	for _, line := range []string{onTCP, onPTY} {
		pair(t, "our client", "modbus-serial server", line, func(t *testing.T) string {
			m := newMemory(1)
			there, here := places(t, line)
			node(t, "testdata/modbus_serial.js", "server", modes[line], there, "1").say(m.described()).hear("ready")
			// It acknowledges a block of which it could keep a part only.
			beyond := func(req protocol.Request) bool {
				return req.Op == protocol.WriteMultiple && int(req.Range.End()) > len(m.tables[req.Range.Table])
			}
			return exercise(t, m, 100, usual(t, line, here, certificates{}), beyond)
		})
	}
}
