// Package facts reads what public sources say of a register: the tables of the families that ship, and any folder of
// tables in the same form. README.md describes the columns. Profiles are drafted from them and checked against them;
// the shipped program does not hold them.
package facts

import (
	"embed"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed tables/*.csv sources.csv families.csv
var shipped embed.FS

// Shipped returns the folder of this package: sources.csv, families.csv, and the tables in tables/.
func Shipped() fs.FS { return shipped }

// Table is one register map as one source has it.
type Table struct {
	Map    string // "deye_p3"
	Tag    string // of the source, as the name of the file has it: "ha-solarman"
	Source Source // the line of sources.csv; the zero value if the folder has none
	Rows   []Row
}

// Tables reads the tables of these maps, or of all that the project has, sorted by map and source. The error joins all
// that is wrong, each with file and line.
func Tables(maps ...string) ([]Table, error) {
	sources, err := Sources(shipped)
	if err != nil {
		return nil, err
	}
	tables, err := ReadTables(shipped, "tables", false, maps...)
	if err != nil {
		return nil, err
	}
	for i, t := range tables {
		tables[i].Source = sources[[2]string{t.Map, t.Tag}]
	}
	return tables, nil
}

// Of returns the tables of the maps.
func Of(tables []Table, maps ...string) []Table {
	return slices.DeleteFunc(slices.Clone(tables), func(t Table) bool { return !slices.Contains(maps, t.Map) })
}

// ReadTables reads the tables MAP.SOURCE.csv of a folder, or those of some maps, sorted by name. A lenient reader
// passes over files that are no tables of registers, and over columns and types that it does not know.
func ReadTables(folder fs.FS, dir string, lenient bool, maps ...string) ([]Table, error) {
	files, err := fs.Glob(folder, path.Join(dir, "*.*.csv"))
	if err != nil {
		return nil, err
	}
	var tables []Table
	var wrong []error
	for _, file := range files {
		name, tag, _ := strings.Cut(strings.TrimSuffix(path.Base(file), ".csv"), ".")
		if list := slices.Contains(lists, tag); lenient && list || len(maps) > 0 && !slices.Contains(maps, name) {
			continue
		}
		data, err := fs.ReadFile(folder, file)
		if err != nil {
			return nil, err
		}
		rows, err := readRows(file, data, lenient)
		if err != nil {
			wrong = append(wrong, err)
		}
		if len(rows) == 0 && lenient {
			continue
		}
		tables = append(tables, Table{Map: name, Tag: tag, Rows: rows})
	}
	return tables, errors.Join(wrong...)
}

// lists are the files of a folder of facts that are no tables of registers.
var lists = []string{"agreement", "prefixes", "limits", "dtc", "unitids", "serials", "ids"}
