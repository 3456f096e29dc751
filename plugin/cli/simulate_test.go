package cli_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"solarhub/plugin/cli"
)

// ask sends one Modbus TCP request to a unit and returns the reply's PDU.
func ask(t *testing.T, address string, unit byte, pdu ...byte) []byte {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Write(append([]byte{0, 7, 0, 0, 0, byte(len(pdu) + 1), unit}, pdu...)); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 7)
	in := bufio.NewReader(conn)
	if _, err := io.ReadFull(in, head); err != nil {
		t.Fatal(err)
	}
	reply := make([]byte, int(head[5])-1)
	if _, err := io.ReadFull(in, reply); err != nil {
		t.Fatal(err)
	}
	return reply
}

var listening = regexp.MustCompile(`(?:Modbus TCP|Solarman stick \d+) at (127\.0\.0\.1:\d+)`)

// addresses waits for the table and returns where the devices answer, in its order.
func addresses(t *testing.T, out *text) []string {
	t.Helper()
	until(t, out, "Ctrl-C")
	var found []string
	for _, m := range listening.FindAllStringSubmatch(out.String(), -1) {
		found = append(found, m[1])
	}
	return found
}

func TestSimulateTellsOfEachWrite(t *testing.T) {
	journal := filepath.Join(t.TempDir(), "journal")
	out, errs, stop := start(t, "simulate", "--journal", journal, "powdrive", "--tcp", "127.0.0.1:0", "--serial-number",
		"ABCDEFGHIJ", "--turnaround", "0")
	at := addresses(t, out)[0]
	before := time.Now()
	set := []byte{16, 0, 108, 0, 1, 2, 0, 77} // holding 108, the charge current limit
	if reply := ask(t, at, 1, set...); !slices.Equal(reply, []byte{16, 0, 108, 0, 1}) {
		t.Fatalf("the reply to a write is % x", reply)
	}
	if reply := ask(t, at, 1, 3, 0, 108, 0, 1); !slices.Equal(reply, []byte{3, 2, 0, 77}) {
		t.Fatalf("the register holds % x", reply)
	}
	ask(t, at, 1, 16, 0xFF, 0xFF, 0, 1, 2, 0, 1) // there is no such register
	until(t, out, "exception 2 (illegal data address)")
	if code := stop(); code != cli.ExitOK || errs.String() != "" {
		t.Fatalf("ended with %d: %s", code, errs)
	}
	for _, part := range []string{"ABCDEFGHIJ", "Battery: Charge current limit", "-> 77 A   (holding 108+1: [77])"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("no %q in:\n%s", part, out)
		}
	}
	data, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	var first struct {
		Received       time.Time
		Device, Serial string
		Unit, Function int
		Table          string
		Address        int
		Words          []int
		Values         map[string]float64
		CarriedOut     bool   `json:"carried_out"`
		SerialNumber   string `json:"serial_number"`
	}
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil || len(lines) != 2 {
		t.Fatalf("%d lines, the first is %s: %v", len(lines), lines[0], err)
	}
	if first.Device != "deye" || first.SerialNumber != "ABCDEFGHIJ" || first.Unit != 1 || first.Function != 16 ||
		first.Table != "holding" ||
		first.Address != 108 || !slices.Equal(first.Words, []int{77}) || !first.CarriedOut ||
		first.Values["battery_charge_current_max"] != 77 {
		t.Errorf("the journal says %s", lines[0])
	}
	if first.Received.Before(before) || first.Received.After(time.Now()) {
		t.Errorf("received at %s", first.Received)
	}
	if !strings.Contains(lines[1], `"exception":2`) {
		t.Errorf("the journal says %s", lines[1])
	}
}

func TestSimulateJournalOnStandardOutputLeavesItToPrograms(t *testing.T) {
	out, errs, stop := start(t, "simulate", "senergy", "--tcp", "127.0.0.1:0", "--turnaround", "0", "--journal", "-")
	// holding 8553, charging power of window 1: 100 W is its step, not the unit's affair
	ask(t, addresses(t, errs)[0], 1, 6, 0x21, 0x69, 0, 50)
	until(t, out, "\n")
	stop()
	if !json.Valid([]byte(out.String())) {
		t.Errorf("not JSON alone: %s", out)
	}
}

func TestSimulateOneDeviceInTwoPlaces(t *testing.T) {
	out, _, _ := start(t, "simulate", "powdrive", "--pty", filepath.Join(t.TempDir(), "port"), "--tcp", "127.0.0.1:0",
		"--unit", "9", "--turnaround", "0")
	at := addresses(t, out)[0]
	if !strings.Contains(out.String(), "RTU on ") || !strings.Contains(out.String(), "9600 8N1") {
		t.Errorf("the table does not tell of the port:\n%s", out)
	}
	if reply := ask(t, at, 9, 3, 0, 1, 0, 1); reply[0] != 3 {
		t.Errorf("unit 9 answers % x", reply)
	}
	if reply := ask(t, at, 1, 3, 0, 1, 0, 1); reply[0] != 0x83 {
		t.Errorf("unit 1 answers % x, though it is unit 9", reply)
	}
}

func TestSimulateSetsFirstValues(t *testing.T) {
	out, _, _ := start(t, "simulate", "powdrive", "--trait", "lv", "--tcp", "127.0.0.1:0", "--turnaround", "0",
		"--set", "battery_power=-1480", "--set", "window_1_start=22:30", "--set", "schedule_monday=on")
	at := addresses(t, out)[0]
	for _, want := range []struct {
		addr  uint16
		words []byte
		mask  byte // of the low byte
	}{
		{590, []byte{0xFA, 0x38}, 0xFF}, // -1480
		{148, []byte{0x08, 0xB6}, 0xFF}, // 2230
		{146, []byte{0x00, 0x02}, 0x02},
	} {
		reply := ask(t, at, 1, 3, byte(want.addr>>8), byte(want.addr), 0, 1)
		if reply[3]&want.mask != want.words[1] || want.mask == 0xFF && reply[2] != want.words[0] {
			t.Errorf("register %d holds % x, want % x", want.addr, reply[2:], want.words)
		}
	}
}

func TestSimulateFaults(t *testing.T) {
	out, _, _ := start(t, "simulate", "--seed", "5", "--scenario", file(t, "two.yaml", `
lines:
  - tcp: 127.0.0.1:0
    devices:
      - {profile: powdrive, turnaround: 0s, fault: exception=100%:6}
      - {profile: senergy, unit: 2, turnaround: 0s}
`))
	at := addresses(t, out)[0]
	if reply := ask(t, at, 1, 3, 0, 0, 0, 1); !slices.Equal(reply, []byte{0x83, 6}) {
		t.Errorf("the reply is % x, not exception 6", reply)
	}
	if reply := ask(t, at, 2, 3, 0x1A, 0x10, 0, 1); reply[0] != 3 {
		t.Errorf("the reply of the other device is % x: the fault is not its", reply)
	}
	if !strings.Contains(out.String(), "--seed 5") || !strings.Contains(out.String(), "exception=100%:6") {
		t.Errorf("the table does not tell of faults:\n%s", out)
	}
}

// What a device takes badly: reads that are too long, registers that it has not, requests that come too soon.
func TestSimulateManners(t *testing.T) {
	refusing, _, _ := start(t, "simulate", "powdrive", "--tcp", "127.0.0.1:0", "--turnaround", "0", "--max-registers",
		"40")
	silent, _, _ := start(t, "simulate", "senergy", "--tcp", "127.0.0.1:0", "--turnaround", "0", "--silent", "--busy",
		"loses", "--min-gap", "1h")
	strict, shy := addresses(t, refusing)[0], addresses(t, silent)[0]
	if reply := ask(t, strict, 1, 3, 0, 0, 0, 41); !slices.Equal(reply, []byte{0x83, 3}) {
		t.Errorf("a read of 41 registers: % x", reply)
	}
	if reply := ask(t, strict, 1, 3, 0, 0, 0, 23); reply[0] != 3 {
		t.Errorf("a read of 23 registers: % x", reply)
	}
	c, err := net.Dial("tcp", shy)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	// Two requests: no such register, then one that is there. The first reply is that to the second.
	if _, err := c.Write([]byte{0, 1, 0, 0, 0, 6, 1, 3, 0xFF, 0xF0, 0, 1, 0, 2, 0, 0, 0, 6, 1, 3, 0x1A, 0, 0,
		1}); err != nil {
		t.Fatal(err)
	}
	reply := make([]byte, 11)
	if _, err := io.ReadFull(c, reply); err != nil || reply[1] != 2 || reply[7] != 3 {
		t.Errorf("the first reply: % x, %v", reply, err)
	}
	if _, err := c.Write([]byte{0, 3, 0, 0, 0, 6, 1, 3, 0x1A, 0, 0, 1}); err != nil {
		t.Fatal(err)
	}
	ask(t, shy, 1, 3, 0x1A, 0, 0, 1) // on a connection of its own, so it is the first there
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if n, err := c.Read(reply); err == nil {
		t.Errorf("%d bytes for a request that came sooner than the gap", n)
	}
}

func TestSimulatePlaceTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := filepath.Join(t.TempDir(), "port")
	code, out, errs := do(t, "simulate", "powdrive", "--pty", port, "--tcp", taken.Addr().String())
	if code != cli.ExitFailed || !strings.Contains(errs, "open Modbus TCP at "+taken.Addr().String()) || out != "" {
		t.Errorf("ended with %d: %s%s", code, out, errs)
	}
	if _, err := os.Lstat(port); err == nil {
		t.Error("the pty that was opened before is still there")
	}
}
