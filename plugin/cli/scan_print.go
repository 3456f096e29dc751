package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"solarhub/plugin/config"
	"solarhub/plugin/search"
)

// scanned prints a table of what was found, why it is that, and what else is to be said.
func (a *app) scanned(found search.Report, early bool) {
	if early {
		fmt.Fprintln(a.Out, "You ended it early: there may be more.")
	}
	if len(found.Findings) == 0 {
		fmt.Fprintf(a.Out, "No device was found: %s.\n", searchedText(found.Searched))
	} else {
		t := newTable(a.Out, "line", "setting", "unit", "device", "serial number", "score")
		t.SetColumnConfigs(rightAligned("unit", "score"))
		for _, f := range found.Findings {
			t.AppendRow(findingRow(f))
		}
		t.Render()
	}
	for _, f := range found.Findings {
		a.reasons(f)
	}
	for _, n := range found.Notes {
		fmt.Fprintln(a.Out, "\n"+wrapped(n.Place+": "+n.Text))
	}
	if len(found.Findings) == 0 && len(found.Notes) == 0 && !early {
		fmt.Fprintln(a.Out, wrapped("Look whether the device is on, whether A and B of the line are the right way "+
			"round, whether Modbus is switched on in its menu, and which unit id it shows there: --units 1-247 asks "+
			"them all."))
	}
}

// wrapped breaks a sentence into lines.
func wrapped(sentence string) string { return indented(text.WrapSoft(sentence, printWidth), "") }

// searchedText says how much was searched.
func searchedText(n int) string {
	switch n {
	case 0:
		return "nothing could be asked"
	case 1:
		return "1 place was asked"
	}
	return fmt.Sprintf("%d places were asked", n)
}

func findingRow(f search.Finding) table.Row {
	setting := "-"
	if f.Line.Transport.OnPort() {
		setting = f.Line.Serial.String()
	}
	if len(f.Unit.Fits) == 0 {
		return table.Row{f.Line.String(), setting, f.Unit.ID, "unknown", "-", "-"}
	}
	best := f.Unit.Fits[0]
	serial := best.Identity.Serial
	if serial == "" {
		serial = "-"
	}
	return table.Row{f.Line.String(), setting, f.Unit.ID, best.Profile.Name, serial, best.Score}
}

// reasons prints why a device is what it is said to be.
func (a *app) reasons(f search.Finding) {
	fmt.Fprintf(a.Out, "\n%v, unit %d:\n", f.Line, f.Unit.ID)
	if f.Unit.Why != "" {
		fmt.Fprintln(a.Out, "  "+f.Unit.Why)
	}
	for i, fit := range f.Unit.Fits {
		head := "it is"
		if i > 0 {
			head = "less likely"
			if fit.Score == f.Unit.Fits[0].Score {
				head = "or as likely"
			}
		}
		what := fmt.Sprintf("%s: %s (profile %s)", head, fit.Profile.Name, fit.Profile.ID)
		if fit.Identity.Model != "" {
			what += ", " + fit.Identity.Model
		}
		fmt.Fprintln(a.Out, "  "+what)
		for _, reason := range fit.Reasons {
			fmt.Fprintln(a.Out, "    "+reason)
		}
		if fit.Identity.Traits != "" {
			fmt.Fprintln(a.Out, wrap("    traits:", "     ", strings.Split(fit.Identity.Traits, ", ")))
		}
	}
}

// scanJSON prints what was found for programs.
func (a *app) scanJSON(found search.Report) error {
	type fit struct {
		Profile string   `json:"profile"`
		Name    string   `json:"name"`
		Serial  string   `json:"serial_number,omitempty"`
		Model   string   `json:"model,omitempty"`
		Traits  string   `json:"traits,omitempty"`
		Score   int      `json:"score"`
		Reasons []string `json:"reasons"`
	}
	type device struct {
		Transport string `json:"transport"`
		Address   string `json:"address"`
		Baud      int    `json:"baud,omitempty"`
		Parity    string `json:"parity,omitempty"`
		Unit      int    `json:"unit"`
		Why       string `json:"why,omitempty"`
		Fits      []fit  `json:"fits"`
	}
	type note struct {
		Place string `json:"place"`
		Text  string `json:"text"`
	}
	out := struct {
		Devices []device `json:"devices"`
		Notes   []note   `json:"notes"`
	}{[]device{}, []note{}}
	for _, f := range found.Findings {
		d := device{Transport: f.Line.Transport.String(), Address: f.Line.Address, Unit: int(f.Unit.ID),
			Why: f.Unit.Why, Fits: []fit{}}
		if f.Line.Transport.OnPort() {
			d.Baud, d.Parity = f.Line.Serial.Baud, config.ParityName(f.Line.Serial.Parity)
		}
		for _, one := range f.Unit.Fits {
			d.Fits = append(d.Fits, fit{one.Profile.ID, one.Profile.Name, one.Identity.Serial, one.Identity.Model,
				one.Identity.Traits, one.Score, one.Reasons})
		}
		out.Devices = append(out.Devices, d)
	}
	for _, n := range found.Notes {
		out.Notes = append(out.Notes, note(n))
	}
	e := json.NewEncoder(a.Out)
	e.SetIndent("", "  ")
	return e.Encode(out)
}
