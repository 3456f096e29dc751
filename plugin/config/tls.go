package config

import "solarhub/devices/profile/strict"

// tlsKeys are those of a tls line.
var tlsKeys = []string{"certificate", "key", "ca", "pin", "server_name", "ciphers"}

// readTLS reads whom a line believes and who SolarHub is to it. Files that cannot be used are findings.
func readTLS(p *parser, l *Line, f strict.Fields) {
	file := func(key string, into *string) {
		if text, ok := f.Get(key).Text(); ok {
			*into = p.path(text)
		}
	}
	s := &l.TLS
	file("certificate", &s.Certificate)
	file("key", &s.Key)
	file("ca", &s.CA)
	s.Pin, _ = f.Get("pin").Text()
	s.ServerName, _ = f.Get("server_name").Text()
	for _, n := range f.Get("ciphers").Items() {
		if name, ok := n.Text(); ok {
			s.Ciphers = append(s.Ciphers, name)
		}
	}
	if err := s.Check(); err != nil {
		f.At.Fail("%v", err)
	}
}
