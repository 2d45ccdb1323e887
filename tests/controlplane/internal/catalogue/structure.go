package catalogue

import (
	"crypto"

	p "countersign.dev/controlplane/internal/pkcs10"
)

// Structure is a whole request whose frame, rather than what is in it, is unusual.
type Structure struct {
	Name string
	DER  func(*p.Pool) []byte
}

// Structures are all there are, each under a name of its own.
func Structures() []Structure {
	of := func(name string, change func(*p.Request)) Structure {
		return Structure{name, func(pool *p.Pool) []byte {
			request := Sound(pool, APIServerClient)
			change(&request)
			return request.DER()
		}}
	}
	return []Structure{
		of("version-one", func(r *p.Request) { r.Version = 1 }),
		of("version-negative", func(r *p.Request) { r.Version = -1 }),
		of("attributes-absent", func(r *p.Request) { r.NoAttributes = true }),
		of("subject-absent", func(r *p.Request) { r.RawSubject = []byte{} }),
		of("key-is-null", func(r *p.Request) { r.PublicKey = p.Null() }),
		of("key-is-empty", func(r *p.Request) { r.PublicKey = p.Sequence() }),
		of("key-with-trailing-element", func(r *p.Request) {
			r.PublicKey = p.Sequence(p.Sequence(p.ObjectIdentifier(1, 2, 840, 10045, 2, 1), p.ObjectIdentifier(1, 2, 840, 10045, 3, 1, 7)),
				p.BitString(r.Key.(p.ECKey).Point()), p.Null())
		}),
		framed("signature-absent", func(info, identifier, _ []byte) []byte { return p.Sequence(info, identifier) }),
		framed("signature-octets", func(info, identifier, s []byte) []byte { return p.Sequence(info, identifier, p.OctetString(s)) }),
		framed("signature-of-odd-bits", func(info, identifier, s []byte) []byte {
			return p.Sequence(info, identifier, p.Encode(p.TagBitString, []byte{4}, s))
		}),
		framed("trailing-element", func(info, identifier, s []byte) []byte {
			return p.Sequence(info, identifier, p.BitString(s), p.Null())
		}),
		framed("parts-in-other-order", func(info, identifier, s []byte) []byte {
			return p.Sequence(identifier, info, p.BitString(s))
		}),
		framed("is-a-set", func(info, identifier, s []byte) []byte { return p.Set(info, identifier, p.BitString(s)) }),
		framed("in-a-sequence", func(info, identifier, s []byte) []byte {
			return p.Sequence(p.Sequence(info, identifier, p.BitString(s)))
		}),
	}
}

// framed puts the three parts of a signed request together by hand.
func framed(name string, frame func(info, identifier, signature []byte) []byte) Structure {
	return Structure{name, func(pool *p.Pool) []byte {
		request := Sound(pool, APIServerClient)
		info := request.Info()
		return frame(info, p.ECDSAWith(crypto.SHA256).Identifier, request.Key.Sign(info, request.Scheme))
	}}
}
