package link

import (
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
	frames *frameCounter       // of the link
	renews bool                // another port behind a time-out
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
	if d.late && d.renews {
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
		switch {
		case err != nil:
			d.late = d.late || isTimeout(err)
			return 0, err
		case d.isFrame(b[:n]):
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
		case gone:
			return 0, err
		case n == 0 || d.isFrame(b[:n]):
			return n, nil
		}
	}
}

// isFrame counts what is none.
func (d *datagrams) isFrame(b []byte) bool {
	yes := d.whole(b)
	if !yes {
		d.frames.noise.Add(uint64(len(b)))
	}
	return yes
}
