package pkcs10

// OIDs of extensions a request may ask for.
var (
	KeyUsageOID         = []int{2, 5, 29, 15}
	SubjectAltNameOID   = []int{2, 5, 29, 17}
	BasicConstraintsOID = []int{2, 5, 29, 19}
	ExtendedKeyUsageOID = []int{2, 5, 29, 37}
	PrivateExtensionOID = []int{1, 3, 6, 1, 4, 1, 99999, 2}
)

// Extension is one requested X.509 extension; Value is what the OCTET STRING holds.
type Extension struct {
	OID      []int
	Critical bool
	Value    []byte
}

// AsCritical is the same extension marked critical.
func (e Extension) AsCritical() Extension {
	e.Critical = true
	return e
}

func (e Extension) der() []byte {
	if e.Critical {
		return Sequence(ObjectIdentifier(e.OID...), []byte{0x01, 0x01, 0xff}, OctetString(e.Value))
	}
	return Sequence(ObjectIdentifier(e.OID...), OctetString(e.Value))
}

// RequestAttribute is an encoded attribute of the request (RFC 2986 §4.1).
type RequestAttribute []byte

// AttributeOf is an attribute with any number of encoded values.
func AttributeOf(oid []int, values ...[]byte) RequestAttribute {
	return Sequence(ObjectIdentifier(oid...), Set(values...))
}

// ExtensionRequest is the attribute that asks for extensions (RFC 2985 §5.4.2).
func ExtensionRequest(extensions ...Extension) RequestAttribute {
	var encoded [][]byte
	for _, extension := range extensions {
		encoded = append(encoded, extension.der())
	}
	return AttributeOf([]int{1, 2, 840, 113549, 1, 9, 14}, Sequence(encoded...))
}

// ChallengePassword is an attribute signers have no use for.
func ChallengePassword(password string) RequestAttribute {
	return AttributeOf([]int{1, 2, 840, 113549, 1, 9, 7}, Encode(TagUTF8String, []byte(password)))
}
