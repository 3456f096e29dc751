package link

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"solarhub/protocol"
)

// An adapter that was given by its number is found under another one, and another adapter is never opened in its place.
func TestPlace(t *testing.T) {
	const byID = "dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A1B2C3-if00-port0"
	other := ftdi
	other.serial, other.socket = "Z9", "1-4"
	cp2102 := adapter{usbID: usbID{"10c4", "ea60"}, serial: "0001", socket: "1-2"} // as thousands have it
	elsewhere, twin := ftdi.in("1-4"), ftdi.in("1-5")
	for _, tt := range []struct {
		name  string
		first adapter
		then  func(f fakeMachine) // what is plugged in after the first was pulled out
		path  string              // where it is found
		lasts string              // that always leads there
		err   string
	}{
		{"same number", ch340, func(f fakeMachine) { f.plug("ttyUSB0", "/dev/full", ch340) }, "/dev/ttyUSB0", "", ""},
		{"next number", ch340, func(f fakeMachine) { f.plug("ttyUSB1", "/dev/full", ch340) }, "/dev/ttyUSB1", "", ""},
		{"next number, and a lasting name", ftdi, func(f fakeMachine) {
			f.plug("ttyUSB1", "/dev/full", ftdi)
			f.symlink("../../ttyUSB1", byID)
		}, "/dev/ttyUSB1", "/" + byID, ""},
		{"another took the number", ftdi, func(f fakeMachine) {
			f.plug("ttyUSB0", "/dev/zero", ch340)
			f.plug("ttyUSB1", "/dev/full", ftdi)
		}, "/dev/ttyUSB1", "", ""},
		{"another took the number, and it is away", ftdi, func(f fakeMachine) { f.plug("ttyUSB0", "/dev/zero", ch340) },
			"", "", "/dev/ttyUSB0 is 1a86:7523 CH340 in USB socket 1-1.2 now, and the adapter of this line was " +
				"0403:6001 FT232R with serial number A1B2C3: plug it in again"},
		{"one alike took the number", ftdi, func(f fakeMachine) { f.plug("ttyUSB0", "/dev/zero", other) },
			"", "", "/dev/ttyUSB0 is 0403:6001 FT232R with serial number Z9 now, and"},
		{"another socket, serial number", ftdi, func(f fakeMachine) { f.plug("ttyUSB3", "/dev/full", elsewhere) },
			"/dev/ttyUSB3", "", ""},
		{"another socket, and a serial number that another has, too", ftdi, func(f fakeMachine) {
			f.plug("ttyUSB3", "/dev/full", elsewhere)
			f.plug("ttyUSB4", "/dev/zero", twin)
		}, "", "", "there is no /dev/ttyUSB0; the ports of this machine are /dev/ttyUSB3 (0403:6001 FT232R), "},
		{"another socket, without a serial number", ch340, func(f fakeMachine) {
			f.plug("ttyUSB0", "/dev/zero", ch340.in("1-4"))
		}, "", "", "in USB socket 1-1.2: plug it into that socket again, because it has no serial number"},
		{"another socket, with the serial number of all", cp2102, func(f fakeMachine) {
			f.plug("ttyUSB1", "/dev/full", cp2102.in("1-4"))
		}, "", "", "there is no /dev/ttyUSB0; the only port of this machine is /dev/ttyUSB1 (10c4:ea60 CP210x)"},
		{"pulled out", ch340, func(fakeMachine) {}, "", "",
			"there is no /dev/ttyUSB0; this machine has no serial port now: is the adapter plugged in?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeMachine(t)
			f.plug("ttyUSB0", "/dev/random", tt.first)
			p := &place{machine: f.machine, path: f.path("dev/ttyUSB0")}
			path, err := p.find()
			if path != p.path || err != nil {
				t.Fatalf("at first: %s, %v", path, err)
			}
			p.opened(path)
			f.pull("ttyUSB0", tt.first.socket)
			tt.then(f)
			plain := func(s string) string { return strings.ReplaceAll(s, f.root, "") }
			path, err = p.find()
			if err == nil {
				p.opened(path)
			}
			if plain(path) != tt.path || plain(p.lasting) != tt.lasts {
				t.Errorf("found %s, always %s", plain(path), plain(p.lasting))
			}
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(plain(err.Error()), tt.err) {
				t.Errorf("%v, want %q", err, tt.err)
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v is not about something that is missing", err)
			}
		})
	}
}

// What is no number of an adapter is not looked for elsewhere: a link leads to where it leads.
func TestPlaceOfLink(t *testing.T) {
	f := newFakeMachine(t)
	f.plug("ttyUSB0", "/dev/random", ftdi)
	f.node("ttyAMA0", "/dev/null", "platform/fe201000.serial")
	f.symlink("ttyUSB0", "dev/inverter")
	f.symlink("../../ttyUSB0", "dev/serial/by-id/usb-FTDI")
	for _, name := range []string{"dev/inverter", "dev/serial/by-id/usb-FTDI", "dev/ttyAMA0"} {
		p := &place{machine: f.machine, path: f.path(name)}
		p.opened(p.path)
		if p.known != (adapter{}) {
			t.Errorf("%s: remembered as %v", name, p.known)
		}
	}
}

// An adapter is pulled out in the middle of a line's life and comes back as another port: the line goes on there. Once
// by a link that changes its target, once by its number.
func TestSerialPortReplugged(t *testing.T) {
	for _, name := range []string{"dev/serial/by-id/usb-FTDI", "dev/ttyUSB0"} {
		t.Run(name, func(t *testing.T) {
			fast := protocol.Serial{Baud: 115200, DataBits: 8, StopBits: 1}
			f := newFakeMachine(t)
			first, second := newPaced(t, fast, 0), newPaced(t, fast, 0)
			f.plug("ttyUSB0", first.path, ftdi)
			f.symlink("../../ttyUSB0", "dev/serial/by-id/usb-FTDI")
			l := newRTULink(RTUConfig{Path: f.path(name), Serial: fast, Timeout: time.Minute}, "x")
			l.isPort = true
			l.dial = l.openAt(&place{machine: f.machine, path: f.path(name)})
			defer l.Close()
			exchange := func() error {
				if _, err := l.Open(t.Context()); err != nil {
					return err
				}
				req := readOf(0, 4)
				resp, err := l.Exchange(t.Context(), req)
				if err == nil {
					right(t, req, resp)
				}
				return err
			}
			if err := exchange(); err != nil {
				t.Fatal(err)
			}

			f.pull("ttyUSB0", ftdi.socket)
			f.plug("ttyUSB1", second.path, ftdi)
			if err := os.Remove(f.path("dev/serial/by-id/usb-FTDI")); err != nil {
				t.Fatal(err)
			}
			f.symlink("../../ttyUSB1", "dev/serial/by-id/usb-FTDI")
			first.master.Close()
			err := exchange()
			if errors.Is(err, protocol.ErrHungUp) { // noticed in the middle of it
				err = exchange()
			}
			if err != nil {
				t.Fatalf("behind the change: %v", err)
			}
			moved, lasting := "", "" // a link needs no other name
			if strings.HasSuffix(name, "USB0") {
				moved, lasting = f.path("dev/ttyUSB1"), f.path("dev/serial/by-id/usb-FTDI")
			}
			if c := l.Condition(); c.Moved != moved || c.Lasting != lasting {
				t.Errorf("it says %q, %q", c.Moved, c.Lasting)
			}
			if l.connection != 2 {
				t.Errorf("connection %d", l.connection)
			}
		})
	}
}

// While the old port is still open, its number is taken: the line has to let go of it at once.
func TestSerialPortLetsGo(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pty: %v", err)
	}
	defer master.Close()
	path := slave.Name()
	l := NewRTU(RTUConfig{Path: path, Timeout: time.Minute})
	if _, err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	if mine := (machine{"/"}).opened()[must(deviceOf(path))]; len(mine) != 1 {
		t.Fatalf("while open: %v", mine)
	}
	d := must(deviceOf(path))
	master.Close()
	if _, err := l.Open(t.Context()); err == nil {
		t.Error("opened what is gone")
	}
	if mine := (machine{"/"}).opened()[d]; len(mine) != 0 {
		t.Errorf("it is still held by %v", mine)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
