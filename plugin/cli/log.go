package cli

import (
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// logging is the flags of the log, the same for every command.
type logging struct{ level, format string }

var (
	levels  = []string{"trace", "debug", "info", "warn", "error"}
	formats = []string{"auto", "console", "json"}
)

func (l *logging) register(flags *pflag.FlagSet) {
	flags.StringVar(&l.level, "log-level", "info", "log this and what is more severe: "+strings.Join(levels, ", "))
	flags.StringVar(&l.format, "log-format", "auto",
		"console for people, json for machines; auto is console on a terminal, else json")
}

// check reports a word that is none of those allowed.
func (l logging) check() error {
	if !slices.Contains(levels, l.level) {
		return usagef("--log-level %q is not one of %s", l.level, strings.Join(levels, ", "))
	}
	if !slices.Contains(formats, l.format) {
		return usagef("--log-format %q is not one of %s", l.format, strings.Join(formats, ", "))
	}
	return nil
}

// open returns the log that writes to w.
func (l logging) open(w io.Writer) (zerolog.Logger, error) {
	if err := l.check(); err != nil {
		return zerolog.Nop(), err
	}
	level, err := zerolog.ParseLevel(l.level)
	if err != nil {
		return zerolog.Nop(), usage(err)
	}
	if l.format == "console" || l.format == "auto" && terminal(w) {
		w = zerolog.ConsoleWriter{Out: w, NoColor: !colours(w), TimeFormat: time.TimeOnly}
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger(), nil
}

// terminal reports whether a person looks at w.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colours reports whether w shows colours: a terminal of a person who has not switched them off. Source: no-color.org.
func colours(w io.Writer) bool {
	return terminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
