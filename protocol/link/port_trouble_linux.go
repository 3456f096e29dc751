package link

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"solarhub/protocol"
)

// trouble explains why the port at a path cannot be opened.
func (m machine) trouble(path string, err error) error {
	fail := func(is error, format string, a ...any) error {
		return &PortError{Sentence: fmt.Sprintf(format, a...), Err: is}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail(err, "there is no %s; %s: is the adapter plugged in?", path, m.instead())
	case errors.Is(err, unix.EACCES):
		return fail(err, "%s", m.denied(path, me()))
	case errors.Is(err, unix.EPERM):
		return fail(err, "%s may not be opened, whoever asks: a container has to be given the device", path)
	case errors.Is(err, unix.EWOULDBLOCK), errors.Is(err, unix.EBUSY):
		return m.heldError(path, m.held(path, m.opened()))
	case errors.Is(err, unix.ENOTTY), errors.Is(err, unix.EISDIR), errors.Is(err, unix.EINVAL):
		return fail(err, "%s is %s, no serial port; %s", path, kind(path), m.instead())
	case errors.Is(err, unix.EIO), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV):
		return fail(err, "%s has no hardware behind it; %s", path, m.instead())
	}
	return fail(err, "%s cannot be opened: %v", path, err)
}

// heldError is about a port that somebody has; empty: nobody knows who.
func (m machine) heldError(path, by string) error {
	by = cmp.Or(by, fmt.Sprintf("another program, which `sudo lsof %s` names", path))
	return &PortError{Err: protocol.ErrPortHeld,
		Sentence: fmt.Sprintf("%s is in use by %s: two programs on one port ruin each other's frames", path, by)}
}

func (m machine) instead() string { return instead(m.named()) }

// kind says what is at a path that is no port.
func kind(path string) string {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "something else"
	case info.IsDir():
		return "a folder"
	case info.Mode().IsRegular():
		return "a file"
	}
	return "another kind of device"
}

// person is who runs this program.
type person struct {
	name        string
	has, listed []int // groups: those that the program has, and those that the system lists for the next one
}

func me() person {
	p := person{name: "$USER"}
	p.has, _ = os.Getgroups()
	p.has = append(p.has, os.Getegid())
	u, err := user.Current()
	if err != nil {
		return p
	}
	p.name = u.Username
	groups, _ := u.GroupIds()
	for _, g := range groups {
		if id, err := strconv.Atoi(g); err == nil {
			p.listed = append(p.listed, id)
		}
	}
	return p
}

// denied says what a person has to do before the port may be opened.
func (m machine) denied(path string, who person) string {
	var s unix.Stat_t
	if unix.Stat(path, &s) != nil {
		return who.name + " may not see " + path
	}
	gid, name := int(s.Gid), strconv.Itoa(int(s.Gid))
	if g, err := user.LookupGroupId(name); err == nil {
		name = g.Name
	}
	switch {
	case s.Mode&0o060 != 0o060 || gid == 0 || slices.Contains(who.has, gid):
		return fmt.Sprintf("%s may be opened by its owner only (mode %04o, group %s): have a rule of udev give it "+
			"to a group that %s is in", path, s.Mode&0o7777, name, who.name)
	case slices.Contains(who.listed, gid):
		return fmt.Sprintf("%s belongs to the group %s, which %s has joined since this session began: log in "+
			"again, or restart the service", path, name, who.name)
	}
	return fmt.Sprintf("%s belongs to the group %s, and %s is not in it: sudo usermod -aG %[2]s %[3]s, then log in "+
		"again", path, name, who.name)
}

// ready reports what keeps a port from being opened, without opening it. Nil: nothing that can be seen.
func (m machine) ready(path string, opened map[device][]program) error {
	if err := unix.Faccessat(unix.AT_FDCWD, path, unix.R_OK|unix.W_OK, unix.AT_EACCESS); err != nil {
		return m.trouble(path, err)
	}
	if by := m.held(path, opened); by != "" {
		return m.heldError(path, by)
	}
	return nil
}
