package main

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"

	"solarhub/devices/profile"
	"solarhub/devices/profile/facts"
)

// sunspecHead is how maps/sunspec.yaml begins.
//
//go:embed sunspec.head.yaml
var sunspecHead string

// sunspecNames says which points of the standard are quantities, on which condition, and what may be written.
//
//go:embed sunspec.csv
var sunspecNames string

// family is a group of models that hold the same points, in integers and in floats.
type family struct {
	name   string // how the keys of its points begin
	part   string // for people; empty: the device itself
	models []int
	before []int // models that hold the same; if one is there, this family is not used
}

var sunspecFamilies = []family{
	{"common", "", []int{1}, nil},
	{"inverter", "", []int{101, 102, 103}, nil},
	{"inverter", "", []int{111, 112, 113}, []int{101, 102, 103}},
	{"ac", "AC measurement", []int{701}, []int{101, 102, 103, 111, 112, 113}},
	{"nameplate", "Nameplate", []int{120}, nil},
	{"settings", "Basic settings", []int{121}, nil},
	{"extended", "Extended status", []int{122}, nil},
	{"controls", "Controls", []int{123}, nil},
	{"storage", "Storage", []int{124}, nil},
	{"mppt", "Solar inputs", []int{160}, nil},
	{"meter", "Meter", []int{201, 202, 203, 204}, nil},
	{"meter", "Meter", []int{211, 212, 213, 214}, []int{201, 202, 203, 204}},
	{"capacity", "Capacity", []int{702}, nil},
	{"service", "Enter service", []int{703}, nil},
	{"ac_controls", "AC controls", []int{704}, nil},
	{"volt_var", "Reactive power by voltage", []int{705}, nil},
	{"volt_watt", "Active power by voltage", []int{706}, nil},
	{"trip_low_voltage", "Trip at low voltage", []int{707}, nil},
	{"trip_high_voltage", "Trip at high voltage", []int{708}, nil},
	{"trip_low_frequency", "Trip at low frequency", []int{709}, nil},
	{"trip_high_frequency", "Trip at high frequency", []int{710}, nil},
	{"frequency_droop", "Frequency droop", []int{711}, nil},
	{"watt_var", "Reactive power by power", []int{712}, nil},
	{"battery_state", "Battery state", []int{713}, nil},
	{"dc_ports", "DC ports", []int{714}, nil},
	{"battery_bank", "Battery bank", []int{802}, nil},
	{"lithium", "Lithium battery", []int{803}, nil},
}

var (
	inverterModels = []int{101, 102, 103, 111, 112, 113, 701}
	storageModels  = []int{124, 713, 802}
)

// conditions are the words of the column when.
var conditions = map[string]string{
	"":              "",
	"inverter":      anyModel(inverterModels),
	"alone":         noModel(inverterModels),
	"storage":       anyModel(storageModels),
	"no_storage":    noModel(storageModels),
	"ac_no_storage": noModel(inverterModels[:6]) + " and " + noModel(storageModels),
	"no_controls":   noModel([]int{123}),
	"no_nameplate":  noModel([]int{120}),
	"no_124":        noModel([]int{124}),
	"no_802":        noModel([]int{802}),
	"no_124_713":    noModel([]int{124, 713}),
}

// when adds to a condition that the models of the family are those to read, where several families hold the same.
func (f family) when(condition string, shared bool) string {
	parts := []string{condition}
	if shared || slices.ContainsFunc(sunspecFamilies, func(o family) bool {
		return slices.Contains(o.before, f.models[0])
	}) {
		parts = append(parts, anyModel(f.models))
	}
	if f.before != nil {
		parts = append(parts, noModel(f.before))
	}
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " and ")
}

func anyModel(models []int) string { return "model " + joinNumbers(models, "|") }
func noModel(models []int) string  { return "not model " + joinNumbers(models, "|") }

func joinNumbers(ns []int, by string) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(ns), "[]"), " ", by)
}

// sunspecName is one line of sunspec.csv.
type sunspecName struct{ group, key, is, when, scale, write string }

func readSunSpecNames() ([]sunspecName, error) {
	lines, err := csv.NewReader(strings.NewReader(sunspecNames)).ReadAll()
	if err != nil {
		return nil, err
	}
	var names []sunspecName
	for _, l := range lines[1:] {
		if _, ok := conditions[l[3]]; !ok {
			return nil, fmt.Errorf("sunspec.csv: when %q is unknown", l[3])
		}
		if _, _, ok := profile.QuantityOf(l[2]); l[2] != "" && !ok {
			return nil, fmt.Errorf("sunspec.csv: %q is no quantity", l[2])
		}
		names = append(names, sunspecName{l[0], l[1], l[2], l[3], l[4], l[5]})
	}
	return names, nil
}

// sunspec writes maps/sunspec.yaml.
func sunspec(out io.Writer, args []string) error {
	if len(args) != 0 {
		return usage()
	}
	tables, err := facts.Tables("sunspec") // the standard itself; the profile has maps of devices too
	if err != nil {
		return err
	}
	names, err := readSunSpecNames()
	if err != nil {
		return err
	}
	io.WriteString(out, sunspecHead)
	io.WriteString(out, "\nparts:\n")
	var seen []string
	for _, f := range sunspecFamilies {
		if f.part != "" && !slices.Contains(seen, f.name) {
			seen = append(seen, f.name)
			fmt.Fprintf(out, "  %s: %s\n", f.name, f.part)
		}
	}
	rows := tables[0].Rows
	io.WriteString(out, traitsOf(rows))
	io.WriteString(out, "\npoints:\n")
	for _, f := range sunspecFamilies {
		w := writer{family: f, rows: rows, names: names}
		io.WriteString(out, w.text())
	}
	return nil
}

// traitsOf writes a trait for each model whose first curve has as many points as a register says.
func traitsOf(rows []facts.Row) string {
	text := "\n# How many points a curve has.\ntraits:\n"
	for _, r := range rows {
		if r.Key == "number_of_points" {
			text += fmt.Sprintf("  points_%d: {at: {model: %[1]d, offset: %d}, number: 0..20, otherwise: 0, "+
				"when: model %[1]d}\n", r.Model, r.Addrs[0])
		}
	}
	return text
}

// mostPoints is how many points of a curve are read. The standard's examples have 2 to 5.
const mostPoints = 5
