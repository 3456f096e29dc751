// Package strict reads YAML and forgives nothing. It collects everything that is wrong, each with line and column, and
// does not stop at the first fault. The profiles and the configuration are read with it.
//
// Decoders that fill structs do not do: they stop at the first unknown key, let a repeated key replace an earlier one,
// and read 010 as 8 and "no" as false.
//
// On purpose, the package accepts less than all of YAML: no anchors, aliases, tags, merge keys or second documents, and
// only one spelling of a number, true or false.
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

// Finding is one fault and its place. Line and Column count from 1; Column counts characters.
type Finding struct {
	File         string
	Line, Column int
	What         string
}

// String returns the finding in a form that editors can jump to: "solarhub.yaml:12:7: unknown key ...".
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.What)
}

// Findings is an error with all findings, in the order of the file.
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
	more bool // than maxFindings
}

// Add adds a finding at a node, or at the beginning of the file if the node is nil.
func (r *Report) Add(at *Node, format string, args ...any) {
	if at == nil {
		at = &Node{}
	}
	r.add(at.Line, at.Column, fmt.Sprintf(format, args...))
}

// add adds a finding at a place in the file.
func (r *Report) add(line, column int, what string) {
	if r.Full() {
		r.more = true
		return
	}
	r.all[Finding{r.file, max(line, 1), max(column, 1), what}] = struct{}{}
}

// maxFindings is how many findings a report keeps. Nobody reads more, and a file could cause a hundred thousand.
const maxFindings = 1000

// Full reports whether the report keeps no more findings, so that reading on is of no use.
func (r *Report) Full() bool { return len(r.all) >= maxFindings }

// Err returns Findings, sorted and each once, or nil if there are none.
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
	if r.more {
		last := found[len(found)-1]
		last.What = fmt.Sprintf("there are more findings than these %d", maxFindings)
		found = append(found, last)
	}
	return found
}
