package cli

import (
	"fmt"

	"solarhub/devices/profile/strict"
	"solarhub/plugin/config"
	"solarhub/plugin/doctor"
)

// settingsFound prints the settings that the advice names, as lines to paste, and writes them into the configuration if
// that is wanted.
func (a *app) settingsFound(path string, all []doctor.Fitness, write bool) error {
	var changes []config.Change
	for i, f := range all {
		changes = append(changes, f.Changes(i)...)
	}
	if len(changes) == 0 {
		return nil
	}
	heading := "Settings that help. Paste them into " + path + ", or let --write write them:"
	if write {
		if err := writeChanges(path, changes); err != nil {
			fmt.Fprintf(a.Err, "Nothing was written: %v\n", err)
			write = false
		} else {
			heading = "Written into " + path + ":"
		}
	}
	fmt.Fprintf(a.Out, "\n%s\n", heading)
	for i, f := range all {
		a.changesOf(changes, i, -1, f.Line.String())
		for j, d := range f.Line.Devices {
			a.changesOf(changes, i, j, d.Name)
		}
	}
	return nil
}

// changesOf prints the changes of one line or device under its name.
func (a *app) changesOf(changes []config.Change, line, device int, name string) {
	named := false
	for _, c := range changes {
		if c.Line != line || c.Device != device {
			continue
		}
		if !named {
			fmt.Fprintf(a.Out, "  %s\n", name)
			named = true
		}
		fmt.Fprintf(a.Out, "    %s: %s\n", c.Key, c.Value)
	}
}

// writeChanges writes changes into a configuration file, all of them or none.
func writeChanges(path string, changes []config.Change) error {
	data, err := strict.ReadFile(path)
	if err != nil {
		return err
	}
	edited, err := config.Edit(path, data, changes)
	if err != nil {
		return err
	}
	return config.Save(path, edited)
}
