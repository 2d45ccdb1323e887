package main

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"strings"

	p "countersign.dev/controlplane/internal/pkcs10"
)

// relabelled is a PEM text with another block type.
func relabelled(text, blockType string) string {
	block, _ := pem.Decode([]byte(text))
	return p.ArmorAs(blockType, nil, block.Bytes)
}

// headed is a PEM text with a header in its block.
func headed(text string) string {
	block, _ := pem.Decode([]byte(text))
	return p.ArmorAs(block.Type, map[string]string{"Comment": "by hand"}, block.Bytes)
}

func withCarriageReturns(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }

// curveParameters is the block OpenSSL writes in front of an EC key.
func curveParameters(key *ecdsa.PrivateKey) string {
	return p.ArmorAs("EC PARAMETERS", nil, p.CurveParameters(key.Curve))
}

// inPKCS8 is the private key of a pool in PKCS #8.
func inPKCS8(key p.Key) string {
	var private any
	switch key := key.(type) {
	case p.RSAKey:
		private, _ = x509.ParsePKCS1PrivateKey(key.PKCS1PrivateKey())
	case p.ECKey:
		private = key.PrivateKey
	case p.Ed25519Key:
		private = key.PrivateKey
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		panic(err) // only sound keys are asked for
	}
	return p.ArmorAs("PRIVATE KEY", nil, der)
}

// keyForms write a sound key in every way.
func keyForms(pool *p.Pool) []caFiles {
	var vectors []caFiles
	add := func(id, ca, key string) {
		vectors = append(vectors, pair{caNamed(ca).certificatePEM(pool), key}.vector("key-form/"+id))
	}
	rsa, ec, ed := caNamed("ca-rsa2048").keyPEM(pool), caNamed("ca-p256").keyPEM(pool), caNamed("ca-ed25519").keyPEM(pool)
	ecKey := pool.Key("p256-ca").(p.ECKey).PrivateKey
	rsa8, ec8 := inPKCS8(pool.Key("rsa2048-ca")), inPKCS8(pool.Key("p256-ca"))
	add("rsa-pkcs8", "ca-rsa2048", rsa8)
	add("rsa-pkcs8-labelled-pkcs1", "ca-rsa2048", relabelled(rsa8, "RSA PRIVATE KEY"))
	add("rsa-pkcs1-labelled-pkcs8", "ca-rsa2048", relabelled(rsa, "PRIVATE KEY"))
	add("rsa-pkcs1-labelled-ec", "ca-rsa2048", relabelled(rsa, "EC PRIVATE KEY"))
	add("rsa-pkcs1-labelled-private-key-of-any-kind", "ca-rsa2048", relabelled(rsa, "ANY PRIVATE KEY"))
	add("rsa-public-key", "ca-rsa2048", p.ArmorAs("PUBLIC KEY", nil, pool.Key("rsa2048-ca").PublicKey()))
	add("ec-pkcs8", "ca-p256", ec8)
	add("ec-sec1-labelled-pkcs8", "ca-p256", relabelled(ec, "PRIVATE KEY"))
	add("ec-pkcs8-labelled-sec1", "ca-p256", relabelled(ec8, "EC PRIVATE KEY"))
	add("ec-after-parameters", "ca-p256", curveParameters(ecKey)+ec)
	add("ec-before-parameters", "ca-p256", ec+curveParameters(ecKey))
	add("ec-parameters-alone", "ca-p256", curveParameters(ecKey))
	add("ed25519-labelled-ec", "ca-ed25519", relabelled(ed, "EC PRIVATE KEY"))
	add("in-lower-case", "ca-ed25519", relabelled(ed, "private key"))
	add("with-headers", "ca-ed25519", headed(ed))
	add("rsa-with-headers", "ca-rsa2048", headed(rsa))
	add("leading-text", "ca-ed25519", "Bag Attributes\n    name: x\n"+ed)
	add("trailing-text", "ca-ed25519", ed+"that is all\n")
	add("carriage-returns", "ca-ed25519", withCarriageReturns(ed))
	add("no-last-newline", "ca-ed25519", strings.TrimSpace(ed))
	add("byte-order-mark", "ca-ed25519", "\ufeff"+ed)
	add("two-keys-right-one-first", "ca-ed25519", ed+rsa)
	add("two-keys-right-one-last", "ca-ed25519", rsa+ed)
	add("after-a-certificate", "ca-ed25519", caNamed("ca-ed25519").certificatePEM(pool)+ed)
	add("after-a-public-key", "ca-ed25519", p.ArmorAs("PUBLIC KEY", nil, pool.Key("ed25519-ca").PublicKey())+ed)
	add("after-an-unreadable-key", "ca-ed25519", p.ArmorAs("PRIVATE KEY", nil, []byte("junk"))+ed)
	add("after-an-unknown-block", "ca-ed25519", p.ArmorAs("NOTE", nil, []byte("x"))+ed)
	add("mismatch-of-kind", "ca-ed25519", rsa)
	add("mismatch-of-key", "ca-p256", privateKeyPEM(pool.Key("p256")))
	add("cut-short", "ca-ed25519", ed[:len(ed)/2])
	add("der", "ca-ed25519", string(decoded(ed)))
	add("empty", "ca-ed25519", "")
	add("blank", "ca-ed25519", "\n")
	add("junk", "ca-ed25519", "junk")
	add("trailing-der", "ca-rsa2048", p.ArmorAs("RSA PRIVATE KEY", nil, append(decoded(rsa), 0)))
	add("ed25519-trailing-der", "ca-ed25519", p.ArmorAs("PRIVATE KEY", nil, append(decoded(ed), 0)))
	add("ec-trailing-der", "ca-p256", p.ArmorAs("EC PRIVATE KEY", nil, append(decoded(ec), 0)))
	return vectors
}

func decoded(text string) []byte {
	block, _ := pem.Decode([]byte(text))
	return append([]byte{}, block.Bytes...)
}

// certificateForms write a sound certificate in every way.
func certificateForms(pool *p.Pool) []caFiles {
	var vectors []caFiles
	ca := caNamed("ca-ed25519")
	certificate, other := ca.certificatePEM(pool), caNamed("ca-rsa2048").certificatePEM(pool)
	add := func(id, text string) {
		vectors = append(vectors, pair{text, ca.keyPEM(pool)}.vector("certificate-form/"+id))
	}
	add("leading-text", "Certificate:\n    Data:\n"+certificate)
	add("trailing-text", certificate+"that is all\n")
	add("carriage-returns", withCarriageReturns(certificate))
	add("no-last-newline", strings.TrimSpace(certificate))
	add("byte-order-mark", "\ufeff"+certificate)
	add("leading-blank", " "+certificate)
	add("with-headers", headed(certificate))
	add("labelled-x509", relabelled(certificate, "X509 CERTIFICATE"))
	add("labelled-trusted", relabelled(certificate, "TRUSTED CERTIFICATE"))
	add("labelled-request", relabelled(certificate, "CERTIFICATE REQUEST"))
	add("chain", certificate+other)
	add("chain-right-one-last", other+certificate)
	add("twice", certificate+certificate)
	add("chain-with-text-between", certificate+"issuer\n"+other)
	add("two-of-the-same-key", certificate+caNamed("ca-no-ski").certificatePEM(pool))
	add("with-headers-then-plain", headed(certificate)+certificate)
	add("plain-then-with-headers", certificate+headed(other))
	add("after-another-block", p.ArmorAs("NOTE", nil, []byte("x"))+certificate)
	add("before-another-block", certificate+p.ArmorAs("NOTE", nil, []byte("x")))
	add("before-an-unreadable-certificate", certificate+p.ArmorAs("CERTIFICATE", nil, []byte("junk")))
	add("after-an-unreadable-certificate", p.ArmorAs("CERTIFICATE", nil, []byte("junk"))+certificate)
	add("before-a-cut-off-block", certificate+certificate[:100])
	add("trailing-der", p.ArmorAs("CERTIFICATE", nil, append(decoded(certificate), 0)))
	add("cut-short-der", p.ArmorAs("CERTIFICATE", nil, decoded(certificate)[:100]))
	add("cut-short", certificate[:len(certificate)/2])
	add("der", string(decoded(certificate)))
	add("empty", "")
	add("blank", "\n")
	add("junk", "junk")
	add("key-instead", ca.keyPEM(pool))
	return vectors
}

// combinations hold certificate and key in one file, or exchange them.
func combinations(pool *p.Pool) []caFiles {
	var vectors []caFiles
	add := func(id, certificate, key string) {
		vectors = append(vectors, pair{certificate, key}.vector("combination/"+id))
	}
	for _, name := range []string{"ca-rsa2048", "ca-p256", "ca-ed25519"} {
		ca := caNamed(name).pair(pool)
		add(name+"-in-one-file", ca.certificate+ca.key, ca.certificate+ca.key)
		add(name+"-in-one-file-key-first", ca.key+ca.certificate, ca.key+ca.certificate)
		add(name+"-exchanged", ca.key, ca.certificate)
		add(name+"-key-file-is-the-certificate", ca.certificate, ca.certificate)
	}
	add("both-empty", "", "")
	return vectors
}
