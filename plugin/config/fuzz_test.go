package config

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"solarhub/devices"
	"solarhub/devices/profile/strict"
	"solarhub/plugin/host"
	"solarhub/protocol/plan"
)

// FuzzConfig reads any bytes: nothing panics, the token is never told, what is wrong lies in the file and is the same
// each time, and what is let through has points in every variant, with reads as short as write_wait asks for.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(full))
	const minimal = "host:\n  url: http://ha:8123\n  token: " + goodToken +
		"\nlines:\n  - tcp: 192.168.1.9\n    devices: [{profile: powdrive}]\n"
	f.Add([]byte(minimal))
	for _, c := range []string{
		"host: {url: x, token: y}\nlines: [{tcp: 1}]\n",
		"lines: [{serial: /dev/x, devices: [{profile: powdrive}, {profile: powdrive}]}]\n",
		minimal + "    write_wait: 10ms\n", minimal + "    connect_delay: -1s\n    echo: maybe\n",
		"host: &a {url: *a}\n", "host: {url: 'http://h:1', token " + goodToken + ": 1}\n", "name: [[[[[[[[\n",
	} {
		f.Add([]byte(c))
	}
	for _, c := range allRefused(f) {
		f.Add([]byte(c.text))
	}
	file := filepath.Join(f.TempDir(), "solarhub.yaml")
	harmless := strings.NewReplacer("://", "", "/dev/ttyUSB0", "", "/dev/x", "")
	f.Fuzz(func(t *testing.T, data []byte) {
		if strings.ContainsAny(harmless.Replace(string(data)), `/\`) {
			return // it may name files outside of the empty folder
		}
		c, err := Parse(file, data)
		_, again := Parse(file, data)
		if (err == nil) != (again == nil) || err != nil && err.Error() != again.Error() {
			t.Fatalf("first %v, then %v", err, again)
		}
		if err != nil {
			if found := (strict.Findings)(nil); !errors.As(err, &found) || strings.Contains(err.Error(), goodToken) {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		if len(c.Lines) == 0 || c.Host.URL == (host.Address{}) {
			t.Fatalf("%+v was let through", c)
		}
		for _, l := range c.Lines {
			if len(l.Devices) == 0 || l.String() == "" {
				t.Fatalf("%+v was let through", l)
			}
		}
		for _, l := range c.Lines {
			for _, d := range l.Devices {
				for _, v := range d.Profile.Cases() {
					if _, err := d.Profile.Resolve(v); err != nil {
						t.Fatal(err)
					}
				}
				if longest := plan.Longest(readsOf(d), devices.TimingOf(d.Line)); l.WriteWait > 0 &&
					longest > l.WriteWait {
					t.Fatalf("a read takes %v, wanted %v", longest, l.WriteWait)
				}
			}
		}
	})
}
