// Package pkcs10 makes certification requests (RFC 2986) octet by octet.
//
// crypto/x509 makes only requests it would accept itself. Here every part can be malformed while the signature over the
// whole stays valid, which is what tells a strict parser from a lenient one. Everything is deterministic: keys come from
// a seed and signatures from the key and the message alone.
package pkcs10

import (
	"encoding/asn1"
	"math/big"
)

// ASN.1 tags of the types used here (X.690 §8, X.680 §8.4).
const (
	TagInteger         = 0x02
	TagBitString       = 0x03
	TagOctetString     = 0x04
	TagNull            = 0x05
	TagUTF8String      = 0x0c
	TagNumericString   = 0x12
	TagPrintableString = 0x13
	TagT61String       = 0x14
	TagIA5String       = 0x16
	TagVisibleString   = 0x1a
	TagUniversalString = 0x1c
	TagBMPString       = 0x1e
	TagSequence        = 0x30
	TagSet             = 0x31
)

// Encode is one element in DER: tag, definite length and the concatenated contents.
func Encode(tag byte, contents ...[]byte) []byte {
	var body []byte
	for _, part := range contents {
		body = append(body, part...)
	}
	return append(append([]byte{tag}, lengthOctets(len(body))...), body...)
}

func lengthOctets(n int) []byte {
	if n < 0x80 {
		return []byte{byte(n)}
	}
	digits := big.NewInt(int64(n)).Bytes()
	return append([]byte{0x80 | byte(len(digits))}, digits...)
}

// Sequence is a SEQUENCE of elements that are already encoded.
func Sequence(elements ...[]byte) []byte { return Encode(TagSequence, elements...) }

// Set is a SET of elements in the order given, which DER would want sorted.
func Set(elements ...[]byte) []byte { return Encode(TagSet, elements...) }

// OctetString wraps bytes into an OCTET STRING.
func OctetString(value []byte) []byte { return Encode(TagOctetString, value) }

// BitString is a BIT STRING whose length is a multiple of eight.
func BitString(value []byte) []byte { return Encode(TagBitString, []byte{0}, value) }

// Null is the NULL that RSA's algorithm identifiers carry.
func Null() []byte { return Encode(TagNull) }

// Context is a context-specific element; constructed as EXPLICIT tags and GeneralName's directoryName are, primitive otherwise.
func Context(number byte, constructed bool, contents ...[]byte) []byte {
	tag := 0x80 | number
	if constructed {
		tag |= 0x20
	}
	return Encode(tag, contents...)
}

// Integer is the minimal two's complement encoding of a number.
func Integer(value *big.Int) []byte { return mustMarshal(value) }

// SmallInteger is Integer for a number that fits an int.
func SmallInteger(value int) []byte { return mustMarshal(value) }

// ObjectIdentifier encodes an OID given by its arcs.
func ObjectIdentifier(arcs ...int) []byte { return mustMarshal(asn1.ObjectIdentifier(arcs)) }

// mustMarshal encodes a value of a type encoding/asn1 cannot refuse.
func mustMarshal(value any) []byte {
	der, err := asn1.Marshal(value)
	if err != nil {
		panic(err)
	}
	return der
}
