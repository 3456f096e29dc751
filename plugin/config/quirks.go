package config

import (
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
		if why := misplaced[k.Key][l.Transport]; why != "" {
			n.Fail("%s: %s; leave it out", k.Key, why)
			continue
		}
		own := profile.LineSettings{Quirks: l.Quirks}
		k.Take(n, &own)
		l.Quirks = own.Quirks
	}
}

// misplaced says why a line of a transport cannot have a key.
var misplaced = map[string]map[Transport]string{
	"transaction_ids": {Serial: "RTU frames have no transaction ids", RTUOverTCP: "RTU frames have no transaction ids"},
	"echo":            {TCP: "only RTU frames can come back as an echo"},
	"direction": {TCP: "a tcp line has no RS485 transceiver of ours",
		RTUOverTCP: "the device server switches its transceiver by itself"},
	"latency_timer": {TCP: "there is no USB adapter on a tcp line",
		RTUOverTCP: "there is no USB adapter on a line over the network"},
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
	if t == TCP {
		all.Echo = protocol.NoEcho
	} else {
		all.Transactions = protocol.StrictTransactions
	}
	if t != Serial {
		all.KeepLatency, all.Direction = false, protocol.AdapterDirection
	}
	return all
}
