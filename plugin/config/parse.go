package config

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"solarhub/devices/profile/strict"
	"solarhub/plugin/host"
)

// The keys at the top and under host.
var (
	rootKeys  = []string{"host", "name", "data", "lines"}
	tokenKeys = []string{"token", "token_file", "token_env"}
	hostKeys  = slices.Concat([]string{"url"}, tokenKeys, []string{"insecure"})
)

// Parse reads a configuration. file is its name for the findings, and relative paths in it begin at its folder. The
// error is strict.Findings with everything that is wrong, each with line and column, those of profile files included.
func Parse(file string, data []byte) (Config, error) {
	root, report := strict.Parse(file, data)
	p := parser{folder: filepath.Dir(file), c: defaults()}
	if root != nil {
		p.config(root.Fields(rootKeys...))
	}
	var found strict.Findings
	if err := report.Err(); err != nil && !errors.As(err, &found) {
		return Config{}, err
	}
	if found = append(found, p.inProfiles...); len(found) > 0 {
		return Config{}, found
	}
	return p.c, nil
}

// parser fills a Config and goes on after each finding.
type parser struct {
	folder     string
	c          Config
	inProfiles strict.Findings         // in profile files
	lines      map[string]*strict.Node // what each line leads to
	ids        map[string]*strict.Node // device ids
	grace      time.Duration           // of the line that is read
}

func (p *parser) config(f strict.Fields) {
	if f.At == nil {
		return
	}
	if n := f.Need("host"); n != nil {
		p.host(n.Fields(hostKeys...))
	}
	if n := f.Get("name"); n != nil {
		p.c.Name, _ = n.Text()
		if utf8.RuneCountInString(p.c.Name) > maxName {
			n.Fail("the name has %d characters, allowed are 1 to %d", utf8.RuneCountInString(p.c.Name), maxName)
		}
	}
	if n := f.Get("data"); n != nil {
		if dir, ok := n.Text(); ok {
			p.c.Data = p.path(dir)
		}
	}
	p.lines, p.ids = map[string]*strict.Node{}, map[string]*strict.Node{}
	n := f.Need("lines")
	if n == nil {
		return
	}
	items := n.Items()
	if n.IsList() && len(items) == 0 {
		n.Fail("there are no lines: at least one is needed")
	}
	for _, item := range items {
		p.c.Lines = append(p.c.Lines, p.line(item))
	}
}

// path resolves a path of the configuration. It may begin with ~; a relative path begins at the configuration's folder.
func (p *parser) path(name string) string {
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(p.folder, name)
}

func (p *parser) host(f strict.Fields) {
	if f.At == nil {
		return
	}
	if n := f.Need("url"); n != nil {
		if text, ok := n.Text(); ok {
			address, err := host.ParseAddress(text)
			if err != nil {
				n.Fail("%v", err)
			}
			p.c.Host.URL = address
		}
	}
	if n := f.Get("insecure"); n != nil {
		p.c.Host.Insecure, _ = n.Bool()
	}
	p.token(f)
}

// token reads the token from the one place that is named. A finding about the token does not repeat it.
func (p *parser) token(f strict.Fields) {
	var given []string
	for _, key := range tokenKeys {
		if f.Get(key) != nil {
			given = append(given, key)
		}
	}
	switch {
	case len(given) == 0:
		f.At.Fail("the access token is missing: say token, token_file or token_env; " +
			"solarhub login gets one")
		return
	case len(given) > 1:
		f.Get(given[1]).Fail("%s and %s are given: one of them is enough", given[0], given[1])
		return
	}
	n := f.Get(given[0])
	text, ok := n.Text()
	if !ok {
		return
	}
	where := "the token"
	switch given[0] {
	case "token_file":
		data, err := strict.ReadFile(p.path(text))
		if err != nil {
			n.Fail("the token cannot be read: %v", err)
			return
		}
		text, where = string(data), "the token in "+p.path(text)
	case "token_env":
		text, where = os.Getenv(text), "the token in the environment variable "+text
	}
	text = strings.TrimSpace(text)
	if wrong := CheckToken(text); wrong != "" {
		n.Fail("%s %s", where, wrong)
		return
	}
	p.c.Host.Token = host.NewSecret(text)
}

// CheckToken says what is wrong with a token, or nothing. A long-lived access token of Home Assistant is a JSON Web
// Token: three parts of letters, digits, - and _ (RFC 7515, section 3.1).
func CheckToken(token string) string {
	parts := strings.Split(token, ".")
	switch {
	case token == "":
		return "is empty"
	case strings.ContainsFunc(token, unicode.IsSpace):
		return "has spaces or line breaks inside"
	case len(parts) != 3 || slices.Contains(parts, ""):
		return "is not a long-lived access token: that has three parts with a dot between them"
	case strings.ContainsFunc(token, func(r rune) bool {
		return r != '.' && r != '-' && r != '_' && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
	}):
		return "has a character that no access token has"
	}
	return ""
}

// unique notes a name that must be unique, or reports where it was used before.
func unique(seen map[string]*strict.Node, name, what string, at *strict.Node) {
	if first := seen[name]; first != nil {
		at.Fail("%s is in line %d already", what, first.Line)
		return
	}
	seen[name] = at
}

// resolvedPath follows links, so that two names of one port are recognised. A path that leads nowhere stays as it is.
func resolvedPath(path string) string {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		target = ""
	}
	return cmp.Or(target, path)
}
