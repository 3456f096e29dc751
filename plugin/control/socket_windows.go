package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/Microsoft/go-winio"
)

// onlyOwner lets the owner of the pipe, administrators and the system open it, and nobody else.
const onlyOwner = "D:P(A;;GA;;;OW)(A;;GA;;;BA)(A;;GA;;;SY)"

// pipe names the pipe of a data folder.
func pipe(data string) string {
	if whole, err := filepath.Abs(data); err == nil {
		data = whole
	}
	sum := sha256.Sum256([]byte(strings.ToLower(data)))
	return `\\.\pipe\solarhub-` + hex.EncodeToString(sum[:8])
}

// Listen opens the named pipe of a data folder, which only the user of this process and administrators can open. It
// goes with the process.
func Listen(data string) (net.Listener, error) {
	l, err := winio.ListenPipe(pipe(data), &winio.PipeConfig{SecurityDescriptor: onlyOwner})
	if err != nil {
		return nil, fmt.Errorf("open the control pipe %s: %w", pipe(data), err)
	}
	return l, nil
}

// connectWithin bounds the wait for a pipe that is there and busy.
const connectWithin = 5 * time.Second

// connect connects with the program of a data folder. The error wraps ErrNobody where nobody listens.
func connect(ctx context.Context, data string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	conn, err := winio.DialPipeContext(ctx, pipe(data))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ErrNobody
	case errors.Is(err, fs.ErrPermission):
		return nil, errors.New("the SolarHub that runs belongs to another user: run this command as that user, or as " +
			"administrator")
	case err != nil:
		return nil, fmt.Errorf("ask the SolarHub that runs: %w", err)
	}
	return conn, nil
}
