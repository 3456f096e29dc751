package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// writeWithin is how long a peer may let a reply wait before the bytes are lost (RTU) or the connection is (TCP).
const writeWithin = 5 * time.Second

// conn is one open connection. Its serve owns all fields but stream's Close.
type conn struct {
	line    *Line
	stream  io.ReadWriteCloser
	framing Framing
	wait    Wait
	number  uint64

	chunks chan chunk
	buf    []byte
	marks  []mark // when the bytes of buf came
	opened time.Time
	free   time.Time // when the last byte went out
}

// chunk is what one Read returned.
type chunk struct {
	bytes []byte
	at    time.Time
}

// mark says that the bytes of buf up to end came at a time.
type mark struct {
	end int
	at  time.Time
}

// lingerer is a TCP connection.
type lingerer interface{ SetLinger(sec int) error }

// endedError is the end of a connection by a fault.
type endedError struct{ fault *Fault }

func (e *endedError) Error() string { return "ended by the fault " + string(e.fault.Kind) }

// serve answers requests until the peer closes, ctx ends (both nil), a fault ends the connection or the stream is
// nonsense. It closes the stream.
func (c *conn) serve(ctx context.Context) error {
	c.opened = time.Now()
	leave := c.line.join(c)
	defer leave()
	c.chunks = make(chan chunk, 64)
	var reading sync.WaitGroup
	defer reading.Wait()
	stop := context.AfterFunc(ctx, func() { c.stream.Close() })
	defer stop()
	defer c.stream.Close()
	done := make(chan struct{})
	defer close(done)
	reading.Go(func() { c.read(done) })
	for {
		req, err := c.next(ctx)
		if err == nil {
			err = c.exchange(ctx, req)
		}
		if errors.Is(err, io.EOF) || ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// read puts a time on what arrives, also while serve waits or sends.
func (c *conn) read(done <-chan struct{}) {
	defer close(c.chunks)
	for {
		b := make([]byte, 512)
		n, err := c.stream.Read(b)
		if n > 0 {
			select {
			case c.chunks <- chunk{b[:n], time.Now()}:
			case <-done:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// next returns the next request; io.EOF when there will be none.
func (c *conn) next(ctx context.Context) (frame, error) {
	for {
		if req, ok, err := c.cut(false); ok || err != nil {
			return req, err
		}
		var stalled <-chan time.Time
		var timer *time.Timer
		if len(c.buf) > 0 && c.framing.kind().wire {
			timer = time.NewTimer(c.line.options.Stall)
			stalled = timer.C
		}
		select {
		case in, open := <-c.chunks:
			if !open {
				return frame{}, io.EOF
			}
			c.take(in)
		case <-stalled:
			if req, ok, err := c.cut(true); ok || err != nil {
				return req, err
			}
		case <-ctx.Done():
			return frame{}, ctx.Err()
		}
		if timer != nil {
			timer.Stop()
		}
	}
}

// take appends a chunk, unless it came while nobody listened.
func (c *conn) take(in chunk) {
	if c.line.options.Busy == Loses && in.at.Before(c.free) {
		c.line.journal.lost(len(in.bytes))
		return
	}
	c.buf = append(c.buf, in.bytes...)
	c.marks = append(c.marks, mark{len(c.buf), in.at})
}

// cut takes the first request out of the buffer. A datagram is one request and nothing else, or noise.
func (c *conn) cut(silent bool) (req frame, ok bool, err error) {
	datagram := c.framing.kind().datagram
	req, noise, size, err := c.framing.next(c.buf, silent || datagram)
	if datagram && size < len(c.buf) {
		noise, size, err = len(c.buf), 0, nil
	}
	if err != nil {
		c.line.journal.noise(len(c.buf))
		return frame{}, false, fmt.Errorf("serve connection %d: %w", c.number, err)
	}
	c.line.journal.noise(noise)
	if size > 0 {
		req.at, req.arrived = c.cameAt(noise), c.cameAt(noise+size-1)
		req.pdu = append([]byte(nil), req.pdu...)
		req.adu = append([]byte(nil), req.adu...)
	}
	c.forget(noise + size)
	return req, size > 0, nil
}

// cameAt returns when byte i of the buffer came.
func (c *conn) cameAt(i int) time.Time {
	for _, m := range c.marks {
		if i < m.end {
			return m.at
		}
	}
	return time.Time{}
}

// forget drops the first n bytes of the buffer.
func (c *conn) forget(n int) {
	c.buf = append(c.buf[:0], c.buf[n:]...)
	kept := c.marks[:0]
	for _, m := range c.marks {
		if m.end > n {
			kept = append(kept, mark{m.end - n, m.at})
		}
	}
	c.marks = kept
}

// write sends bytes. On a wire, and in datagrams, bytes that nobody takes are lost.
func (c *conn) write(b []byte) error {
	if d, ok := c.stream.(interface{ SetWriteDeadline(time.Time) error }); ok {
		// a stream without deadlines may block; closing it ends that
		_ = d.SetWriteDeadline(time.Now().Add(writeWithin))
	}
	_, err := c.stream.Write(b)
	kind := c.framing.kind()
	if err != nil && !((kind.wire || kind.datagram) && errors.Is(err, os.ErrDeadlineExceeded)) {
		return fmt.Errorf("send: %w: %w", io.EOF, err)
	}
	return nil
}

// reset closes the connection so that a TCP peer sees a reset, not an end.
func (c *conn) reset() {
	if s, ok := c.stream.(lingerer); ok {
		_ = s.SetLinger(0) // without it the peer sees an end
	}
	c.stream.Close()
}
