package link

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// program is one that runs on this machine.
type program struct {
	pid  int
	name string
}

func (p program) String() string {
	if p.name == "" {
		return fmt.Sprintf("process %d", p.pid)
	}
	return fmt.Sprintf("%s (process %d)", p.name, p.pid)
}

func (m machine) program(pid int) program {
	return program{pid, text(m.path("proc", strconv.Itoa(pid), "comm"))}
}

// opened returns which programs have which devices open, as far as this user may see it: others' programs only root
// sees.
func (m machine) opened() map[device][]program {
	by := map[device][]program{}
	processes, _ := os.ReadDir(m.path("proc"))
	for _, process := range processes {
		pid, err := strconv.Atoi(process.Name())
		if err != nil {
			continue
		}
		files := m.path("proc", process.Name(), "fd")
		opened, _ := os.ReadDir(files)
		for _, file := range opened {
			at := filepath.Join(files, file.Name())
			if target, _ := os.Readlink(at); !strings.HasPrefix(target, "/dev/") {
				continue
			}
			d, err := deviceOf(at)
			if err == nil && !slices.ContainsFunc(by[d], func(p program) bool { return p.pid == pid }) {
				by[d] = append(by[d], m.program(pid))
			}
		}
	}
	return by
}

// locked returns the program that has locked the file at a path. Everybody may see that. Source: man 5 proc_locks.
func (m machine) locked(path string) (by program, ok bool) {
	var s unix.Stat_t
	if unix.Stat(path, &s) != nil {
		return program{}, false
	}
	file := fmt.Sprintf("%02x:%02x:%d", unix.Major(uint64(s.Dev)), unix.Minor(uint64(s.Dev)), s.Ino)
	for line := range strings.Lines(text(m.path("proc/locks"))) {
		// 3: FLOCK ADVISORY WRITE 20229 fe:00:5358421 0 EOF
		f := strings.Fields(line)
		if len(f) < 6 || f[1] != "FLOCK" || f[5] != file {
			continue
		}
		if pid, err := strconv.Atoi(f[4]); err == nil && pid > 0 {
			return m.program(pid), true
		}
	}
	return program{}, false
}

// held says who has the port at a path; opened is what opened returns. Empty: nobody that this user sees.
func (m machine) held(path string, opened map[device][]program) string {
	if by, ok := m.locked(path); ok {
		return by.String()
	}
	d, err := deviceOf(path)
	if err != nil {
		return ""
	}
	var names []string
	for _, p := range opened[d] {
		names = append(names, p.String())
	}
	return strings.Join(names, " and ")
}
