package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Client asks one program. Its methods may be called from several goroutines; each has a connection of its own, and the
// end of its context ends what was asked.
type Client struct {
	http    *http.Client
	connect func(ctx context.Context) (net.Conn, error)
}

// Dial returns a client of the program that runs on a data folder. The error wraps ErrNobody if none does.
func Dial(ctx context.Context, data string) (*Client, error) {
	c := newClient(func(ctx context.Context) (net.Conn, error) { return connect(ctx, data) })
	conn, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	return c, conn.Close()
}

func newClient(connect func(ctx context.Context) (net.Conn, error)) *Client {
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return connect(ctx) }}
	return &Client{http: &http.Client{Transport: transport}, connect: connect}
}

// ask has an operation carried out that answers once.
func ask[Out any](ctx context.Context, c *Client, op string, asked any) (out Out, err error) {
	err = follow(ctx, c, op, asked, func(part Out) error {
		out = part
		return nil
	})
	return out, err
}

// errEnded: the program went away in the middle of an answer.
var errEnded = &Error{Code: CodeEnded, Reason: "the SolarHub that has the line has ended, or the connection with it"}

// follow has an operation carried out and hands over each part of its answer as it comes.
func follow[Out any](ctx context.Context, c *Client, op string, asked any, each func(Out) error) error {
	text, err := json.Marshal(asked)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://solarhub/"+op, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return gone(ctx, err)
	}
	defer response.Body.Close()
	for lines := json.NewDecoder(response.Body); ; {
		var one struct {
			Value json.RawMessage `json:"value"`
			Error *Error          `json:"error"`
		}
		err := lines.Decode(&one)
		switch {
		case errors.Is(err, io.EOF):
			return ctx.Err()
		case err != nil:
			return gone(ctx, err)
		case one.Error != nil:
			return one.Error
		}
		var part Out
		if err := json.Unmarshal(one.Value, &part); err != nil {
			return fmt.Errorf("%s: the answer cannot be understood; is the program of another version? %w", op, err)
		}
		if err := each(part); err != nil {
			return err
		}
	}
}

// gone says why an answer ended early: the caller gave up, or the program did.
func gone(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, ErrNobody):
		return err
	}
	return fmt.Errorf("%w (%w)", errEnded, err)
}

// Program returns what runs.
func (c *Client) Program(ctx context.Context) (Program, error) {
	return ask[Program](ctx, c, OpProgram, struct{}{})
}

// Points returns the points of a device: its name or id, or nothing for the only one.
func (c *Client) Points(ctx context.Context, device string) ([]Point, error) {
	return ask[[]Point](ctx, c, OpPoints, AskDevice{Device: device})
}

// Values returns what the program knows of points, without asking the device.
func (c *Client) Values(ctx context.Context, asked AskValues) ([]Value, error) {
	return ask[[]Value](ctx, c, OpValues, asked)
}

// Read reads points or registers from the device now, and hands over each as it comes.
func (c *Client) Read(ctx context.Context, asked AskValues, each func(Value) error) error {
	return follow(ctx, c, OpRead, asked, each)
}

// Watch hands over what changes, until ctx ends or the program does; it always returns an error, that of ctx or an
// *Error. The first parts are the values of now.
func (c *Client) Watch(ctx context.Context, asked AskValues, each func(Change) error) error {
	if err := follow(ctx, c, OpWatch, asked, each); err != nil {
		return err
	}
	return errEnded
}

// Set sets a point and returns how it ended. Its error has the code of plugin/PROTOCOL.md section 5.
func (c *Client) Set(ctx context.Context, asked AskSet) (Outcome, error) {
	if deadline, ok := ctx.Deadline(); ok && asked.WithinMS == 0 {
		asked.WithinMS = max(time.Until(deadline).Milliseconds(), 1)
	}
	return ask[Outcome](ctx, c, OpSet, asked)
}

// Ledger returns the last set-values of a device, or of all without one: the newest last.
func (c *Client) Ledger(ctx context.Context, device string) ([]Entry, error) {
	return ask[[]Entry](ctx, c, OpLedger, AskDevice{Device: device})
}

// Forget has the program forget which device it knows at an entry of its configuration, and returns its id.
func (c *Client) Forget(ctx context.Context, device string) (id string, err error) {
	done, err := ask[Done](ctx, c, OpForget, AskDevice{Device: device})
	return done.ID, err
}

// Replace has the device with a serial number, which answers in the place of the one with an id, go on as that one.
func (c *Client) Replace(ctx context.Context, id, serial string) error {
	_, err := ask[Done](ctx, c, OpReplace, AskReplace{ID: id, Serial: serial})
	return err
}

// Reload has the program read its configuration anew, and returns what differed.
func (c *Client) Reload(ctx context.Context) (changed []string, err error) {
	done, err := ask[Done](ctx, c, OpReload, struct{}{})
	return done.Changed, err
}
