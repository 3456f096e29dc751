package link

import (
	"cmp"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
)

// TLS says whom a link believes and who it is itself. Nothing is believed unseen: without CA and Pin the device's
// certificate must be signed by an authority that this machine trusts.
type TLS struct {
	// Certificate and Key are PEM files: our certificate, with those of the authorities between it and the root behind
	// it, and its key. A device that follows the standard refuses who has none.
	Certificate, Key string
	// CA is a PEM file of the authorities that sign devices' certificates. A device that has signed its own is its own
	// authority.
	CA string
	// Pin is the SHA-256 fingerprint of the one certificate that is believed, whoever signed it, whatever its name and
	// its dates: 64 hexadecimal digits, with colons or without.
	Pin string
	// ServerName is the name that the device's certificate must have. Defaults to the host of the address.
	ServerName string
	// Ciphers are the suites of TLS 1.2 that are offered, by their names, for devices that have none of Go's: the
	// standard asks for TLS_RSA_WITH_AES_128_CBC_SHA256. Defaults to Go's.
	Ciphers []string
}

// Check reads the files and says what is wrong with them or with the rest.
func (s TLS) Check() error {
	_, err := s.meet("")
	return err
}

// meeting is one handshake: what goes into it and what it has shown.
type meeting struct {
	TLS
	config *tls.Config
	asked  bool // the device wants to see a certificate of ours
}

// meet prepares a handshake with an address.
func (s TLS) meet(address string) (*meeting, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	ours, err := s.identity()
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: cmp.Or(s.ServerName, host)}
	m := &meeting{TLS: s, config: c}
	// Not Certificates: these are only shown where the device names their authority, and then it could not say what is
	// wrong with ours.
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		m.asked = true
		return &ours, nil
	}
	return m, cmp.Or(err, s.trust(c), s.suites(c))
}

// identity reads our certificate; it is empty if we have none.
func (s TLS) identity() (ours tls.Certificate, err error) {
	switch {
	case s.Certificate == "" && s.Key == "":
		return ours, nil
	case s.Certificate == "" || s.Key == "":
		return ours, errors.New("certificate and key belong together: one of them is missing")
	}
	if ours, err = tls.LoadX509KeyPair(s.Certificate, s.Key); err != nil {
		return ours, fmt.Errorf("our certificate %s with its key %s: %w", s.Certificate, s.Key, err)
	}
	return ours, nil
}

// trust says whom to believe.
func (s TLS) trust(c *tls.Config) error {
	switch {
	case s.CA != "" && s.Pin != "":
		return errors.New("ca and pin are given: a pin needs no authority, say one of them")
	case s.CA != "":
		text, err := os.ReadFile(s.CA)
		if err != nil {
			return fmt.Errorf("the authority's certificate: %w", err)
		}
		if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(text) {
			return fmt.Errorf("the authority's certificate: %s has none in PEM form", s.CA)
		}
	case s.Pin != "":
		pin, err := parsePin(s.Pin)
		if err != nil {
			return err
		}
		c.InsecureSkipVerify = true // what is verified is the pin
		c.VerifyConnection = func(state tls.ConnectionState) error {
			if got := sha256.Sum256(state.PeerCertificates[0].Raw); got != pin {
				return pinError(got)
			}
			return nil
		}
	}
	return nil
}

func parsePin(text string) (pin [sha256.Size]byte, err error) {
	b, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
	if err != nil || len(b) != len(pin) {
		return pin, fmt.Errorf("pin %q is not the SHA-256 fingerprint of a certificate: 64 hexadecimal digits", text)
	}
	return [sha256.Size]byte(b), nil
}

// suites finds the ciphers by their names.
func (s TLS) suites(c *tls.Config) error {
	known := map[string]uint16{}
	for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		known[suite.Name] = suite.ID
	}
	for _, name := range s.Ciphers {
		id, ok := known[name]
		if !ok {
			return fmt.Errorf("cipher %q is none that Go has; it has names like TLS_RSA_WITH_AES_128_CBC_SHA256", name)
		}
		c.CipherSuites = append(c.CipherSuites, id)
	}
	return nil
}

// pinError is a certificate that is not the pinned one, by its fingerprint.
type pinError [sha256.Size]byte

func (e pinError) Error() string {
	return fmt.Sprintf("its certificate is not the pinned one: is it another device, or has it made a new one? "+
		"Its pin is %x", e[:])
}
