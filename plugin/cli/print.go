package cli

import (
	"fmt"
	"solarhub/protocol"
	"strings"
	"time"
)

// printWidth is where lists and sentences are broken.
const printWidth = 110

// counted returns "1 line", "2 lines".
func counted(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

// wrap lists words with commas between them behind a head, broken into lines.
func wrap(head, indent string, words []string) string {
	var b strings.Builder
	line := head
	for i, w := range words {
		if i < len(words)-1 {
			w += ","
		}
		if len(line)+1+len(w) > printWidth && line != indent {
			fmt.Fprintln(&b, line)
			line = indent
		}
		line += " " + w
	}
	b.WriteString(line)
	return b.String()
}

// ms prints a time in milliseconds: whole ones from 10 on.
func ms(d time.Duration) string {
	v := float64(d) / float64(time.Millisecond)
	if v < 10 {
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// indented puts something before each line of a text.
func indented(t, by string) string {
	lines := strings.Split(strings.TrimRight(t, "\n"), "\n")
	for i := range lines {
		lines[i] = by + strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// spread prints the median / what 95 % are below / the longest, in ms.
func spread(s protocol.Spread) string {
	if s.Count == 0 {
		return "-"
	}
	return ms(s.P50) + " / " + ms(s.P95) + " / " + ms(s.Max)
}

func times(n uint64) string {
	if n == 0 {
		return "never"
	}
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
