package link

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"
)

// explain makes a sentence of what went wrong with TLS, with what a person can do. Other errors stay as they are.
func (m *meeting) explain(err error) error {
	if err == nil || isTimeout(err) {
		return err
	}
	if ours, ok := errors.AsType[pinError](err); ok {
		return ours
	}
	if theirs, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return m.disbelieved(theirs)
	}
	if number, ok := alertOf(err); ok {
		return m.alerted(number, err)
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return fmt.Errorf("it does not speak TLS: is that its port for it, or is it plain Modbus TCP (tcp)? (%w)", err)
	}
	return err
}

// disbelieved says why the device's certificate is not believed.
func (m *meeting) disbelieved(err *tls.CertificateVerificationError) error {
	leaf, name := err.UnverifiedCertificates[0], m.config.ServerName
	pin := fmt.Sprintf("pin: %x", sha256.Sum256(leaf.Raw))
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		if names := certificateNames(leaf); len(names) > 0 {
			return fmt.Errorf("its certificate is for %s, not for %s: say which as server_name, or, if it is the "+
				"device's, %s", strings.Join(names, ", "), name, pin)
		}
		return fmt.Errorf("its certificate has no name that could be compared with %s: if it is the device's, say %s "+
			"instead of ca", name, pin)
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		now := time.Now()
		if now.Before(invalid.Cert.NotBefore) {
			return fmt.Errorf("its certificate is valid from %s on, and here it is %s: set the clock that is wrong",
				day(invalid.Cert.NotBefore), day(now))
		}
		return fmt.Errorf("its certificate has expired on %s: have the device make a new one, or say %s",
			day(invalid.Cert.NotAfter), pin)
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		signed := "signed by " + leaf.Issuer.String()
		if leaf.Issuer.String() == leaf.Subject.String() {
			signed = "signed by itself (" + leaf.Subject.String() + ")"
		}
		from := "no authority that this machine trusts"
		if m.CA != "" {
			from = "none of the authorities in " + m.CA
		}
		return fmt.Errorf("its certificate is %s, which is %s: give that authority as ca, or, if it is the device's, "+
			"say %s", signed, from, pin)
	}
	return fmt.Errorf("its certificate is not believed: %w", err.Err)
}

func day(t time.Time) string { return t.Format(time.DateOnly) }

// certificateNames are those that a certificate is for.
func certificateNames(c *x509.Certificate) []string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// The alerts of a device that is not content with us. Source: RFC 8446, 6.
const (
	alertHandshakeFailure    = 40
	alertBadCertificate      = 42
	alertExpiredCertificate  = 45
	alertUnknownCertificate  = 46
	alertUnknownAuthority    = 48
	alertAccessDenied        = 49
	alertProtocolVersion     = 70
	alertLittleSecurity      = 71
	alertCertificateRequired = 116
)

// alertOf returns the number of the alert that the other end sent. Go keeps its type to itself.
func alertOf(err error) (number uint64, ok bool) {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" || reflect.TypeOf(op.Err).Kind() != reflect.Uint8 {
		return 0, false
	}
	return reflect.ValueOf(op.Err).Uint(), true
}

// alerted says what an alert of the device means.
func (m *meeting) alerted(number uint64, err error) error {
	certificate := number >= alertBadCertificate && number <= alertUnknownCertificate ||
		number == alertUnknownAuthority || number == alertAccessDenied
	switch {
	case m.Certificate == "" && (certificate || number == alertCertificateRequired ||
		m.asked && number == alertHandshakeFailure):
		return fmt.Errorf("it wants to see a certificate of ours: give certificate and key (%w)", err)
	case number == alertExpiredCertificate:
		return fmt.Errorf("it refuses our certificate %s because it has expired, or its clock is wrong (%w)",
			m.Certificate, err)
	case number == alertUnknownAuthority:
		return fmt.Errorf("it refuses our certificate %s: give the device the certificate of the authority that "+
			"signed it (%w)", m.Certificate, err)
	case certificate:
		return fmt.Errorf("it refuses our certificate %s: is it the one that was made for this device? (%w)",
			m.Certificate, err)
	case number == alertHandshakeFailure, number == alertProtocolVersion, number == alertLittleSecurity:
		return fmt.Errorf("it finds nothing in common with us: it may want a certificate of ours, or TLS below 1.2, "+
			"which is refused, or a cipher that ciphers can name (%w)", err)
	}
	return err
}

// hungUpEarly says that the other end has ended the handshake without a word.
func hungUpEarly(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		return fmt.Errorf("it hung up in the handshake of TLS: is that its port for it, is it plain Modbus TCP (tcp), "+
			"or has it a client already? (%w)", err)
	}
	return err
}
