package sim

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/term"
)

func openPTY(t testing.TB, link string) *PTY {
	t.Helper()
	p, err := OpenPTY(link)
	if err != nil {
		if link == "" {
			t.Skipf("no pty: %v", err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// openPort opens the client's side of a pty.
func openPort(t testing.TB, path string) *os.File {
	t.Helper()
	port, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { port.Close() })
	if err := port.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return port
}

func TestPTYIsRaw(t *testing.T) {
	p := openPTY(t, "")
	client := openPort(t, p.Path())
	if _, err := p.master.Write([]byte{'a', '\r', 3, 4, 0x11, 0xFF}); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 6)
	if _, err := io.ReadFull(client, got); err != nil || string(got) != "a\r\x03\x04\x11\xff" {
		t.Errorf("% x, %v", got, err)
	}
	if !term.IsTerminal(int(client.Fd())) {
		t.Error("no terminal")
	}
}

func TestPTYPlugs(t *testing.T) {
	openPTY(t, "") // skips where there are none
	link := filepath.Join(t.TempDir(), "ttyINVERTER")
	p := openPTY(t, link)
	line := NewLine(Options{}, newUnit(1))
	untilEnd(t, func(ctx context.Context) error { return line.ServePTY(ctx, p, RTU) })
	for range 3 {
		port := openPort(t, link)
		ask(t, port, readTwo, twoWords)
		if err := p.Unplug(); err != nil {
			t.Fatal(err)
		}
		if n, err := port.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("read %d bytes of an unplugged port, %v", n, err)
		}
		if _, err := os.Lstat(link); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the link: %v", err)
		}
		if err := errors.Join(p.Unplug(), p.Plug(), p.Plug()); err != nil {
			t.Fatal(err)
		}
	}
	if p.Path() != link {
		t.Error(p.Path())
	}
}

// A fault pulls the plug and puts it in again later.
func TestPTYHangsUp(t *testing.T) {
	openPTY(t, "")
	link := filepath.Join(t.TempDir(), "ttyINVERTER")
	p := openPTY(t, link)
	line := NewLine(Options{}, newUnit(1))
	line.Play(NewScript(1,
		Fault{Kind: HangUp, Delay: time.Millisecond, Count: 1},
		Fault{Kind: CloseBefore, Delay: time.Millisecond, Count: 1}))
	untilEnd(t, func(ctx context.Context) error { return line.ServePTY(ctx, p, RTU) })
	for range 2 {
		_, _, gone := p.state()
		port := openPort(t, link)
		if _, err := port.Write(readTwo); err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, port); n > int64(len(twoWords)/2) || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%d bytes, %v", n, err)
		}
		<-gone
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if _, err := p.plugged(ctx); err != nil {
			t.Fatal(err)
		}
	}
	ask(t, openPort(t, link), readTwo, twoWords)
}

func TestPTYClosed(t *testing.T) {
	p := openPTY(t, "")
	served := make(chan error, 1)
	go func() { served <- NewLine(Options{}).ServePTY(t.Context(), p, RTU) }()
	if err := errors.Join(p.Close(), p.Close(), p.Unplug()); err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, ErrPTYClosed) {
		t.Error(err)
	}
	if err := p.Plug(); !errors.Is(err, ErrPTYClosed) || p.Path() != "" {
		t.Error(err, p.Path())
	}
}

// ServePTY waits for a plug and ends with ctx while it waits.
func TestPTYUnpluggedAndStopped(t *testing.T) {
	p := openPTY(t, "")
	if err := p.Unplug(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- NewLine(Options{}).ServePTY(ctx, p, RTU) }()
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// A link that an earlier run left is replaced; what is something else is left alone.
func TestPTYLink(t *testing.T) {
	openPTY(t, "")
	dir := t.TempDir()
	stale := filepath.Join(dir, "stale")
	if err := os.Symlink("/dev/pts/99999", stale); err != nil {
		t.Fatal(err)
	}
	if p := openPTY(t, stale); p.Close() != nil {
		t.Error("not closed")
	}
	file, other := filepath.Join(dir, "file"), filepath.Join(dir, "other")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Symlink(file, other)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		file:                         "something else that is no link",
		other:                        "a link to " + file,
		filepath.Join(dir, "a", "b"): "no such file",
	} {
		if p, err := OpenPTY(path); err == nil || p != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := os.Stat(other); err != nil {
		t.Error("what was there is gone:", err)
	}
}
