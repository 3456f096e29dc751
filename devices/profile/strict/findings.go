package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Finding is one thing wrong with a file. Line and Column count from 1, Column in characters.
type Finding struct {
	File         string
	Line, Column int
	What         string
}

// String returns the finding in the form that editors and terminals jump to: "solarhub.yaml:12:7: unknown key ...".
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.What)
}

// Findings are all things wrong with one or several files, sorted by place, each once. As an error they take one line each.
type Findings []Finding

// Error returns the findings, one a line.
func (f Findings) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].String()
	}
	return strings.Join(lines, "\n")
}

// sorted orders the findings and drops repeats: who reads a value twice, say once for each variant of a profile, finds
// the same thing twice.
func (f Findings) sorted() Findings {
	s := slices.Clone(f)
	slices.SortFunc(s, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.What, b.What))
	})
	return slices.Compact(s)
}
