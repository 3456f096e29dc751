package lock

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"
)

// folders are the places for lock files of lines; the first that can be used is taken. Every user and service of the
// machine sees the first two, even a service with its own /tmp.
var folders = []string{"/run/lock", "/var/lock", os.TempDir()}

// Line takes the lock of a line, so that only one process of a machine talks to the devices at an endpoint: a network
// address or the path of a port. The error is a *HeldError. If no folder can be used there is no lock and no error, and
// Release does nothing.
func Line(endpoint string) (*Lock, error) {
	for _, folder := range folders {
		l, err := Acquire(filepath.Join(folder, fileName(endpoint)))
		if _, held := errors.AsType[*HeldError](err); held || err == nil {
			return l, err
		}
	}
	return &Lock{}, nil
}

// fileName returns a name that people can read and that differs for each endpoint.
func fileName(endpoint string) string {
	readable := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '_'
	}, endpoint)
	sum := fnv.New32a()
	sum.Write([]byte(endpoint))
	return fmt.Sprintf("solarhub-%.64s-%08x.lock", readable, sum.Sum32())
}
