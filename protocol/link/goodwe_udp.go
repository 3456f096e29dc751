package link

import (
	"cmp"
	"context"
	"time"
)

// DefaultGoodWeTimeout: a module answers within 0.6 s or not at all (marcelblijleven/goodwe #22,
// mletenay/home-assistant-goodwe-inverter #160, #280).
const DefaultGoodWeTimeout = time.Second

// goodWeHead stands in front of each reply, which is else an RTU frame. Source: marcelblijleven/goodwe (protocol.py).
var goodWeHead = []byte{0xAA, 0x55}

// NewGoodWeUDP returns a closed link to the Wi-Fi or LAN module of a GoodWe inverter, UDP port 8899: RTU frames in
// datagrams, the replies behind a head of the maker's own. Each request goes out from a port of its own, since modules
// answer worse at one that was used before (mletenay/home-assistant-goodwe-inverter #280); so a late reply reaches
// nobody.
func NewGoodWeUDP(cfg UDPConfig) *RTULink {
	l := newRTULink(RTUConfig{
		Serial: cfg.Serial, Name: cfg.Name, Timeout: cmp.Or(cfg.Timeout, DefaultGoodWeTimeout), Gap: cfg.Gap,
		Quirks: cfg.Quirks, Never: cfg.Never, Trace: cfg.Trace,
	}, cfg.Address)
	l.dial = func(ctx context.Context) (stream, error) {
		return dialUDP(ctx, cfg.Dial, cfg.Address, datagrams{whole: isRTU, head: goodWeHead, frames: &l.frames,
			renews: true, always: true, joins: true})
	}
	return l
}
