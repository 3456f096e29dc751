package link

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
)

// place is where the port of a line is. The kernel numbers adapters as they come: one that is pulled out and plugged in
// again may get another number, and leave its own to the next. So an adapter that was given by its number is remembered
// from its first opening on, and from then on no other one is opened. Names that udev or the owner makes lead to where
// they lead, and so do ports that are built in.
type place struct {
	machine
	path    string  // as given
	known   adapter // zero: none was opened, or it is not looked for
	lasting string  // a name that always leads to known; empty: there is none, or none is needed
}

func newPlace(path string) *place { return &place{machine: machine{"/"}, path: path} }

var numberedPort = regexp.MustCompile(`^tty(USB|ACM)[0-9]+$`)

// opened notes what was found at a path.
func (p *place) opened(path string) {
	if filepath.Dir(p.path) != p.machine.path("dev") || !numberedPort.MatchString(filepath.Base(p.path)) {
		return
	}
	d, err := deviceOf(path)
	if err != nil {
		return
	}
	p.known, _ = p.adapterOf(d)
	p.lasting = ""
	all, _ := p.nodes()
	for _, n := range all {
		if name, _ := p.name(n, all); n.device == d && name != n.path {
			p.lasting = name
		}
	}
}

// find returns the path of the port now, which may be another one than was given.
func (p *place) find() (path string, err error) {
	if p.known == (adapter{}) {
		return p.path, nil
	}
	all, err := p.nodes()
	if err != nil {
		return "", err
	}
	n, ok := p.known.among(all)
	switch d, err := deviceOf(p.path); {
	case ok && err == nil && d == n.device:
		return p.path, nil
	case ok:
		return n.path, nil
	case err == nil:
		return "", p.another(d)
	}
	return "", p.trouble(p.path, fs.ErrNotExist)
}

// among returns the port of the adapter. One without a serial number is known by its socket, and so is one whose number
// another one has, too.
func (a adapter) among(all []node) (found node, ok bool) {
	same := 0
	for _, n := range all {
		switch {
		case !n.onUSB || !n.adapter.sameID(a):
			continue
		case n.adapter.socket == a.socket:
			return n, true
		}
		found, same = n, same+1
	}
	return found, same == 1 && a.serial != ""
}

// another is the error where another adapter has taken the number.
func (p *place) another(d device) error {
	now := "another port"
	if a, ok := p.adapterOf(d); ok {
		now = a.String()
	}
	advice := "plug it in again"
	if p.known.serial == "" {
		advice = "plug it into that socket again, because it has no serial number to be known by elsewhere, or restart"
	}
	return &PortError{Err: fs.ErrNotExist, Sentence: fmt.Sprintf(
		"%s is %s now, and the adapter of this line was %s: %s", p.path, now, p.known, advice)}
}
