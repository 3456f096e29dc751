// Package config reads the configuration: one YAML file in, a Config with every default filled in out, or all findings
// at once with their lines and columns. CONFIG.md documents each key.
package config

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/devices/profile/strict"
	"solarhub/plugin/host"
	"solarhub/protocol"
	"solarhub/protocol/link"
)

// Config is a whole configuration, checked, with its defaults filled in.
type Config struct {
	Host  Host
	Name  string // of the installation, 1..64 characters. Defaults to the machine's host name
	Lines []Line // at least one

	// Data is the cache folder. Defaults to $STATE_DIRECTORY,
	// else $XDG_DATA_HOME/solarhub, else ~/.local/share/solarhub.
	Data string
}

// Host is the home automation server.
type Host struct {
	URL      host.Address
	Token    host.Secret // a long-lived access token of an administrator
	Insecure bool        // accept any certificate. Defaults to false
}

// Line is one line with its devices.
type Line struct {
	Transport Transport
	Address   string           // path of the port, or host:port
	Serial    protocol.Serial  // of a line that has one. Defaults to what the devices are delivered with, else 9600 8N1
	Quirks    protocol.Quirks  // of the connection. Defaults to what the families of the devices need
	TLS       link.TLS         // of a line inside TLS
	Logger    uint32           // serial number of a Solarman stick. 0: it is found
	WriteWait time.Duration    // no planned read takes longer: MaxRegisters of the devices is set so. 0: no bound
	Devices   []devices.Config // at least one; Known is not filled in
	Dongle    string           // serial number of a luxpower line's dongle. Defaults to what comes in
	Inverter  string           // and of its inverter
	Dial      link.DialFunc    // connects a line that has no serial port. Defaults to the network
}

// String names the line as errors and logs do: "tcp 192.168.1.50:502".
func (l Line) String() string { return l.Transport.String() + " " + l.Address }

// Endpoint is where the line leads: host:port, or the port's own path. Two lines with one endpoint are one line.
func (l Line) Endpoint() string {
	if l.Transport.OnPort() {
		return resolvedPath(l.Address)
	}
	return l.Address
}

// Endpoints returns those of all lines.
func (c Config) Endpoints() []string {
	var all []string
	for _, l := range c.Lines {
		all = append(all, l.Endpoint())
	}
	return all
}

// RetryMax is the longest pause between two tries to open the line: the longest that one of its devices allows.
func (l Line) RetryMax() time.Duration {
	var longest time.Duration
	for _, d := range l.Devices {
		longest = max(longest, cmp.Or(d.Line.Quiet, profile.DefaultQuiet))
	}
	return longest
}

// The default intervals of a device's poll.
const (
	defaultNow    = 2 * time.Second
	defaultNormal = 15 * time.Second
	defaultSlow   = 5 * time.Minute
)

// The bounds of what a configuration may say. Package profile has those of a line's settings.
const (
	maxName      = 64 // PROTOCOL.md section 1
	minID        = 4  // a shorter one cannot be made unreadable in diagnostics
	minInterval  = 100 * time.Millisecond
	maxInterval  = 24 * time.Hour
	minWriteWait = time.Millisecond
	maxWriteWait = 30 * time.Second
	maxGrace     = 10 * time.Minute
)

// defaults returns the defaults of the settings at the top.
func defaults() Config {
	return Config{Name: hostName(), Data: dataFolder()}
}

// DefaultDevice returns a device as its profile describes it.
func DefaultDevice(p *profile.Profile) devices.Config {
	return devices.Config{Profile: p, Unit: max(p.Line.Unit, 1), Name: p.Name, Line: p.Line,
		Intervals: defaultIntervals()}
}

func defaultIntervals() map[profile.Interval]time.Duration {
	return map[profile.Interval]time.Duration{profile.Now: defaultNow, profile.Normal: defaultNormal,
		profile.Slow: defaultSlow}
}

// hostName returns the host name without its domain, or "solarhub" where there is none.
func hostName() string {
	name, err := os.Hostname()
	name, _, _ = strings.Cut(name, ".")
	if err != nil || name == "" {
		return "solarhub"
	}
	return name[:min(len(name), maxName)]
}

func dataFolder() string {
	if dir, _, _ := strings.Cut(os.Getenv("STATE_DIRECTORY"), ":"); dir != "" {
		return dir // systemd gives the service a folder
	}
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "solarhub")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "solarhub-data"
	}
	return filepath.Join(home, ".local", "share", "solarhub")
}

// Load reads a configuration file; see Parse.
func Load(path string) (Config, error) {
	data, err := strict.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	return Parse(path, data)
}
