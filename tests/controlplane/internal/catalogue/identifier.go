package catalogue

import (
	"bytes"
	"crypto"
	"math/big"
	"slices"

	p "countersign.dev/controlplane/internal/pkcs10"
)

// identifierSignings name the signature's algorithm in unusual ways; the signature itself is sound.
func identifierSignings() []Signing {
	rsa, ec, ed := p.RSAWith(crypto.SHA256), p.ECDSAWith(crypto.SHA256), p.Ed25519()
	rsaOID, ecOID, edOID := p.RSAOID(crypto.SHA256), p.ECDSAOID(crypto.SHA256), p.ObjectIdentifier(1, 3, 101, 112)
	of := func(name, key string, scheme p.Scheme, verdict Verdict, parts ...[]byte) Signing {
		return Signing{Name: "identifier-" + name, Key: key, Scheme: scheme.As(p.Sequence(parts...)), Verdict: verdict}
	}
	return []Signing{
		of("rsa-without-null", "rsa2048", rsa, Taken, rsaOID),
		of("rsa-with-junk", "rsa2048", rsa, Taken, rsaOID, p.SmallInteger(5)),
		of("rsa-of-other-hash", "rsa2048", rsa, Refused, p.RSAOID(crypto.SHA384), p.Null()),
		of("rsa-as-the-key", "rsa2048", rsa, Refused, p.ObjectIdentifier(1, 2, 840, 113549, 1, 1, 1), p.Null()),
		of("rsa-sha1-of-iso", "rsa2048", p.RSAWith(crypto.SHA1), Taken, p.ObjectIdentifier(1, 3, 14, 3, 2, 29), p.Null()),
		of("ec-with-null", "p256", ec, Taken, ecOID, p.Null()),
		of("ec-with-curve", "p256", ec, Taken, ecOID, p.ObjectIdentifier(1, 2, 840, 10045, 3, 1, 7)),
		of("ec-of-other-hash", "p256", ec, Refused, p.ECDSAOID(crypto.SHA384)),
		of("ed25519-with-null", "ed25519", ed, Refused, edOID, p.Null()),
		of("ed25519ph", "ed25519", ed, Refused, p.ObjectIdentifier(1, 3, 101, 114)),
		of("rsa-on-ec-key", "p256", ec, Refused, rsaOID, p.Null()),
		of("ec-on-rsa-key", "rsa2048", rsa, Refused, ecOID),
		of("ec-on-ed25519-key", "ed25519", ed, Refused, ecOID),
		of("ed25519-on-ec-key", "p256", ec, Refused, edOID),
		of("unknown", "p256", ec, Refused, p.ObjectIdentifier(1, 2, 3, 4)),
		of("dsa-with-sha256", "p256", ec, Refused, p.ObjectIdentifier(2, 16, 840, 1, 101, 3, 4, 3, 2)),
		of("empty", "p256", ec, Refused),
		of("with-two-parameters", "rsa2048", rsa, Taken, rsaOID, p.Null(), p.Null()),
	}
}

// publicKeySignings write an RSA or Ed25519 public key in unusual ways.
func publicKeySignings() []Signing {
	rsaOID := p.ObjectIdentifier(1, 2, 840, 113549, 1, 1, 1)
	rsa := func(name string, public func(p.RSAKey) []byte) Signing {
		return Signing{Name: "rsa-" + name, Key: "rsa2048", Scheme: p.RSAWith(crypto.SHA256), Verdict: Refused,
			Public: func(key p.Key) []byte { return public(key.(p.RSAKey)) }}
	}
	ed := func(name string, public func(p.Ed25519Key) []byte) Signing {
		return Signing{Name: "ed25519-" + name, Key: "ed25519", Scheme: p.Ed25519(), Verdict: Refused,
			Public: func(key p.Key) []byte { return public(key.(p.Ed25519Key)) }}
	}
	with := func(identifier ...[]byte) func(p.RSAKey) []byte {
		return func(key p.RSAKey) []byte { return p.RSAPublicKey(p.Sequence(identifier...), key.PKCS1PublicKey()) }
	}
	exponent := func(e int) func(p.RSAKey) []byte {
		return func(key p.RSAKey) []byte { return rsaNumbers(key.Modulus, e) }
	}
	return []Signing{
		rsa("without-null", with(rsaOID)),
		rsa("with-pss-oid", with(p.ObjectIdentifier(1, 2, 840, 113549, 1, 1, 10))),
		rsa("of-unknown-algorithm", with(p.ObjectIdentifier(1, 2, 3, 4), p.Null())),
		rsa("exponent-three", exponent(3)),
		rsa("exponent-even", exponent(65536)),
		rsa("exponent-one", exponent(1)),
		rsa("exponent-zero", exponent(0)),
		rsa("exponent-negative", exponent(-3)),
		rsa("exponent-of-33-bits", exponent(1<<32+1)),
		rsa("modulus-zero", func(p.RSAKey) []byte { return rsaNumbers(new(big.Int), 65537) }),
		rsa("key-trailing-data", func(key p.RSAKey) []byte {
			return p.RSAPublicKey(p.Sequence(rsaOID, p.Null()), append(key.PKCS1PublicKey(), 0))
		}).takenAnyway(),
		rsa("key-is-junk", func(p.RSAKey) []byte { return p.RSAPublicKey(p.Sequence(rsaOID, p.Null()), []byte("junk")) }),
		ed("with-null", func(key p.Ed25519Key) []byte {
			return p.Sequence(p.Sequence(p.ObjectIdentifier(1, 3, 101, 112), p.Null()), p.BitString(key.PrivateKey[32:]))
		}),
		ed("cut-short", func(key p.Ed25519Key) []byte {
			return p.Sequence(p.Sequence(p.ObjectIdentifier(1, 3, 101, 112)), p.BitString(key.PrivateKey[33:]))
		}),
		ed("as-x25519", func(key p.Ed25519Key) []byte {
			return p.Sequence(p.Sequence(p.ObjectIdentifier(1, 3, 101, 110)), p.BitString(key.PrivateKey[32:]))
		}),
		ed("as-ed448", func(key p.Ed25519Key) []byte {
			return p.Sequence(p.Sequence(p.ObjectIdentifier(1, 3, 101, 113)), p.BitString(append([]byte{0}, key.PrivateKey[7:]...)))
		}),
	}
}

// rsaNumbers is a SubjectPublicKeyInfo with any numbers for an RSA key.
func rsaNumbers(modulus *big.Int, exponent int) []byte {
	identifier := p.Sequence(p.ObjectIdentifier(1, 2, 840, 113549, 1, 1, 1), p.Null())
	return p.RSAPublicKey(identifier, p.Sequence(p.Integer(modulus), p.SmallInteger(exponent)))
}

// weakKeySignings are excepted for how they sign, and refused for the key they sign with.
func weakKeySignings() []Signing {
	of := func(name string, public func(modulus *big.Int) []byte) Signing {
		return Signing{Name: "weak-rsa-" + name, Key: "rsa1024", Scheme: p.RSAWith(crypto.SHA384), Verdict: Refused,
			Public: func(key p.Key) []byte { return public(key.(p.RSAKey).Modulus) }}
	}
	exponent := func(e int) func(*big.Int) []byte {
		return func(modulus *big.Int) []byte { return rsaNumbers(modulus, e) }
	}
	return []Signing{
		of("exponent-one", exponent(1)),
		of("exponent-even", exponent(65536)),
		of("exponent-of-33-bits", exponent(1<<32+1)),
		of("modulus-even", func(modulus *big.Int) []byte { return rsaNumbers(new(big.Int).Sub(modulus, big.NewInt(1)), 65537) }),
	}
}

// neutralSignings have the neutral point of Ed25519 for a key, in each form that Go decodes; one signature suits every message.
func neutralSignings() []Signing {
	signature := append([]byte{1}, make([]byte, 63)...)
	of := func(name string, verdict Verdict, first, between, last byte) Signing {
		point := slices.Concat([]byte{first}, bytes.Repeat([]byte{between}, 30), []byte{last})
		public := p.Sequence(p.Sequence(p.ObjectIdentifier(1, 3, 101, 112)), p.BitString(point))
		return Signing{Name: "ed25519-neutral-" + name, Key: "ed25519", Scheme: p.Ed25519(), Verdict: verdict,
			Public: func(p.Key) []byte { return public }, Mangle: func([]byte) []byte { return signature }}
	}
	return []Signing{
		of("canonical", Taken, 0x01, 0x00, 0x00),
		of("negative", Excepted, 0x01, 0x00, 0x80),
		of("beyond-the-field", Excepted, 0xee, 0xff, 0x7f),
		of("negative-beyond-the-field", Excepted, 0xee, 0xff, 0xff),
	}
}

// signatureSignings spoil the signature.
func signatureSignings() []Signing {
	of := func(name, key string, scheme p.Scheme, mangle func([]byte) []byte) Signing {
		return Signing{Name: "signature-" + name, Key: key, Scheme: scheme, Mangle: mangle, Verdict: Refused}
	}
	flip := func(s []byte) []byte { s[len(s)-1] ^= 1; return s }
	ec, rsa := p.ECDSAWith(crypto.SHA256), p.RSAWith(crypto.SHA256)
	return []Signing{
		of("wrong-ec", "p256", ec, flip),
		of("wrong-rsa", "rsa2048", rsa, flip),
		of("wrong-pss", "rsa2048", p.RSAPSS(crypto.SHA256, crypto.SHA256, 32), flip),
		of("wrong-ed25519", "ed25519", p.Ed25519(), flip),
		of("empty-ec", "p256", ec, func([]byte) []byte { return nil }),
		of("empty-rsa", "rsa2048", rsa, func([]byte) []byte { return nil }),
		of("empty-ed25519", "ed25519", p.Ed25519(), func([]byte) []byte { return nil }),
		of("long-ec", "p256", ec, func(s []byte) []byte { return append(s, 0) }),
		of("long-rsa", "rsa2048", rsa, func(s []byte) []byte { return append(s, 0) }),
		of("zero-padded-rsa", "rsa2048", rsa, func(s []byte) []byte { return append([]byte{0}, s...) }),
		of("long-ed25519", "ed25519", p.Ed25519(), func(s []byte) []byte { return append(s, 0) }),
		of("zeros-ec", "p256", ec, func([]byte) []byte { return p.Sequence(p.SmallInteger(0), p.SmallInteger(0)) }),
		of("negative-ec", "p256", ec, func([]byte) []byte { return p.Sequence(p.SmallInteger(-1), p.SmallInteger(1)) }),
	}
}
