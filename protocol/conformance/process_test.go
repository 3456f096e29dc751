package conformance

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"solarhub/protocol"
)

// patience bounds every wait for another program, which may be slow to start on a busy machine.
const patience = 60 * time.Second

// process is another program that runs until the test ends.
type process struct {
	t     *testing.T
	in    io.WriteCloser
	lines chan string

	mu     sync.Mutex
	errors strings.Builder
}

// python and node start a script of testdata.
func python(t *testing.T, args ...string) *process {
	return start(t, filepath.Join(peers(t), "venv/bin/python"), args...)
}

func node(t *testing.T, args ...string) *process { return start(t, "node", args...) }

func start(t *testing.T, program string, args ...string) *process {
	t.Helper()
	p := &process{t: t, lines: make(chan string, 1024)}
	c := exec.Command(program, args...)
	c.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(peers(t), "node_modules"))
	c.Stderr = p
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	p.in = in
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			select {
			case p.lines <- s.Text():
			default: // a server that talks more than anyone wants to read
			}
		}
	})
	t.Cleanup(func() {
		in.Close()
		_ = c.Process.Kill() // it may have ended
		reading.Wait()
		_ = c.Wait() // killed
	})
	return p
}

// Write keeps what the program prints as errors.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.errors.Write(b)
}

// say writes a line of JSON.
func (p *process) say(v any) *process {
	p.t.Helper()
	if err := json.NewEncoder(p.in).Encode(v); err != nil {
		p.t.Fatalf("%v: %s", err, p.complaints())
	}
	return p
}

func (p *process) complaints() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.errors.String()
}

// hear returns the next line that begins with prefix.
func (p *process) hear(prefix string) string {
	p.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case line, open := <-p.lines:
			if !open {
				p.t.Fatalf("it ended without saying %q: %s", prefix, p.complaints())
			}
			if strings.HasPrefix(line, prefix) {
				return line
			}
		case <-timeout:
			p.t.Fatalf("it does not say %q: %s", prefix, p.complaints())
		}
	}
}

// reply is what a client's script says of one exchange.
type reply struct {
	Words     []uint16
	Exception byte
	Error     string
}

// ask has a client's script carry out a request.
func (p *process) ask(req protocol.Request) ([]uint16, error) {
	p.t.Helper()
	p.say(map[string]any{"function": req.Function(), "addr": req.Range.Addr, "count": req.Range.Count,
		"words": req.Words})
	var r reply
	if err := json.Unmarshal([]byte(p.hear("{")), &r); err != nil {
		p.t.Fatal(err)
	}
	switch {
	case r.Error != "":
		return nil, errors.New(r.Error)
	case r.Exception != 0:
		return nil, protocol.ExceptionError{Function: req.Function(), Code: r.Exception}
	}
	return r.Words, nil
}

// refusalOf returns the exception in an error, or the error itself if there is none.
func refusalOf(err error) error {
	if refusal, ok := errors.AsType[protocol.ExceptionError](err); ok {
		return refusal
	}
	return err
}

// freePort returns a TCP port that nobody uses now, for programs that cannot be given port 0.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return fmt.Sprint(ln.Addr().(*net.TCPAddr).Port)
}

// nullModem returns the two ends of a serial cable.
func nullModem(t *testing.T) (a, b string) {
	t.Helper()
	folder := t.TempDir()
	a, b = filepath.Join(folder, "a"), filepath.Join(folder, "b")
	start(t, "socat", "pty,raw,echo=0,link="+a, "pty,raw,echo=0,link="+b)
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		_, none := os.Stat(a)
		_, neither := os.Stat(b)
		if none == nil && neither == nil {
			return a, b
		}
		if time.Now().After(deadline) {
			t.Fatalf("socat made no ptys: %v, %v", none, neither)
		}
	}
}
