package catalogue

import (
	"crypto"
	"crypto/elliptic"
	"fmt"
	"slices"

	p "countersign.dev/controlplane/internal/pkcs10"
)

// Signing is one combination of key and signature a request can carry.
type Signing struct {
	Name   string
	Key    string // a name of the key pool
	Scheme p.Scheme
	// Public replaces the key's own SubjectPublicKeyInfo.
	Public func(p.Key) []byte
	// Mangle alters the signature after it was made.
	Mangle func(signature []byte) []byte
	// Verdict is what upstream does with it, and what we do.
	Verdict Verdict
}

// Verdict says who takes a key and its signature.
type Verdict int

const (
	// Taken by upstream and by us.
	Taken Verdict = iota
	// Excepted is taken by upstream alone: the closed list of exceptions.
	Excepted
	// Refused by both.
	Refused
)

// Apply makes a request use this key and signature.
func (s Signing) Apply(pool *p.Pool, request p.Request) p.Request {
	request.Key, request.Scheme, request.Mangle = pool.Key(s.Key), s.Scheme, s.Mangle
	if s.Public != nil {
		request.PublicKey = s.Public(request.Key)
	}
	return request
}

// takenAnyway marks what looks wrong and is not, to upstream.
func (s Signing) takenAnyway() Signing {
	s.Verdict = Taken
	return s
}

// Signings are all combinations there are, each under a name of its own.
func Signings() []Signing {
	return slices.Concat(rsaSignings(), pssSignings(), ecSignings(), pointSignings(), identifierSignings(), publicKeySignings(),
		weakKeySignings(), neutralSignings(), signatureSignings())
}

// TakenSignings are those that lead to a certificate with upstream and us alike.
func TakenSignings() []Signing {
	return slices.DeleteFunc(Signings(), func(s Signing) bool { return s.Verdict != Taken })
}

var hashNames = map[crypto.Hash]string{
	crypto.MD5: "md5", crypto.SHA1: "sha1", crypto.SHA224: "sha224", crypto.SHA256: "sha256", crypto.SHA384: "sha384",
	crypto.SHA512: "sha512", crypto.SHA512_256: "sha512-256", crypto.SHA3_256: "sha3-256",
}

// hashes in a fixed order, those that upstream takes first.
var hashes = []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.MD5, crypto.SHA224, crypto.SHA3_256}

const hashesTaken = 4

func rsaSignings() []Signing {
	var signings []Signing
	for _, bits := range []int{1024, 2048, 3072, 4096} {
		for i, hash := range append(hashes, crypto.SHA512_256) {
			verdict := Taken
			switch {
			case i >= hashesTaken:
				verdict = Refused
			case bits == 1024 && hash == crypto.SHA384:
				verdict = Excepted
			}
			name := fmt.Sprintf("rsa%d-%s", bits, hashNames[hash])
			signings = append(signings, Signing{Name: name, Key: fmt.Sprintf("rsa%d", bits), Scheme: p.RSAWith(hash), Verdict: verdict})
		}
	}
	for _, bits := range []int{512, 768, 1000, 1016, 1023} {
		signings = append(signings, Signing{
			Name: fmt.Sprintf("rsa%d", bits), Key: fmt.Sprintf("rsa%d", bits), Scheme: p.RSAWith(crypto.SHA256), Verdict: Refused,
		})
	}
	for _, name := range []string{"rsa1025", "rsa1032", "rsa2047", "rsa2056", "rsa2048e3", "rsa2048e17", "rsa2048e2147483647"} {
		signings = append(signings, Signing{Name: name, Key: name, Scheme: p.RSAWith(crypto.SHA256)})
	}
	return signings
}

func pssSignings() []Signing {
	var signings []Signing
	add := func(name string, scheme p.Scheme, verdict Verdict) {
		signings = append(signings, Signing{Name: "pss-" + name, Key: "rsa2048", Scheme: scheme, Verdict: verdict})
	}
	for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		add(hashNames[hash], p.RSAPSS(hash, hash, hash.Size()), Taken)
		add(hashNames[hash]+"-salt-20", p.RSAPSS(hash, hash, 20), Refused)
		add(hashNames[hash]+"-salt-0", p.RSAPSS(hash, hash, 0), Refused)
	}
	add("sha1", p.RSAPSS(crypto.SHA1, crypto.SHA1, 20), Refused)
	add("sha224", p.RSAPSS(crypto.SHA224, crypto.SHA224, 28), Refused)
	add("mask-of-another-hash", p.RSAPSS(crypto.SHA256, crypto.SHA1, 32), Refused)
	good := p.RSAPSS(crypto.SHA256, crypto.SHA256, 32)
	bare := p.Sequence(p.HashOID(crypto.SHA256))
	full := p.Sequence(p.HashOID(crypto.SHA256), p.Null())
	mask := p.Context(1, true, p.Sequence(p.ObjectIdentifier(1, 2, 840, 113549, 1, 1, 8), full))
	salt := p.Context(2, true, p.SmallInteger(32))
	under := func(name string, parameters []byte, verdict Verdict) {
		add(name, good.As(p.PSSIdentifier(parameters)), verdict)
	}
	under("salt-misstated", p.PSSParameters(full, full, p.SmallInteger(20)), Refused)
	under("hash-misstated", p.PSSParameters(p.Sequence(p.HashOID(crypto.SHA384), p.Null()), p.Sequence(p.HashOID(crypto.SHA384), p.Null()), p.SmallInteger(48)), Refused)
	under("hash-without-null", p.PSSParameters(bare, full, p.SmallInteger(32)), Taken)
	under("mask-hash-without-null", p.PSSParameters(full, bare, p.SmallInteger(32)), Taken)
	under("no-null-at-all", p.PSSParameters(bare, bare, p.SmallInteger(32)), Taken)
	under("trailer-written-out", p.PSSParameters(full, full, p.SmallInteger(32), p.Context(3, true, p.SmallInteger(1))), Taken)
	under("trailer-two", p.PSSParameters(full, full, p.SmallInteger(32), p.Context(3, true, p.SmallInteger(2))), Refused)
	ending := func(name string, verdict Verdict, more ...[]byte) {
		under("ends-in-"+name, p.PSSParameters(full, full, p.SmallInteger(32), more...), verdict)
	}
	ending("null", Refused, p.Null())
	ending("null-without-contents", Refused, []byte{p.TagNull, 9})
	ending("empty-trailer", Refused, p.Context(3, true))
	ending("other-empty-tag", Refused, p.Context(7, true))
	ending("two-nulls", Taken, p.Null(), p.Null())
	ending("primitive-empty-trailer-and-null", Refused, p.Context(3, false), p.Null())
	ending("primitive-trailer-and-null", Taken, p.Context(3, false, []byte{2}), p.Null())
	under("tag-length-of-31-bits", p.Sequence(append([]byte{0xa0, 0x84, 0x7f, 0xff, 0xff, 0xff}, full...), mask, salt), Taken)
	under("tag-length-of-32-bits", p.Sequence(append([]byte{0xa0, 0x84, 0x80, 0, 0, 0}, full...), mask, salt), Refused)
	under("parameters-empty", p.Sequence(), Refused)
	under("parameters-null", p.Null(), Refused)
	small := Signing{Name: "pss-rsa1024-sha256", Key: "rsa1024", Scheme: p.RSAPSS(crypto.SHA256, crypto.SHA256, 32), Verdict: Excepted}
	tight := Signing{Name: "pss-rsa1024-sha384", Key: "rsa1024", Scheme: p.RSAPSS(crypto.SHA384, crypto.SHA384, 48), Verdict: Excepted}
	odd := Signing{Name: "pss-rsa2049-sha256", Key: "rsa2049", Scheme: p.RSAPSS(crypto.SHA256, crypto.SHA256, 32)}
	return append(signings, small, tight, odd)
}

func ecSignings() []Signing {
	var signings []Signing
	for _, curve := range []string{"p224", "p256", "p384", "p521"} {
		for i, hash := range hashes {
			verdict := Taken
			switch {
			case i >= hashesTaken:
				if hash == crypto.MD5 {
					continue
				}
				verdict = Refused
			case curve == "p224", curve == "p384" && hash == crypto.SHA1:
				verdict = Excepted
			}
			signings = append(signings, Signing{Name: curve + "-" + hashNames[hash], Key: curve, Scheme: p.ECDSAWith(hash), Verdict: verdict})
		}
	}
	return append(signings, Signing{Name: "ed25519", Key: "ed25519", Scheme: p.Ed25519()})
}

// pointSignings write the public key of an EC request in every form there is.
func pointSignings() []Signing {
	sound := func(key p.Key) []byte { return key.(p.ECKey).Point() }
	of := func(name string, point func(p.Key) []byte) Signing {
		public := func(key p.Key) []byte { return p.ECPublicKey(p.CurveParameters(elliptic.P256()), point(key)) }
		return Signing{Name: "point-" + name, Key: "p256", Scheme: p.ECDSAWith(crypto.SHA256), Public: public, Verdict: Refused}
	}
	parameters := func(name string, parameters []byte) Signing {
		public := func(key p.Key) []byte { return p.ECPublicKey(parameters, sound(key)) }
		return Signing{Name: "curve-" + name, Key: "p256", Scheme: p.ECDSAWith(crypto.SHA256), Public: public, Verdict: Refused}
	}
	return []Signing{
		of("compressed", func(key p.Key) []byte {
			point := sound(key)
			return append([]byte{2 | point[64]&1}, point[1:33]...)
		}),
		of("hybrid", func(key p.Key) []byte {
			point := append([]byte{}, sound(key)...)
			point[0] = 6 | point[64]&1
			return point
		}),
		of("at-infinity", func(p.Key) []byte { return []byte{0} }),
		of("empty", func(p.Key) []byte { return nil }),
		of("off-the-curve", func(key p.Key) []byte {
			point := append([]byte{}, sound(key)...)
			point[64] ^= 1
			return point
		}),
		of("cut-short", func(key p.Key) []byte { return sound(key)[:64] }),
		of("with-trailing-octet", func(key p.Key) []byte { return append(append([]byte{}, sound(key)...), 0) }),
		parameters("absent", nil),
		parameters("null", p.Null()),
		parameters("of-p384", p.CurveParameters(elliptic.P384())),
		parameters("secp256k1", p.ObjectIdentifier(1, 3, 132, 0, 10)),
		parameters("unknown", p.ObjectIdentifier(1, 2, 3)),
		parameters("explicit", p.Sequence(p.SmallInteger(1))),
	}
}
