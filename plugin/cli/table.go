package cli

import (
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// newTable returns an aligned table without lines, as tools on a terminal print them. Render prints it to w; with nil
// it only returns the text. Colours go to terminals only.
func newTable(w io.Writer, heading ...any) table.Writer {
	t := table.NewWriter()
	if w != nil {
		t.SetOutputMirror(w)
	}
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	if colours(w) {
		style.Color.Header = text.Colors{text.Bold}
	}
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	if len(heading) > 0 {
		t.AppendHeader(table.Row(heading))
	}
	return t
}

// narrow keeps a column below a width by breaking its lines between words.
func narrow(t table.Writer, column string, width int) {
	t.SetColumnConfigs([]table.ColumnConfig{narrowed(column, width)})
}

func narrowed(column string, width int) table.ColumnConfig {
	return table.ColumnConfig{Name: column, WidthMax: width, WidthMaxEnforcer: text.WrapSoft}
}

// rightAligned has these columns of a table aligned as numbers are.
func rightAligned(columns ...any) []table.ColumnConfig {
	var configs []table.ColumnConfig
	for _, c := range columns {
		configs = append(configs, table.ColumnConfig{Name: c.(string), Align: text.AlignRight,
			AlignHeader: text.AlignRight})
	}
	return configs
}
