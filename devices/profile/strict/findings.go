// Package strict reads YAML without forgiving anything: it knows the line and column of every word, and it collects all
// that is wrong instead of stopping at the first. Profiles and the configuration are read with it.
//
// It exists because decoders that fill structs stop at the first unknown key, let a repeated key hide the rest, and read
// 010 as 8 and "no" as false.
package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Finding is one thing that is wrong, and where. Line and Column count from 1.
type Finding struct {
	File         string
	Line, Column int
	What         string
}

func (f Finding) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.What)
}

// Findings is an error with one line for each thing that is wrong, in the order of the file.
type Findings []Finding

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

// Add notes what is wrong at a node.
func (r *Report) Add(at *Node, format string, args ...any) {
	r.add(at.Line, at.Column, fmt.Sprintf(format, args...))
}

func (r *Report) add(line, column int, what string) {
	r.all[Finding{r.file, line, column, what}] = struct{}{}
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
