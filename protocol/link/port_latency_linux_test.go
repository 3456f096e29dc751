package link

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The latency timer of a USB adapter, in a tree like that of the kernel; the flag of the port does nothing here.
func TestLatencyTimer(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before string // the file; empty: there is none
		mode   os.FileMode
		keep   bool
		want   string // the beginning of what is reported
		after  string
	}{
		{"no adapter", "", 0, false, "", ""},
		{"1 ms already", "1\n", 0o644, false, "", "1\n"},
		{"16 ms", "16\n", 0o644, false, "", "1\n"},
		{"kept", "16\n", 0o644, true, "16 ms, kept as it is", "16\n"},
		{"may not be written", "16\n", 0o444, false, "16 ms, cannot be set to 1: open ", "16\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.mode == 0o444 && os.Geteuid() == 0 {
				t.Skip("root may write everything")
			}
			root := t.TempDir()
			device := filepath.Join(root, "dev/ttyUSB7")
			link := filepath.Join(root, "dev/serial/by-id/usb-FTDI_FT232R")
			file := filepath.Join(root, "sys/bus/usb-serial/devices/ttyUSB7/latency_timer")
			for _, name := range []string{device, link, file} {
				if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(device, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("../../ttyUSB7", link); err != nil {
				t.Fatal(err)
			}
			if tt.before != "" {
				if err := os.WriteFile(file, []byte(tt.before), tt.mode); err != nil {
					t.Fatal(err)
				}
			}
			for _, path := range []string{device, link} {
				port, err := os.Open(device)
				if err != nil {
					t.Fatal(err)
				}
				got := latencyTimer{root: root, path: path, keep: tt.keep}.set(port)
				port.Close()
				if tt.want == "" && got != "" || !strings.HasPrefix(got, tt.want) {
					t.Errorf("%s: %q, want %q", path, got, tt.want)
				}
			}
			if got, _ := os.ReadFile(file); string(got) != tt.after {
				t.Errorf("the file holds %q, want %q", got, tt.after)
			}
		})
	}
}

// A driver that keeps its timer is reported, too.
func TestLatencyTimerStuck(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "sys/bus/usb-serial/devices/ttyUSB0")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	// What is written there changes nothing.
	if err := os.Symlink("/dev/null", filepath.Join(dir, "latency_timer")); err != nil {
		t.Fatal(err)
	}
	got := latencyTimer{root: root, path: "/dev/ttyUSB0"}.set(nil)
	if !strings.HasSuffix(got, "cannot be set to 1: the driver keeps it") {
		t.Error(got)
	}
}
