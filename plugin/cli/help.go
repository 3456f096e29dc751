package cli

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// helpWidth is how wide help is at most: longer lines are hard to read.
const helpWidth = 100

// group is commands that belong together.
type group struct {
	title    string
	commands []*cobra.Command
}

// addGroups puts commands under the root.
func addGroups(root *cobra.Command, groups []group) {
	for _, g := range groups {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title + ":"})
		for _, c := range g.commands {
			c.GroupID = g.title
			root.AddCommand(c)
		}
	}
}

// fitHelp has the help of all commands fit where it is printed.
func fitHelp(root *cobra.Command, out io.Writer) {
	width := helpWidth
	if f, ok := out.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			width = min(w, helpWidth)
		}
	}
	fitLong(root, width)
	root.SetUsageFunc(func(c *cobra.Command) error {
		_, err := fmt.Fprint(out, usageText(c, width))
		return err
	})
}

func fitLong(c *cobra.Command, width int) {
	c.Long = fit(c.Long, width)
	for _, sub := range c.Commands() {
		fitLong(sub, width)
	}
}

// fit breaks the paragraphs of a text anew. What is indented stays as it is.
func fit(long string, width int) string {
	paragraphs := strings.Split(long, "\n\n")
	for i, p := range paragraphs {
		if !strings.HasPrefix(p, " ") && !strings.Contains(p, "\n ") {
			paragraphs[i] = indented(text.WrapSoft(strings.ReplaceAll(p, "\n", " "), width), "")
		}
	}
	return strings.Join(paragraphs, "\n\n")
}

// usageText returns what stands in the help of a command behind its description.
func usageText(c *cobra.Command, width int) string {
	var b strings.Builder
	b.WriteString("Usage:\n")
	if c.Runnable() {
		fmt.Fprintf(&b, "  %s\n", c.UseLine())
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s COMMAND\n", c.CommandPath())
	}
	if c.HasExample() {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", c.Example)
	}
	for _, g := range c.Groups() {
		b.WriteString(commandsText(c, g.Title, g.ID))
	}
	b.WriteString(commandsText(c, "More commands:", ""))
	for _, f := range []struct {
		title string
		set   *pflag.FlagSet
	}{{"Flags", c.LocalFlags()}, {"Flags of all commands", c.InheritedFlags()}} {
		if f.set.HasAvailableFlags() {
			fmt.Fprintf(&b, "\n%s:\n%s", f.title, flagsText(f.set, width))
		}
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\nMore about one: %s COMMAND --help\n", c.CommandPath())
	}
	return b.String()
}

// commandsText lists the commands of one group.
func commandsText(c *cobra.Command, title, group string) string {
	var b strings.Builder
	for _, sub := range c.Commands() {
		if sub.GroupID == group && (sub.IsAvailableCommand() || sub.Name() == "help") {
			fmt.Fprintf(&b, "  %-*s  %s\n", sub.NamePadding(), sub.Name(), sub.Short)
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "\n" + title + "\n" + b.String()
}

// goType is a type of Go behind a flag, where a person needs another word.
var goType = regexp.MustCompile(
	`(?m)^( +(?:-\w, |    )--[\w-]+ )(stringArray|string|uint16|uint8|uint|ints|int|duration)( +)`)

var plainTypes = map[string]string{"stringArray": "text", "string": "text", "uint16": "n", "uint8": "n", "uint": "n",
	"ints": "n,n", "int": "n", "duration": "time"}

// flagsText lists flags.
func flagsText(set *pflag.FlagSet, width int) string {
	return goType.ReplaceAllStringFunc(set.FlagUsagesWrapped(width), func(head string) string {
		m := goType.FindStringSubmatch(head)
		word := plainTypes[m[2]]
		return m[1] + word + strings.Repeat(" ", len(m[2])-len(word)) + m[3]
	})
}
