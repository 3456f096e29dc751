package control

import (
	"errors"
	"path/filepath"
)

// name is that of the socket in the data folder of a program.
const name = "control.sock"

// ErrNobody: no program runs on the data folder, or none that can be asked.
var ErrNobody = errors.New("no SolarHub runs on this data folder")

// place returns where the socket of a data folder is.
func place(data string) string { return filepath.Join(data, name) }
