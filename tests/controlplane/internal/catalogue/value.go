package catalogue

import (
	"math/big"

	p "countersign.dev/controlplane/internal/pkcs10"
)

// stringSubjects have common names of every string type, valid and not.
func stringSubjects() []Subject {
	cn := func(name string, tag byte, value string) Subject {
		return named(name, p.Text(p.CommonName, tag, value))
	}
	return []Subject{
		cn("utf8-accents", p.TagUTF8String, "Zoë Müller"),
		cn("utf8-ideographs", p.TagUTF8String, "漢字"),
		cn("utf8-emoji", p.TagUTF8String, "🔑"),
		cn("utf8-decomposed", p.TagUTF8String, "e\u0301"),
		cn("utf8-punctuation", p.TagUTF8String, "*&@_!#$%^{}|~;<>\"\\"),
		cn("utf8-all-printable", p.TagUTF8String, "Az09 '()+,-./:=?"),
		cn("utf8-asterisk", p.TagUTF8String, "*.example.com"),
		cn("utf8-ampersand", p.TagUTF8String, "a&b"),
		cn("utf8-invalid", p.TagUTF8String, "a\xff\xfeb"),
		cn("utf8-surrogate", p.TagUTF8String, "a\xed\xa0\x80b"),
		cn("utf8-overlong", p.TagUTF8String, "a\xc0\x80b"),
		cn("utf8-replacement-character", p.TagUTF8String, "a\ufffdb"),
		cn("printable-all", p.TagPrintableString, "Az09 '()+,-./:=?"),
		cn("printable-asterisk", p.TagPrintableString, "*.example.com"),
		cn("printable-ampersand", p.TagPrintableString, "a&b"),
		cn("printable-at-sign", p.TagPrintableString, "a@b"),
		cn("printable-underscore", p.TagPrintableString, "a_b"),
		cn("printable-eight-bit", p.TagPrintableString, "a\xe9b"),
		cn("ia5", p.TagIA5String, "a_b@c"),
		cn("ia5-eight-bit", p.TagIA5String, "a\xe9b"),
		cn("numeric", p.TagNumericString, "0 123"),
		cn("numeric-with-letters", p.TagNumericString, "12a"),
		cn("t61", p.TagT61String, "teletex"),
		cn("t61-latin1", p.TagT61String, "caf\xe9"),
		cn("t61-utf8", p.TagT61String, "café"),
		cn("visible", p.TagVisibleString, "visible"),
		cn("universal", p.TagUniversalString, "\x00\x00\x00a"),
		cn("general", 0x1b, "general"),
		cn("graphic", 0x19, "graphic"),
		named("bmp", p.BMP(p.CommonName, "Zoë")),
		named("bmp-ideographs", p.BMP(p.CommonName, "漢字")),
		named("bmp-surrogate-pair", p.BMP(p.CommonName, "🔑")),
		cn("bmp-odd-length", p.TagBMPString, "\x00a\x00"),
		cn("bmp-terminated", p.TagBMPString, "\x00a\x00b\x00\x00"),
		cn("bmp-noncharacter", p.TagBMPString, "\x00a\xff\xfe"),
		cn("bmp-empty", p.TagBMPString, ""),
	}
}

// valueSubjects have attributes whose values are no strings.
func valueSubjects() []Subject {
	cn := p.UTF8(p.CommonName, "alice")
	of := func(name string, kind p.AttributeType, value []byte) Subject {
		return named(name, cn, p.Attribute{Type: kind, Value: value})
	}
	huge := new(big.Int).Lsh(big.NewInt(1), 80)
	return []Subject{
		of("value-integer", p.Organization, p.SmallInteger(42)),
		of("value-huge-integer", p.Organization, p.Integer(huge)),
		of("value-boolean", p.CommonName, []byte{0x01, 0x01, 0xff}),
		of("value-odd-boolean", p.CommonName, []byte{0x01, 0x01, 0x01}),
		of("value-null", p.CommonName, p.Null()),
		of("value-octets", p.CommonName, p.OctetString([]byte("bob"))),
		of("value-bits", p.Organization, p.BitString([]byte{0xa0})),
		of("value-oid", p.Organization, p.ObjectIdentifier(1, 2, 3)),
		of("value-sequence", p.Organization, p.Sequence(p.SmallInteger(1))),
		of("value-set", p.Private, p.Set(p.Encode(p.TagUTF8String, []byte("x")))),
		of("value-time", p.Private, p.Encode(0x17, []byte("260101000000Z"))),
		of("value-bad-time", p.Private, p.Encode(0x17, []byte("not a time"))),
		of("value-generalized-time", p.Private, p.Encode(0x18, []byte("20260101000000Z"))),
		of("value-time-in-year-10000", p.Private, p.Encode(0x18, []byte("99991231235959-0001"))),
		of("value-time-a-day-into-year-10000", p.Private, p.Encode(0x18, []byte("99991231235959-2400"))),
		of("value-enumerated", p.Private, p.Encode(0x0a, []byte{1})),
		of("value-context-tag", p.Private, p.Context(0, false, []byte("x"))),
		of("value-application-tag", p.Private, p.Encode(0x41, []byte("x"))),
		of("value-constructed-string", p.Private, p.Encode(0x2c, p.Encode(p.TagUTF8String, []byte("x")))),
		of("value-empty", p.CommonName, p.Encode(p.TagUTF8String)),
	}
}

// malformedSubjects break the structure of a name rather than a value in it.
func malformedSubjects() []Subject {
	raw := func(name string, der []byte) Subject { return Subject{Name: name, Raw: der} }
	cn := p.ObjectIdentifier(p.CommonName...)
	alice := p.Encode(p.TagUTF8String, []byte("alice"))
	good := p.Set(p.Sequence(cn, alice))
	return []Subject{
		raw("malformed-is-a-set", p.Set(good)),
		raw("malformed-rdn-is-a-sequence", p.Sequence(p.Sequence(p.Sequence(cn, alice)))),
		raw("malformed-rdn-is-empty", p.Sequence(p.Set(), good)),
		raw("malformed-attribute-without-value", p.Sequence(p.Set(p.Sequence(cn)))),
		raw("malformed-attribute-with-two-values", p.Sequence(p.Set(p.Sequence(cn, alice, alice)))),
		raw("malformed-attribute-without-type", p.Sequence(p.Set(p.Sequence(alice)))),
		raw("malformed-type-is-empty", p.Sequence(p.Set(p.Sequence([]byte{0x06, 0x00}, alice)))),
		raw("malformed-type-with-leading-zero", p.Sequence(p.Set(p.Sequence([]byte{0x06, 0x04, 0x55, 0x04, 0x80, 0x03}, alice)))),
		raw("malformed-type-cut-short", p.Sequence(p.Set(p.Sequence([]byte{0x06, 0x02, 0x55, 0x84}, alice)))),
		raw("malformed-long-length", p.Sequence(p.Set(p.Sequence(cn, []byte{0x0c, 0x81, 0x05, 'a', 'l', 'i', 'c', 'e'})))),
		raw("malformed-indefinite-length", p.Sequence(p.Set(p.Sequence(cn, []byte{0x2c, 0x80, 0x0c, 0x01, 'a', 0x00, 0x00})))),
		raw("malformed-value-too-long", p.Sequence(p.Set(p.Sequence(cn, []byte{0x0c, 0x20, 'a'})))),
		raw("malformed-null", p.Null()),
	}
}
