package control

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"solarhub/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// served serves operations on the socket of a folder until the test ends or stop is called.
func served(t *testing.T, data string, ops Operations) (stop func()) {
	t.Helper()
	l, err := Listen(data)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, l, ops)
}

func serve(t *testing.T, l net.Listener, ops Operations) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, ops, l) }()
	stopped := false
	stop = func() {
		if cancel(); !stopped {
			stopped = true
			if err := <-ended; err != nil {
				t.Errorf("the server ended with %v", err)
			}
		}
	}
	t.Cleanup(stop)
	return stop
}

func dial(t *testing.T, data string) *Client {
	t.Helper()
	c, err := Dial(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// program answers who it is.
func program(name string) Operations {
	return Operations{OpProgram: Answer(func(context.Context, struct{}) (Program, error) {
		return Program{Name: name}, nil
	})}
}

func TestTheSocketIsForItsUserAlone(t *testing.T) {
	data := t.TempDir()
	stop := served(t, data, program("house"))
	info, err := os.Stat(place(data))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("permissions %v, %v", info.Mode(), err)
	}
	if got, err := dial(t, data).Program(t.Context()); err != nil || got.Name != "house" {
		t.Errorf("%+v %v", got, err)
	}
	stop()
	if left, _ := os.ReadDir(data); len(left) != 0 {
		t.Errorf("files are left: %v", left)
	}
	if _, err := Dial(t.Context(), data); !errors.Is(err, ErrNobody) {
		t.Errorf("nobody is there, and: %v", err)
	}
}

func TestAPathThatIsTooLongForASocket(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("pipes have names of their own")
	}
	data := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(t.Context(), data); !errors.Is(err, ErrNobody) {
		t.Errorf("before: %v", err)
	}
	stop := served(t, data, program("far"))
	far, err := os.Readlink(place(data))
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.Stat(filepath.Dir(far))
	if err != nil || folder.Mode().Perm() != 0o700 {
		t.Errorf("others can enter its folder: %v %v", folder.Mode(), err)
	}
	if got, err := dial(t, data).Program(t.Context()); err != nil || got.Name != "far" {
		t.Errorf("%+v %v", got, err)
	}
	stop()
	if _, err := os.Stat(filepath.Dir(far)); err == nil {
		t.Error("its folder is left")
	}
}

// A process that was killed leaves its socket.
func TestAStaleSocketIsReplaced(t *testing.T) {
	data := t.TempDir()
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: place(data), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()
	if _, err := os.Lstat(place(data)); err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(t.Context(), data); !errors.Is(err, ErrNobody) {
		t.Errorf("the dead one answers: %v", err)
	}
	served(t, data, program("new"))
	if got, err := dial(t, data).Program(t.Context()); err != nil || got.Name != "new" {
		t.Errorf("%+v %v", got, err)
	}
}

// What is asked ends when the one who asks goes away, and with the program; others are not touched.
func TestAClientThatGoesAway(t *testing.T) {
	data := t.TempDir()
	began, ended := make(chan string, 2), make(chan string, 2)
	stop := served(t, data, Operations{
		OpWatch: Stream(func(ctx context.Context, asked AskValues, send func(Change) error) error {
			if err := send(Change{Lost: 1}); err != nil {
				return err
			}
			began <- asked.Device
			<-ctx.Done()
			ended <- asked.Device
			return ctx.Err()
		}),
	})
	watch := func(ctx context.Context, device string) chan error {
		over := make(chan error, 1)
		c := dial(t, data)
		go func() {
			over <- c.Watch(ctx, AskValues{Device: device}, func(Change) error { return nil })
		}()
		return over
	}
	leaving, leave := context.WithCancel(t.Context())
	first := watch(leaving, "a")
	if who := <-began; who != "a" {
		t.Fatal(who)
	}
	second := watch(t.Context(), "b")
	if who := <-began; who != "b" {
		t.Fatal(who)
	}
	leave()
	if who := <-ended; who != "a" {
		t.Errorf("%s has ended, and a has left", who)
	}
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("who left got %v", err)
	}
	stop()
	if who := <-ended; who != "b" {
		t.Errorf("%s has ended", who)
	}
	if err := <-second; err == nil {
		t.Error("who stayed does not hear that the program has ended")
	}
}

func TestWhatIsAskedWrongly(t *testing.T) {
	data := t.TempDir()
	served(t, data, program("house"))
	c := dial(t, data)
	var e *Error
	if _, err := ask[Done](t.Context(), c, "dance", struct{}{}); !errors.As(err, &e) || e.Code != CodeAsked {
		t.Errorf("an operation that does not exist: %v", err)
	}
	if _, err := ask[Program](t.Context(), c, OpProgram, map[string]int{"x": 1}); !errors.As(err, &e) ||
		e.Code != CodeAsked || !strings.Contains(e.Reason, `"x"`) {
		t.Errorf("a field that does not exist: %v", err)
	}
	if _, err := ask[Program](t.Context(), c, OpProgram, strings.Repeat("x", maxAsked)); !errors.As(err, &e) ||
		e.Code != CodeAsked {
		t.Errorf("far too much: %v", err)
	}
}

// A failed exchange is the same on both sides of the socket.
func TestALineOfTheProgram(t *testing.T) {
	local, c := NewLocal()
	answers := map[uint16]error{
		1: protocol.ExceptionError{Function: 3, Code: 2},
		2: &protocol.LinkError{Op: "receive", Link: "tty", Err: protocol.ErrTimeout},
		3: protocol.ErrExpired,
	}
	seen := make(chan protocol.Request, 10)
	serve(t, local, Operations{OpExchange: Answer(func(_ context.Context, a AskExchange) (Exchanged, error) {
		req, err := a.Request(time.Now())
		if err != nil {
			return Exchanged{}, err
		}
		seen <- req
		return Exchanged{Words: []uint16{7, 8}, Connection: 3}, answers[req.Range.Addr]
	})})
	line := c.Line("tty")
	read := func(addr uint16) (protocol.Response, error) {
		return line.Do(t.Context(), protocol.Request{Unit: 5, Range: protocol.Range{Table: protocol.InputRegister,
			Addr: addr, Count: 2}, Priority: protocol.PriorityWrite, Deadline: time.Now().Add(time.Minute),
			Pace: protocol.Pace{Timeout: 1500 * time.Millisecond}})
	}
	got, err := read(0)
	if err != nil || len(got.Words) != 2 || got.Words[1] != 8 || got.Connection != 3 {
		t.Errorf("%+v %v", got, err)
	}
	if req := <-seen; req.Unit != 5 || req.Range.Table != protocol.InputRegister || req.Op != protocol.Read ||
		req.Priority != protocol.PriorityPoll || req.Pace.Timeout != 1500*time.Millisecond || req.Deadline.IsZero() {
		t.Errorf("on the line: %+v", req)
	}
	var no protocol.ExceptionError
	if _, err := read(1); !errors.As(err, &no) || no.Code != 2 || err.Error() != answers[1].Error() {
		t.Errorf("an exception: %v", err)
	}
	var link *protocol.LinkError
	if _, err := read(2); !errors.Is(err, protocol.ErrTimeout) || !errors.As(err, &link) || link.Link != "tty" ||
		err.Error() != answers[2].Error() {
		t.Errorf("silence: %v", err)
	}
	if _, err := read(3); !errors.Is(err, protocol.ErrExpired) {
		t.Errorf("late: %v", err)
	}
	if _, err := line.Do(t.Context(), protocol.Request{Op: protocol.WriteSingle, Words: []uint16{1},
		Range: protocol.Range{Count: 1}}); !errors.Is(err, errReadOnly) {
		t.Errorf("a write: %v", err)
	}
	var e *Error
	if _, err := line.Do(t.Context(), protocol.Request{Range: protocol.Range{Count: 200}}); !errors.As(err, &e) ||
		e.Code != CodeAsked {
		t.Errorf("more than a read can have: %v", err)
	}
	err = line.Hold(t.Context(), protocol.Request{Unit: 1}, func(ctx context.Context, x protocol.Exchanger) error {
		_, err := x.Exchange(ctx, protocol.Request{Unit: 1, Range: protocol.Range{Count: 1}})
		if x.Connection() != 3 {
			t.Errorf("connection %d", x.Connection())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
