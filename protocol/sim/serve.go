package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// ServeConn answers on one stream until the peer closes it, ctx ends or a fault ends it (nil), or what arrives is not
// Modbus TCP (an error). It closes the stream. It waits with OnTimer, so it works inside testing/synctest over
// net.Pipe.
func (l *Line) ServeConn(ctx context.Context, stream io.ReadWriteCloser, framing Framing) error {
	return l.serve(ctx, stream, framing, l.waits(OnTimer))
}

// ServeTCP answers Modbus TCP on each connection of ln until ctx ends (nil) or ln fails. It closes ln and all
// connections.
func (l *Line) ServeTCP(ctx context.Context, ln net.Listener) error { return l.Serve(ctx, ln, TCP) }

// ServeRTUOverTCP answers RTU frames on each connection of ln, as a transparent serial gateway does, until ctx ends
// (nil) or ln fails. It closes ln and all connections.
func (l *Line) ServeRTUOverTCP(ctx context.Context, ln net.Listener) error {
	return l.Serve(ctx, ln, RTU)
}

// Serve answers on each connection of ln until ctx ends (nil) or ln fails. It closes ln and all connections.
func (l *Line) Serve(ctx context.Context, ln net.Listener, framing Framing) error {
	return l.accept(ctx, ln, func(ctx context.Context, conn net.Conn) {
		// What a client sends is its own affair: nonsense ends its connection and is counted as noise.
		_ = l.serve(ctx, conn, framing, l.waits(OnTheDot))
	})
}

func (l *Line) accept(ctx context.Context, ln net.Listener, serve func(context.Context, net.Conn)) error {
	var serving sync.WaitGroup
	defer serving.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer ln.Close()
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	for {
		stream, err := ln.Accept()
		if ctx.Err() != nil {
			if err == nil {
				stream.Close()
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept on %s: %w", ln.Addr(), err)
		}
		serving.Go(func() { serve(ctx, stream) })
	}
}

// ServePTY answers on p until ctx ends (nil) or p is closed (ErrPTYClosed). While p is unplugged it waits. A fault
// that closes the connection unplugs p; it is plugged in again after the fault's Delay, or when somebody calls Plug if
// that is 0. It closes p.
func (l *Line) ServePTY(ctx context.Context, p *PTY, framing Framing) error {
	defer p.Close()
	for {
		master, err := p.plugged(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		err = l.serveStream(ctx, master, framing, l.waits(OnTheDot))
		if ended := (*endedError)(nil); errors.As(err, &ended) {
			err = p.away(ctx, ended.fault.Delay, l.waits(OnTheDot))
		} else if err == nil && ctx.Err() == nil && p.holds(master) {
			err = errors.New("the pty ended by itself")
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// serve is serveStream to which an end by a fault is an end as any other.
func (l *Line) serve(ctx context.Context, stream io.ReadWriteCloser, framing Framing, wait Wait) error {
	err := l.serveStream(ctx, stream, framing, wait)
	if ended := (*endedError)(nil); errors.As(err, &ended) {
		return nil
	}
	return err
}

func (l *Line) serveStream(ctx context.Context, stream io.ReadWriteCloser, framing Framing, wait Wait) error {
	if f, ok := framing.(interface {
		over(stream io.ReadWriteCloser) io.ReadWriteCloser
	}); ok {
		stream = f.over(stream)
	}
	c := &conn{line: l, stream: stream, framing: framing, wait: wait}
	return c.serve(ctx)
}

// away unplugs p, for d if that is not 0.
func (p *PTY) away(ctx context.Context, d time.Duration, wait Wait) error {
	if err := p.Unplug(); err != nil || d == 0 {
		return err
	}
	if err := wait(ctx, time.Now().Add(d)); err != nil {
		return err
	}
	return p.Plug()
}
