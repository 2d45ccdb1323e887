package pkcs10

// GeneralName is one encoded name of a subjectAltName (RFC 5280 §4.2.1.6).
type GeneralName []byte

// DNS is a dNSName with the bytes as they are, ASCII or not.
func DNS(name string) GeneralName { return Context(2, false, []byte(name)) }

// Email is an rfc822Name.
func Email(address string) GeneralName { return Context(1, false, []byte(address)) }

// URI is a uniformResourceIdentifier.
func URI(uri string) GeneralName { return Context(6, false, []byte(uri)) }

// IP is an iPAddress of any length; only 4 and 16 octets are valid.
func IP(octets ...byte) GeneralName { return Context(7, false, octets) }

// RegisteredID is a registeredID.
func RegisteredID(arcs ...int) GeneralName {
	encoded := ObjectIdentifier(arcs...)
	return Context(8, false, encoded[2:])
}

// DirectoryName is a directoryName.
func DirectoryName(name Name) GeneralName { return Context(4, true, name.DER()) }

// OtherName is an otherName of Microsoft's user principal name type.
func OtherName(value string) GeneralName {
	upn := ObjectIdentifier(1, 3, 6, 1, 4, 1, 311, 20, 2, 3)
	return Context(0, true, upn, Context(0, true, Encode(TagUTF8String, []byte(value))))
}

// X400Address is an x400Address of no particular content.
func X400Address() GeneralName { return Context(3, true, Sequence()) }

// EDIPartyName is an ediPartyName.
func EDIPartyName(party string) GeneralName {
	return Context(5, true, Context(1, true, Encode(TagUTF8String, []byte(party))))
}

// SubjectAltName is the extension that holds the names.
func SubjectAltName(names ...GeneralName) Extension {
	var encoded [][]byte
	for _, name := range names {
		encoded = append(encoded, name)
	}
	return Extension{OID: SubjectAltNameOID, Value: Sequence(encoded...)}
}
