package sim

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"time"
)

// roleOID is the extension of a certificate that says what its owner may do. Source: MODBUS/TCP Security Protocol
// Specification, R-21 to R-23.
var roleOID = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 50316, 802, 1}

// Certificate is what a device or its client is to have.
type Certificate struct {
	Names       []string // of the network, addresses among them; the first is also the common name
	Role        string   // in a client's, what it may do; "": none
	From, Until time.Time
	Authority   bool // it may sign others
}

// Make makes the certificate with a key of its own on P-256, signed by an authority, or by itself if by is nil. It is
// valid for ten years if it does not say otherwise.
func (c Certificate) Make(by *tls.Certificate) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	text, err := c.template()
	if err != nil {
		return tls.Certificate{}, err
	}
	parent, signer := text, crypto.PrivateKey(key)
	var chain [][]byte
	if by != nil {
		parent, signer, chain = by.Leaf, by.PrivateKey, by.Certificate
	}
	der, err := x509.CreateCertificate(rand.Reader, text, parent, &key.PublicKey, signer)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: slices.Concat([][]byte{der}, chain), PrivateKey: key, Leaf: leaf}, err
}

func (c Certificate) template() (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{SerialNumber: serial, NotBefore: c.From, NotAfter: c.Until, IsCA: c.Authority,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	if c.From.IsZero() {
		t.NotBefore = time.Now().Add(-time.Hour)
	}
	if c.Until.IsZero() {
		t.NotAfter = t.NotBefore.AddDate(10, 0, 0)
	}
	if c.Authority {
		t.KeyUsage, t.ExtKeyUsage = x509.KeyUsageCertSign, nil
	}
	for i, name := range c.Names {
		if i == 0 {
			t.Subject = pkix.Name{CommonName: name}
		}
		if ip, err := netip.ParseAddr(name); err == nil {
			t.IPAddresses = append(t.IPAddresses, ip.AsSlice())
		} else if !c.Authority {
			t.DNSNames = append(t.DNSNames, name)
		}
	}
	if c.Role != "" {
		role, err := asn1.MarshalWithParams(c.Role, "utf8")
		if err != nil {
			return nil, err
		}
		t.ExtraExtensions = []pkix.Extension{{Id: roleOID, Value: role}}
	}
	return t, nil
}

// roleIn returns the role that a certificate gives; ok is false if it gives none. Only a UTF8String is one.
func roleIn(c *x509.Certificate) (role string, ok bool) {
	for _, e := range c.Extensions {
		var value asn1.RawValue
		if !e.Id.Equal(roleOID) {
			continue
		}
		rest, err := asn1.Unmarshal(e.Value, &value)
		if err == nil && len(rest) == 0 && value.Tag == asn1.TagUTF8String {
			return string(value.Bytes), true
		}
	}
	return "", false
}

// PEM returns the certificate with its chain, and its key, as files have them.
func PEM(c tls.Certificate) (certificate, key []byte, err error) {
	var text bytes.Buffer
	for _, der := range c.Certificate {
		if err := pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
			return nil, nil, err
		}
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		return nil, nil, fmt.Errorf("the key: %w", err)
	}
	return text.Bytes(), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
