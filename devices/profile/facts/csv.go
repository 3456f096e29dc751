package facts

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// readList reads a small file whose header is known.
func readList(folder fs.FS, file, header string) ([][]string, error) {
	data, err := fs.ReadFile(folder, file)
	if err != nil {
		return nil, err
	}
	lines, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(lines) == 0 || strings.Join(lines[0], ",") != header {
		return nil, fmt.Errorf("%s:1: the header is not %s", file, header)
	}
	return lines[1:], nil
}

// Columns are the columns of a table of registers, in their order.
const Columns = "model,table,address,words,type,order,scale,offset,unit,access,write_fc,min,max,step,options,mask," +
	"nan,gate,sf,key,mark"

// line is one line of a table, with the findings in it.
type line struct {
	file  string
	n     int
	cells map[string]string
	wrong []error
}

func (l *line) fail(column, format string, args ...any) {
	l.wrong = append(l.wrong, fmt.Errorf("%s:%d: %s: %s", l.file, l.n, column, fmt.Sprintf(format, args...)))
}

// readRows reads one table. The error joins all findings.
func readRows(file string, data []byte, lenient bool) ([]Row, error) {
	r := csv.NewReader(bytes.NewReader(data))
	lines, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%s:1: no header", file)
	}
	head := lines[0]
	if got := strings.Join(head, ","); got != Columns && !lenient {
		return nil, fmt.Errorf("%s:1: the columns are %s, not %s", file, got, Columns)
	}
	if !strings.Contains(","+strings.Join(head, ",")+",", ",key,") {
		return nil, nil
	}
	var rows []Row
	var wrong []error
	for i, cells := range lines[1:] {
		l := &line{file: file, n: i + 2, cells: map[string]string{}}
		for k, name := range head {
			l.cells[name] = strings.TrimSpace(cells[k])
		}
		row := l.row()
		row.Line = l.n
		if lenient && len(l.wrong) > 0 {
			row.Odd = errors.Join(l.wrong...).Error()
			l.wrong = nil
		}
		rows, wrong = append(rows, row), append(wrong, l.wrong...)
	}
	return rows, errors.Join(wrong...)
}
