package config

import "testing"

// An address may name the interface by which a link-local one is reached, and IPv6 may stand in brackets.
func TestAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"192.168.1.50": "192.168.1.50:502", "192.168.1.50:1502": "192.168.1.50:1502", "inverter": "inverter:502",
		"fe80::1%eth0": "[fe80::1%eth0]:502", "[fe80::1%eth0]:1502": "[fe80::1%eth0]:1502",
		"[fe80::1%eth0]": "[fe80::1%eth0]:502", "::1": "[::1]:502", "[::1]": "[::1]:502",
		"fe80::zz": "", "[inverter]": "", "a:b:c": "", "inverter%eth0": "", "[::1": "", "inverter:0": "",
	} {
		if got, ok := withPort(address, portModbus); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v", address, got, ok)
		}
	}
	for address, want := range map[string]string{"[fe80::1%eth0]:8899": "[fe80::1%eth0]:8899", "fe80::1%eth0": ""} {
		if got, _ := withPort(address, ""); got != want {
			t.Errorf("%s: %q", address, got)
		}
	}
}
