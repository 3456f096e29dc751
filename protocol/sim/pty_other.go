//go:build !unix

package sim

import (
	"errors"
	"fmt"
	"os"
)

// openTerminal says that this system has no pseudo terminals that could be serial ports.
func openTerminal() (master, client *os.File, err error) {
	return nil, nil, fmt.Errorf("open a pty: %w", errors.ErrUnsupported)
}
