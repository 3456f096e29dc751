package simulate

import (
	"context"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/protocol/sim"
)

const script = `
units:
  1:
    holding 0: text ABC
    holding 10: [17, -1, 0x20]
    input 5..7: 9
    holding 20: hex 0102 03
later:
  - {after: 10s, set: {holding 10: 18}}
writes:
  - {on: holding 30, takes: 5s}
  - {on: holding 31, returns: 5s}
  - {on: holding 32, ignored: true}
rules:
  - {on: holding 11, nth: 2, exception: 4}
  - {function: read, on: input 5, count: 2..9, reply: "<tid> FF"}
  - {on: holding 0, from: 20s, drop: true}
  - {on: holding 20, close: true}
`

// TestServer asks a scripted server by what goes over the wire.
func TestServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		longer := strings.Replace(script, "1:\n", "1:\n    holding 30..32: 1\n", 1)
		line, err := ParseServer("server.yaml", []byte(longer))
		if err != nil {
			t.Fatal(err)
		}
		here, there := net.Pipe()
		served := make(chan error, 1)
		go func() { served <- line.ServeConn(context.Background(), there, sim.TCP) }()
		ask := func(after time.Duration, pdu, want string) {
			t.Helper()
			time.Sleep(after)
			got := exchange(t, here, pdu)
			if got != strings.ReplaceAll(want, " ", "") {
				t.Errorf("%s: %s, want %s", pdu, got, want)
			}
		}
		ask(0, "03 0000 0002", "0001 0000 0007 01 03 04 41424300")
		ask(0, "03 000a 0003", "0001 0000 0009 01 03 06 0011ffff0020")
		ask(0, "03 000b 0001", "0001 0000 0003 01 83 04")
		ask(0, "04 0005 0001", "0001 0000 0005 01 04 02 0009")
		ask(0, "04 0005 0003", "0001ff")
		ask(0, "06 001e 0007", "0001 0000 0006 01 06 001e 0007")
		ask(0, "06 001f 0007", "0001 0000 0006 01 06 001f 0007")
		ask(0, "06 0020 0007", "0001 0000 0006 01 06 0020 0007")
		ask(time.Second, "03 001e 0003", "0001 0000 0009 01 03 06 000100070001")
		ask(10*time.Second, "03 001e 0003", "0001 0000 0009 01 03 06 000700010001")
		ask(0, "03 000a 0001", "0001 0000 0005 01 03 02 0012")
		ask(10*time.Second, "03 0000 0001", "")
		ask(0, "03 0014 0002", "0001 0000 0007 01 03 04 01020300")
		if _, err := here.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("it stays open: %v", err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// exchange sends a PDU to unit 1 as transaction 1 and returns what comes within a second, in hex.
func exchange(t *testing.T, c net.Conn, pdu string) string {
	t.Helper()
	request, err := hex.DecodeString(strings.ReplaceAll("0001 0000 0006 01"+pdu, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(request); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(time.Second)) // a pipe takes it
	defer c.SetReadDeadline(time.Time{})
	b := make([]byte, 300)
	n, _ := c.Read(b) // nothing is an answer, too
	return hex.EncodeToString(b[:n])
}

func TestServerFindings(t *testing.T) {
	for text, want := range map[string]string{
		"rules: []":                                               "units is missing",
		"units: {300: {}}":                                        "0 to 255",
		"units: {1: {10: x}}":                                     "whole number from 0 to 65535",
		"units: {1: {holdin 10: 1}}":                              "is not one of holding",
		"units: {1: {10: hex 0g}}":                                "not bytes in hex",
		"units: {1: {65535: [1, 2]}}":                             "beyond address 65535",
		"units: {1: {}}\nodd: 1":                                  "unknown key",
		"units: {1: {}}\nlater: [{}]":                             "after is missing",
		"units: {1: {}}\nwrites: [{}]":                            "on is missing",
		"units: {1: {}}\nwrites: [{on: holding 1}]":               "takes, returns or ignored",
		"units: {1: {}}\nrules: [{unit: 2}]":                      "no unit 2",
		"units: {1: {}}\nrules: [{reply: q}]":                     "neither bytes in hex",
		"units: {1: {}}\nrules: [{reply: 00, exception: 1}]":      "not both",
		"units: {1: {}}\nrules: [{count: 5..2}]":                  "a count is",
		"units: {1: {}}\nrules: [{function: look}]":               "whole number",
		"units: {1: {}}\nrules: [{delay: 3, on: holding 1..0}]":   "the last address",
		"units: {1: {}}\nrules: [{every: -1, odd: 2, nth: once}]": "unknown key",
	} {
		if _, err := ParseServer("server.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
