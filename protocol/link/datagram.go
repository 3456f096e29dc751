package link

import (
	"bytes"
	"context"
	"io"
	"net"
	"time"
)

// datagrams is a stream of frames over UDP, one in each datagram: frames are never joined or split. What is more or
// less than one frame is dropped, so that it spoils nothing that comes behind it, as it does where datagrams are taken
// for a stream of bytes (simonvetter/modbus, udp.go).
//
// The reply to a request that has timed out may still come. Where replies do not say which request they answer, the
// next request goes out from another port: the kernel drops what comes to the old one.
type datagrams struct {
	socket *peekConn
	by     DialFunc
	whole  func(b []byte) bool // whether a datagram is one frame
	head   []byte              // in front of each frame, and no part of it
	frames *frameCounter       // of the link
	renews bool                // another port behind a time-out
	always bool                // and for each other request
	joins  bool                // a frame may come in two, as from some modules of GoodWe (marcelblijleven/goodwe)
	part   []byte              // the first of them
	late   bool                // the last request has timed out

	deadline time.Time
}

// dialUDP makes the socket of a link. It is connected, so the kernel drops the datagrams of other senders.
func dialUDP(ctx context.Context, by DialFunc, address string, d datagrams) (stream, error) {
	if by == nil {
		by = new(net.Dialer).DialContext
	}
	ctx, cancel := context.WithTimeout(ctx, DefaultDialTimeout) // the name is looked up
	defer cancel()
	conn, err := by(ctx, "udp", address)
	if err != nil {
		return nil, err
	}
	peer := conn.RemoteAddr().String()
	d.socket = newPeekConn(conn)
	d.by = func(ctx context.Context, network, _ string) (net.Conn, error) { return by(ctx, network, peer) }
	return &d, nil
}

func (d *datagrams) Close() error { return d.socket.Close() }

func (d *datagrams) SetDeadline(t time.Time) error {
	d.deadline = t
	return d.socket.SetDeadline(t)
}

// Write sends a request.
func (d *datagrams) Write(b []byte) (int, error) {
	d.part = nil
	if d.renews && (d.late || d.always) {
		if err := d.renew(); err != nil {
			return 0, err
		}
	}
	d.late = false
	return d.socket.Write(b)
}

// renew takes another port. No name is looked up, so it takes no time.
func (d *datagrams) renew() error {
	conn, err := d.by(context.Background(), "udp", "")
	if err != nil {
		return err
	}
	d.socket.Close()
	d.socket = newPeekConn(conn)
	return d.socket.SetDeadline(d.deadline)
}

// Read returns the next frame.
func (d *datagrams) Read(b []byte) (int, error) {
	for {
		n, err := d.socket.Read(b)
		if err != nil {
			d.late = d.late || isTimeout(err)
			return 0, err
		}
		if n = d.frame(b, n); n > 0 {
			return n, nil
		}
	}
}

// readAvailable returns the next frame that has come in already, nothing and no error if there is none.
func (d *datagrams) readAvailable(b []byte) (int, error) {
	for {
		n, gone := d.socket.readAvailable(b)
		switch err := d.socket.err; {
		case gone && d.socket.raw != nil && err == io.EOF: // so the kernel tells an empty datagram
			continue
		case gone:
			return 0, err
		case n == 0:
			return 0, nil
		}
		if n = d.frame(b, n); n > 0 {
			return n, nil
		}
	}
}

// frame makes the frame in a datagram of n bytes the first bytes of b and returns its length, 0 if there is none. What
// is none is counted.
func (d *datagrams) frame(b []byte, n int) int {
	in := b[:n]
	if d.part != nil {
		in = append(d.part, in...)
		d.part = nil
	}
	frame, ours := bytes.CutPrefix(in, d.head)
	if ours && d.whole(frame) {
		return copy(b, frame)
	}
	if _, _, looks := parseReply(frame); ours && d.joins && looks == partial {
		d.part = bytes.Clone(in)
		return 0
	}
	d.frames.noise.Add(uint64(len(in)))
	return 0
}
