package config

import (
	"fmt"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/devices/profile/strict"
	"solarhub/protocol"
)

// lineQuirks sets how the connection of a line is treated: as the line says, else as the families of its devices need.
func lineQuirks(l *Line, f strict.Fields, entries []deviceEntry) {
	var all []devices.Config
	for _, p := range entries {
		all = append(all, p.device)
	}
	l.Quirks = SharedQuirks(l.Transport, all)
	for _, k := range profile.Settings {
		n := f.Get(k.Key)
		if n == nil || !k.Shared {
			continue
		}
		if why := misplaced(k.Key, l.Transport); why != "" {
			n.Fail("%s: %s; leave it out", k.Key, why)
			continue
		}
		own := profile.LineSettings{Quirks: l.Quirks}
		k.Take(n, &own)
		l.Quirks = own.Quirks
	}
}

// misplaced says why a line of a transport cannot have a key, "" if it can.
func misplaced(key string, t Transport) string {
	switch {
	case key == "transaction_ids" && !t.HasIDs():
		return "RTU frames have no transaction ids"
	case key == "echo" && !t.HasSerial():
		return "only what goes over a serial line can come back as an echo"
	case key == "direction" && !t.OnPort() && t.HasSerial():
		return "the device server switches its transceiver by itself"
	case key == "direction" && !t.OnPort():
		return fmt.Sprintf("a %s line has no RS485 transceiver of ours", t)
	case key == "latency_timer" && !t.OnPort():
		return fmt.Sprintf("there is no USB adapter on a %s line", t)
	}
	return ""
}

// SharedQuirks joins the needs of the families of a line: the longest delay, and each exception that one of them needs
// and the transport has.
func SharedQuirks(t Transport, of []devices.Config) protocol.Quirks {
	var all protocol.Quirks
	for _, d := range of {
		q := d.Profile.Line.Quirks
		all.ConnectDelay = max(all.ConnectDelay, q.ConnectDelay)
		all.Transactions = max(all.Transactions, q.Transactions)
		all.Units = max(all.Units, q.Units)
		all.Echo = max(all.Echo, q.Echo)
		all.KeepLatency = all.KeepLatency || q.KeepLatency
		all.Direction = max(all.Direction, q.Direction)
	}
	if !t.HasSerial() {
		all.Echo = protocol.NoEcho
	}
	if !t.HasIDs() {
		all.Transactions = protocol.StrictTransactions
	}
	if !t.OnPort() {
		all.KeepLatency, all.Direction = false, protocol.AdapterDirection
	}
	return all
}
