package sim

import (
	"context"
	"fmt"
	"net"
	"slices"
)

// discoveryWords are what a Wi-Fi module answers on UDP port 48899. Source: the manuals of Hi-Flying's modules.
var discoveryWords = []string{"WIFIKIT-214028-READ", "HF-A11ASSISTHREAD"}

// ServeDiscovery answers the two words of discovery with each of the answers, "IP,MAC,NAME" of a stick, as a network of
// them does, until ctx ends (nil) or conn fails. What is no such word gets no answer. It closes conn.
func ServeDiscovery(ctx context.Context, conn net.PacketConn, answers ...string) error {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	buf := make([]byte, 512)
	for {
		n, from, err := conn.ReadFrom(buf)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("discovery on %s: %w", conn.LocalAddr(), err)
		}
		if !slices.Contains(discoveryWords, string(buf[:n])) {
			continue
		}
		for _, a := range answers {
			_, _ = conn.WriteTo([]byte(a), from) // who has asked may have gone
		}
	}
}
