package catalogue

import p "countersign.dev/controlplane/internal/pkcs10"

// extensionAsks ask for extensions that a signer drops, or ask for one twice.
func extensionAsks() []Ask {
	dns := p.SubjectAltName(p.DNS("worker-0"))
	private := p.Extension{OID: p.PrivateExtensionOID, Value: p.Null()}
	authority := p.Extension{OID: p.BasicConstraintsOID, Critical: true, Value: p.Sequence([]byte{0x01, 0x01, 0xff})}
	usage := p.Extension{OID: p.KeyUsageOID, Critical: true, Value: p.Encode(p.TagBitString, []byte{1, 0x06})}
	extended := p.Extension{OID: p.ExtendedKeyUsageOID, Value: p.Sequence(p.ObjectIdentifier(1, 3, 6, 1, 5, 5, 7, 3, 3))}
	return []Ask{
		asking("names-critical", dns.AsCritical()),
		asking("other-extensions", authority, usage, extended, private, dns),
		asking("other-extensions-alone", usage, extended),
		asking("unreadable-key-usage", p.Extension{OID: p.KeyUsageOID, Value: []byte("junk")}, dns),
		asking("names-twice", dns, p.SubjectAltName(p.DNS("other"))),
		asking("names-twice-around-another", dns, private, dns),
		asking("private-twice", private, private),
		asking("extension-without-value", p.Extension{OID: p.PrivateExtensionOID}),
	}
}

// attributeAsks vary the attributes of the request around its extensions.
func attributeAsks() []Ask {
	dns := p.SubjectAltName(p.DNS("worker-0"))
	request := p.ExtensionRequest(dns)
	oid := []int{1, 2, 840, 113549, 1, 9, 14}
	extension := func(critical []byte) []byte {
		parts := [][]byte{p.ObjectIdentifier(p.SubjectAltNameOID...), critical, p.OctetString(dns.Value)}
		return p.Sequence(p.Sequence(parts...))
	}
	return []Ask{
		{"nothing", nil},
		{"password", []p.RequestAttribute{p.ChallengePassword("secret"), request}},
		{"password-after", []p.RequestAttribute{request, p.ChallengePassword("secret")}},
		{"unknown-attribute", []p.RequestAttribute{p.AttributeOf([]int{1, 2, 3, 4}, p.SmallInteger(1), p.Null()), request}},
		{"attribute-twice", []p.RequestAttribute{p.ChallengePassword("a"), p.ChallengePassword("b"), request}},
		{"attribute-without-values", []p.RequestAttribute{p.AttributeOf([]int{1, 2, 3, 4}), request}},
		{"attribute-not-a-set", []p.RequestAttribute{p.Sequence(p.ObjectIdentifier(1, 2, 3, 4), p.Sequence(p.Null())), request}},
		{"attribute-is-junk", []p.RequestAttribute{p.SmallInteger(5), request}},
		{"attribute-is-empty", []p.RequestAttribute{p.Sequence(), request}},
		{"extension-requests-two", []p.RequestAttribute{request, p.ExtensionRequest(p.SubjectAltName(p.DNS("other")))}},
		{"extension-requests-two-unlike", []p.RequestAttribute{request, p.ExtensionRequest(p.Extension{OID: p.PrivateExtensionOID, Value: p.Null()})}},
		{"extension-request-empty", []p.RequestAttribute{p.ExtensionRequest()}},
		{"extension-request-without-values", []p.RequestAttribute{p.AttributeOf(oid)}},
		{"extension-request-with-two-values", []p.RequestAttribute{p.AttributeOf(oid, extension(nil), p.Sequence())}},
		{"extension-request-junk", []p.RequestAttribute{p.AttributeOf(oid, p.SmallInteger(1))}},
		{"extension-request-trailing-data", []p.RequestAttribute{append(append([]byte{}, request...), p.Null()...)}},
		{"extension-critical-false", []p.RequestAttribute{p.AttributeOf(oid, extension([]byte{1, 1, 0}))}},
		{"extension-critical-not-der", []p.RequestAttribute{p.AttributeOf(oid, extension([]byte{1, 1, 1}))}},
		{"extension-request-of-microsoft", []p.RequestAttribute{p.AttributeOf([]int{1, 3, 6, 1, 4, 1, 311, 2, 1, 14}, extension(nil))}},
	}
}
