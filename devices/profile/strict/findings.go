// Package strict reads YAML without forgiving anything: it knows the line and column of every word, and it collects all
// that is wrong instead of stopping at the first. Profiles and the configuration are read with it.
//
// It exists because decoders that fill structs stop at the first unknown key, let a repeated key hide the rest, and read
// 010 as 8 and "no" as false.
//
// It knows less YAML than there is, on purpose: no anchors, tags, merge keys or second documents, and one spelling for a
// number or a switch.
//
//	root, report := strict.Parse("solarhub.yaml", data)
//	f := root.Fields("host", "port")
//	cfg.Host, _ = f.Need("host").Text()
//	if port, ok := f.Get("port").Int(1, 65535); ok {
//		cfg.Port = int(port)
//	}
//	return report.Err()
package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Finding is one thing that is wrong, and where. Line and Column count from 1, Column in characters.
type Finding struct {
	File         string
	Line, Column int
	What         string
}

// String returns the finding in the form that editors and terminals jump to: "solarhub.yaml:12:7: unknown key ...".
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.What)
}

// Findings is an error with one line for each thing that is wrong, in the order of the file.
type Findings []Finding

// Error returns the findings, one a line.
func (f Findings) Error() string {
	lines := make([]string, len(f))
	for i, finding := range f {
		lines[i] = finding.String()
	}
	return strings.Join(lines, "\n")
}

// Report collects the findings of one file. It belongs to one goroutine.
type Report struct {
	file string
	all  map[Finding]struct{}
}

// Add notes what is wrong at a node; at nil, at the beginning of the file.
func (r *Report) Add(at *Node, format string, args ...any) {
	if at == nil {
		at = &Node{}
	}
	r.add(at.Line, at.Column, fmt.Sprintf(format, args...))
}

// add notes a finding at a place in the file.
func (r *Report) add(line, column int, what string) {
	r.all[Finding{r.file, max(line, 1), max(column, 1), what}] = struct{}{}
}

// Err returns Findings, sorted and each once, or nil where nothing is wrong.
func (r *Report) Err() error {
	if len(r.all) == 0 {
		return nil
	}
	found := make(Findings, 0, len(r.all))
	for f := range r.all {
		found = append(found, f)
	}
	slices.SortFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.What, b.What))
	})
	return found
}
