package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"solarhub/plugin/config"
	"solarhub/plugin/host"
	"solarhub/plugin/search"
)

// restartTime is how long a host may take to come back: minutes on a small machine with much in it.
const restartTime = 10 * time.Minute

// homeFolders are where Home Assistant keeps its configuration: in a container, as an app sees it, under a Supervisor
// on Debian, in a virtual environment, and on NixOS (home-assistant.io, developers.home-assistant.io and nixpkgs).
var homeFolders = []string{"/config", "/homeassistant", "/usr/share/hassio/homeassistant", "~/.homeassistant",
	"/var/lib/hass", "/srv/homeassistant"}

// homeFolder returns the folder of a Home Assistant on this machine, or "none".
func homeFolder() string {
	home, _ := os.UserHomeDir()
	for _, folder := range homeFolders {
		folder = strings.Replace(folder, "~", home, 1)
		if _, err := os.Stat(filepath.Join(folder, "configuration.yaml")); err == nil {
			return folder
		}
	}
	return "none"
}

const copyByHand = `Copy it there, for example with the SSH app of Home Assistant:
  mkdir out && solarhub install --ha-config out --force
  scp -r out/custom_components root@homeassistant.local:/config/
`

// integrate has the host load this version of the integration, and sets it up there.
func (s *setup) integrate(ctx context.Context) error {
	rest := host.REST{Address: s.address, Token: s.token, Client: s.client}
	version, err := host.Companion(ctx, s.address, s.client, s.token)
	if err != nil {
		return err
	}
	if version != s.manifest.Version {
		if version != "" {
			fmt.Fprintf(s.Out, "Home Assistant has version %s of the integration, this is %s.\n", version,
				s.manifest.Version)
		}
		if there, err := s.copyFiles(ctx); err != nil || !there {
			return err
		}
		yes, err := s.person.yes(ctx, "Restart Home Assistant, which loads it then", true)
		if err != nil {
			return err
		}
		if !yes {
			fmt.Fprintln(s.Out, "Restart it when it suits, and then: solarhub init")
			return nil
		}
		waiting, cancel := context.WithTimeout(ctx, restartTime)
		defer cancel()
		if err := s.restart(waiting, rest); err != nil {
			return err
		}
	}
	created, err := rest.CreateEntry(ctx)
	if err != nil {
		return err
	}
	if created {
		_, err = fmt.Fprintf(s.Out, "%s is set up in Home Assistant.\n", s.manifest.Name)
	} else {
		_, err = fmt.Fprintf(s.Out, "Done before: version %s is set up in Home Assistant.\n", s.manifest.Version)
	}
	return err
}

// copyFiles puts the integration into Home Assistant's folder, or tells how. It reports whether the files are there.
func (s *setup) copyFiles(ctx context.Context) (bool, error) {
	fmt.Fprintln(s.Out, "The integration goes into the configuration folder of Home Assistant, the one with "+
		"configuration.yaml.\nAnswer none if that is on another machine.")
	for {
		folder, err := s.person.ask(ctx, "Configuration folder", homeFolder())
		if err != nil {
			return false, err
		}
		if folder == "none" {
			break
		}
		if err = s.copyCompanion(folder, false); err == nil {
			return true, nil
		}
		fmt.Fprintln(s.Out, err)
	}
	fmt.Fprint(s.Out, copyByHand)
	there, err := s.person.yes(ctx, "Are the files there", false)
	if err == nil && !there {
		fmt.Fprintln(s.Out, "This step is left for later: solarhub init asks again.")
	}
	return there, err
}

// find searches devices and writes those that the person wants into the configuration.
func (s *setup) find(ctx context.Context) error {
	question, otherwise := "", true
	if s.begun.Lines > 0 {
		fmt.Fprintf(s.Out, "Done before: %s has %s.\n", s.path, counted(s.begun.Lines, "line"))
		question, otherwise = "Search for more devices", false
	}
	for {
		if question != "" {
			if more, err := s.person.yes(ctx, question, otherwise); err != nil || !more {
				return err
			}
		}
		found, err := s.searchSomewhere(ctx)
		if err != nil {
			return err
		}
		question, otherwise = "Search somewhere else", len(found) == 0
		if len(found) == 0 {
			continue
		}
		write, err := s.person.yes(ctx, "Write "+counted(len(found), "device")+" into "+s.path, true)
		if err != nil {
			return err
		}
		if write {
			if err := s.write(found); err != nil {
				return err
			}
		}
	}
}

// write writes devices into the configuration, or leaves it to the person where the file is written in a way that is
// not changed by itself.
func (s *setup) write(found []config.Addition) error {
	path, skipped, err := writeAdditions(s.flag, found)
	if err == nil {
		s.written(path, found, skipped)
		return nil
	}
	block, wrong := config.Block(found)
	if wrong != nil {
		return errors.Join(err, wrong)
	}
	_, err = fmt.Fprintf(s.Out, "Nothing was written: %v\nThis is what belongs there:\n\n%s\n", err, block)
	return err
}

// searchSomewhere asks where, searches there, and shows what is there.
func (s *setup) searchSomewhere(ctx context.Context) ([]config.Addition, error) {
	const everywhere = "everywhere"
	fmt.Fprintln(s.Out, "A device is on a serial port (/dev/ttyUSB0), or at an address (192.168.1.50) or in a network "+
		"(192.168.1.0/24).\nEverywhere is all serial ports of this machine, and Wi-Fi sticks.")
	var o search.Options
	for {
		where, err := s.person.ask(ctx, "Search where", everywhere)
		if err != nil {
			return nil, err
		}
		if o, err = (&scanFlags{}).options(strings.Fields(strings.TrimSuffix(where, everywhere))); err == nil {
			break
		}
		fmt.Fprintln(s.Out, err)
	}
	o.Running = linesOfRunning(ctx, s.flag)
	found, err := s.searched(ctx, o)
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	s.scanned(found, false)
	return found.Additions(), nil
}

// check reads the configuration as run will.
func (s *setup) check(context.Context) error {
	_, cfg, err := s.load(s.flag)
	if err != nil {
		return err
	}
	n := 0
	for _, l := range cfg.Lines {
		n += len(l.Devices)
	}
	_, err = fmt.Fprintf(s.Out, "%s is right: %s with %s, for Home Assistant at %s.\n"+
		"How fast it will be: solarhub check\n", s.path, counted(len(cfg.Lines), "line"), counted(n, "device"),
		cfg.Host.URL)
	return err
}
