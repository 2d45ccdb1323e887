package main

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha1"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"time"

	p "countersign.dev/controlplane/internal/pkcs10"
)

// authority is a CA pair that the verdicts are made with.
type authority struct {
	name    string
	key     string // of the key pool
	scheme  p.Scheme
	subject p.Name
	// notAfter is the end of its life when that is not authorityEnds.
	notAfter time.Time
	// bare leaves out the subject key identifier, leaf the authority extensions.
	bare, leaf bool
}

var (
	authorityBegins = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	authorityEnds   = time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC)
	// endsSoon is when the CA ca-ends-soon expires: a day after the time most verdicts are given for.
	endsSoon = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
)

// oddSubject is a name that changes when it is parsed and written again.
var oddSubject = p.Name{
	{p.UTF8(p.CommonName, "Ünusual CA"), p.UTF8(p.Organization, "b"), p.BMP(p.Organization, "a")},
	{p.Text(p.EmailAddress, p.TagIA5String, "ca@example.com")},
	{p.Text(p.Country, p.TagPrintableString, "DE")},
	{p.Text(p.DomainComponent, p.TagIA5String, "example")},
}

func authorities() []authority {
	plain := p.NameOf(p.UTF8(p.CommonName, "kubernetes"))
	rsa, p256 := p.RSAWith(crypto.SHA256), p.ECDSAWith(crypto.SHA256)
	ed := p.Ed25519()
	return []authority{
		{name: "ca-rsa2048", key: "rsa2048-ca", scheme: rsa, subject: plain},
		{name: "ca-rsa4096", key: "rsa4096", scheme: p.RSAWith(crypto.SHA512), subject: plain},
		{name: "ca-p256", key: "p256-ca", scheme: p256, subject: plain},
		{name: "ca-p384", key: "p384-ca", scheme: p.ECDSAWith(crypto.SHA384), subject: plain},
		{name: "ca-p521", key: "p521-ca", scheme: p.ECDSAWith(crypto.SHA512), subject: plain},
		{name: "ca-ed25519", key: "ed25519-ca", scheme: ed, subject: plain},
		{name: "ca-no-ski", key: "ed25519-ca", scheme: ed, subject: plain, bare: true},
		{name: "ca-odd-subject", key: "ed25519-ca", scheme: ed, subject: oddSubject},
		{name: "ca-empty-subject", key: "ed25519-ca", scheme: ed, subject: p.Name{}},
		{name: "ca-not-a-ca", key: "ed25519-ca", scheme: ed, subject: plain, leaf: true},
		{name: "ca-ends-soon", key: "ed25519-ca", scheme: ed, subject: plain, notAfter: endsSoon},
	}
}

// certificate is the CA's self-signed certificate in DER.
func (a authority) certificate(pool *p.Pool) []byte {
	certificate := p.Certificate{
		Serial: 1, Subject: a.subject, NotBefore: authorityBegins, NotAfter: authorityEnds, Key: pool.Key(a.key), Scheme: a.scheme,
	}
	if !a.notAfter.IsZero() {
		certificate.NotAfter = a.notAfter
	}
	if !a.leaf {
		certificate.Extensions = p.AuthorityExtensions()
	}
	if !a.bare {
		identifier := sha1.Sum(certificate.Key.PublicKey())
		certificate.Extensions = append(certificate.Extensions, p.SubjectKeyIdentifier(identifier[:]))
	}
	return certificate.DER()
}

// certificatePEM and keyPEM are the two files of the pair.
func (a authority) certificatePEM(pool *p.Pool) string {
	return p.ArmorAs("CERTIFICATE", nil, a.certificate(pool))
}

func (a authority) keyPEM(pool *p.Pool) string { return privateKeyPEM(pool.Key(a.key)) }

// privateKeyPEM is a private key in the form customary for its kind: PKCS #1, SEC 1 or PKCS #8.
func privateKeyPEM(key p.Key) string {
	var blockType string
	var der []byte
	var err error
	switch key := key.(type) {
	case p.RSAKey:
		blockType, der = "RSA PRIVATE KEY", key.PKCS1PrivateKey()
	case p.ECKey:
		blockType = "EC PRIVATE KEY"
		der, err = x509.MarshalECPrivateKey(key.PrivateKey)
	case p.Ed25519Key:
		blockType = "PRIVATE KEY"
		der, err = x509.MarshalPKCS8PrivateKey(ed25519.PrivateKey(key.PrivateKey))
	}
	if err != nil {
		panic(err) // the pool makes only keys that can be written
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der}))
}

// writeAuthorities writes the pairs as <name>.crt and <name>.key.
func writeAuthorities(directory string, pool *p.Pool) error {
	for _, authority := range authorities() {
		base := filepath.Join(directory, authority.name)
		if err := os.WriteFile(base+".crt", []byte(authority.certificatePEM(pool)), 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(base+".key", []byte(authority.keyPEM(pool)), 0o644); err != nil {
			return err
		}
	}
	return nil
}
