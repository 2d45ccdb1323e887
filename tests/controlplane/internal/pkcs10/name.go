package pkcs10

import (
	"unicode/utf16"
)

// AttributeType is the OID of an attribute of a distinguished name.
type AttributeType []int

// The attribute types that Go's pkix.Name knows, and some it drops.
var (
	CommonName         = AttributeType{2, 5, 4, 3}
	Surname            = AttributeType{2, 5, 4, 4}
	SerialNumber       = AttributeType{2, 5, 4, 5}
	Country            = AttributeType{2, 5, 4, 6}
	Locality           = AttributeType{2, 5, 4, 7}
	Province           = AttributeType{2, 5, 4, 8}
	Street             = AttributeType{2, 5, 4, 9}
	Organization       = AttributeType{2, 5, 4, 10}
	OrganizationalUnit = AttributeType{2, 5, 4, 11}
	Title              = AttributeType{2, 5, 4, 12}
	PostalCode         = AttributeType{2, 5, 4, 17}
	GivenName          = AttributeType{2, 5, 4, 42}
	UserID             = AttributeType{0, 9, 2342, 19200300, 100, 1, 1}
	DomainComponent    = AttributeType{0, 9, 2342, 19200300, 100, 1, 25}
	EmailAddress       = AttributeType{1, 2, 840, 113549, 1, 9, 1}
	Private            = AttributeType{1, 3, 6, 1, 4, 1, 99999, 1}
)

// Attribute is an AttributeTypeAndValue whose value is already encoded, so it may be of any type or none.
type Attribute struct {
	Type  AttributeType
	Value []byte
}

// Text is an attribute with a value of the given string type, the bytes taken as they are.
func Text(attribute AttributeType, tag byte, value string) Attribute {
	return Attribute{attribute, Encode(tag, []byte(value))}
}

// Printable is an attribute with a PrintableString.
func Printable(attribute AttributeType, value string) Attribute {
	return Text(attribute, TagPrintableString, value)
}

// UTF8 is an attribute with a UTF8String.
func UTF8(attribute AttributeType, value string) Attribute {
	return Text(attribute, TagUTF8String, value)
}

// BMP is an attribute with a BMPString: UTF-16, big endian.
func BMP(attribute AttributeType, value string) Attribute {
	var octets []byte
	for _, unit := range utf16.Encode([]rune(value)) {
		octets = append(octets, byte(unit>>8), byte(unit))
	}
	return Attribute{attribute, Encode(TagBMPString, octets)}
}

func (a Attribute) der() []byte { return Sequence(ObjectIdentifier(a.Type...), a.Value) }

// RDN is a RelativeDistinguishedName; its attributes are written in the order given, sorted or not.
type RDN []Attribute

// Name is a distinguished name.
type Name []RDN

// NameOf is a name of one attribute an RDN, as nearly all are.
func NameOf(attributes ...Attribute) Name {
	name := Name{}
	for _, attribute := range attributes {
		name = append(name, RDN{attribute})
	}
	return name
}

// DER is the encoded RDNSequence.
func (n Name) DER() []byte {
	var sets [][]byte
	for _, rdn := range n {
		var members [][]byte
		for _, attribute := range rdn {
			members = append(members, attribute.der())
		}
		sets = append(sets, Set(members...))
	}
	return Sequence(sets...)
}
