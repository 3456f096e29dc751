package sim

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Datagrams is a framing with one frame in each datagram, as Modbus TCP and RTU have over UDP. Nothing but the frame
// may be in it. Source: simonvetter/modbus, README (udp, rtuoverudp).
func Datagrams(of Framing) Framing {
	kind := of.kind()
	kind.name, kind.datagram, kind.wire, kind.gaps = kind.name+" in datagrams", true, false, false
	return datagrams{of, kind}
}

// datagrams is a framing with other manners.
type datagrams struct {
	Framing
	manners manners
}

func (d datagrams) kind() manners  { return d.manners }
func (d datagrams) String() string { return d.manners.name }

// forgetPeer is how long a peer may be silent until it is a new one. A client that takes a new port whenever it has
// waited in vain leaves many behind.
const forgetPeer = time.Minute

// ServeUDP answers the datagrams of every peer until ctx ends (nil) or pc fails. Each peer is a connection of its own;
// behind a fault that ends it, it is a new one. It closes pc.
func (l *Line) ServeUDP(ctx context.Context, pc net.PacketConn, framing Framing) error {
	var serving sync.WaitGroup
	defer serving.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer pc.Close()
	stop := context.AfterFunc(ctx, func() { pc.Close() })
	defer stop()
	framing = Datagrams(framing)
	var peers peers
	buf := make([]byte, 1<<16)
	for {
		n, from, err := pc.ReadFrom(buf)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read on %s: %w", pc.LocalAddr(), err)
		}
		p, known := peers.find(from, pc)
		p.got(append([]byte(nil), buf[:n]...))
		if !known {
			serving.Go(func() {
				_ = l.serve(ctx, p, framing, l.waits(OnTheDot)) // what a client sends is its own affair
			})
		}
	}
}

// peers are those that were heard lately, by address.
type peers struct {
	mu   sync.Mutex
	here map[string]*peer
}

func (ps *peers) find(from net.Addr, pc net.PacketConn) (p *peer, known bool) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if p, known = ps.here[from.String()]; known {
		return p, true
	}
	p = &peer{pc: pc, to: from, in: make(chan []byte, 64), gone: make(chan struct{})}
	p.leave = func() {
		ps.mu.Lock()
		defer ps.mu.Unlock()
		delete(ps.here, from.String())
	}
	if ps.here == nil {
		ps.here = map[string]*peer{}
	}
	ps.here[from.String()] = p
	return p, false
}

// peer is the stream of one client's datagrams: Read returns one, Write sends one.
type peer struct {
	pc    net.PacketConn
	to    net.Addr
	in    chan []byte
	once  sync.Once
	gone  chan struct{}
	leave func()
}

// got takes a datagram, or loses it where too many wait.
func (p *peer) got(b []byte) {
	select {
	case p.in <- b:
	default:
	}
}

func (p *peer) Read(b []byte) (int, error) {
	idle := time.NewTimer(forgetPeer)
	defer idle.Stop()
	select {
	case in := <-p.in:
		return copy(b, in), nil
	case <-idle.C:
	case <-p.gone:
	}
	return 0, io.EOF
}

func (p *peer) Write(b []byte) (int, error) { return p.pc.WriteTo(b, p.to) }

func (p *peer) Close() error {
	p.once.Do(func() {
		close(p.gone)
		p.leave()
	})
	return nil
}
