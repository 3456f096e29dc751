package link

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Ports returns the serial ports of this machine, adapters first. It opens none of them: that would move the control
// lines of a port. The error says why the system does not tell.
func Ports() ([]PortInfo, error) { return machine{root: "/"}.ports() }

// node is a port that can be named.
type node struct {
	path    string
	device  device
	adapter adapter
	onUSB   bool
}

// nodes returns the serial ports that exist. A port of the board without anything behind it has the type 0,
// include/uapi/linux/serial.h.
func (m machine) nodes() ([]node, error) {
	class := m.path("sys/class/tty")
	entries, err := os.ReadDir(class)
	if err != nil {
		return nil, fmt.Errorf("the serial ports of this machine are not known: %w", err)
	}
	paths := m.devices()
	var all []node
	for _, e := range entries {
		at := filepath.Join(class, e.Name())
		if _, err := os.Stat(filepath.Join(at, "device")); err != nil || text(at, "type") == "0" {
			continue // a console, a pseudo-terminal
		}
		n := node{path: m.path("dev", e.Name())}
		if n.device, err = deviceOf(n.path); err != nil || n.device.String() != text(at, "dev") {
			n.path = paths[text(at, "dev")]
			if n.device, err = deviceOf(n.path); err != nil {
				continue // a container that was not given this one
			}
		}
		n.adapter, n.onUSB = m.adapterOf(n.device)
		all = append(all, n)
	}
	return all, nil
}

// devices returns the paths of character devices by their numbers. In a container a port may go by any name.
func (m machine) devices() map[string]string {
	paths := map[string]string{}
	entries, _ := os.ReadDir(m.path("dev"))
	for _, e := range entries {
		path := m.path("dev", e.Name())
		if d, err := deviceOf(path); err == nil {
			paths[d.String()] = path
		}
	}
	return paths
}

func (m machine) ports() ([]PortInfo, error) {
	all, err := m.named()
	opened := m.opened()
	for i := range all {
		all[i].Trouble = m.ready(all[i].Path, opened)
	}
	return all, err
}

// named returns the ports with their names, and does not look whether they can be opened.
func (m machine) named() ([]PortInfo, error) {
	nodes, err := m.nodes()
	if err != nil {
		return nil, err
	}
	var all []PortInfo
	for _, n := range nodes {
		p := PortInfo{Path: n.path}
		if n.onUSB {
			p.Chip, p.Serial = chipText(n.adapter.usbID, n.adapter.says), n.adapter.serial
		}
		p.Name, p.Warning = m.name(n, nodes)
		all = append(all, p)
	}
	sortPorts(all)
	return all, nil
}

// name returns the name of a port that lasts longest. udev names adapters by chip and serial number in by-id, and by
// their sockets in by-path. Chips without serial number, as CH340 and PL2303 are, share one name in by-id, and it leads
// to the one that was found last (Klipper3d/klipper #4975).
func (m machine) name(n node, all []node) (name, warning string) {
	var twins []string
	for _, other := range all {
		if n.onUSB && other.onUSB && other.device != n.device && n.adapter.sameID(other.adapter) {
			twins = append(twins, filepath.Base(other.path))
		}
	}
	id, socket := m.link("by-id", n.device), m.link("by-path", n.device)
	switch {
	case id != "" && twins == nil:
		return id, ""
	case socket != "" && twins != nil:
		return socket, fmt.Sprintf("%s and %s cannot be told apart but by their USB sockets: leave each in its own",
			filepath.Base(n.path), strings.Join(twins, ", "))
	case socket != "":
		return socket, "" // one that is built in has no id
	case n.onUSB:
		return n.path, "ports may be numbered anew when the machine starts, and there is no udev here to name this one"
	}
	return n.path, ""
}

// sameID reports whether udev gives both ports one name in by-id.
func (a adapter) sameID(b adapter) bool {
	return a.usbID == b.usbID && a.serial == b.serial && a.port == b.port
}

// link returns the link in a folder of /dev/serial that leads to a device. Of several it returns the shortest: newer
// udev makes one by-path more, with the version of USB.
func (m machine) link(folder string, d device) (found string) {
	at := m.path("dev/serial", folder)
	entries, _ := os.ReadDir(at)
	for _, e := range entries {
		path := filepath.Join(at, e.Name())
		if is, err := deviceOf(path); err == nil && is == d && (found == "" || len(path) < len(found)) {
			found = path
		}
	}
	return found
}
