package pkcs10

// Request is a CertificationRequest before it is signed. What is left zero takes the value every sound request has.
type Request struct {
	Version    int
	Subject    Name
	Attributes []RequestAttribute
	Key        Key
	Scheme     Scheme

	// RawSubject, PublicKey and NoAttributes replace or leave out a part of the information that is signed.
	RawSubject   []byte
	PublicKey    []byte
	NoAttributes bool
	// Mangle, when set, alters the signature after it was made.
	Mangle func(signature []byte) []byte
}

// DER is the request signed with its key.
func (r Request) DER() []byte {
	info := r.Info()
	signature := r.Key.Sign(info, r.Scheme)
	if r.Mangle != nil {
		signature = r.Mangle(signature)
	}
	return Sequence(info, r.Scheme.Identifier, BitString(signature))
}

// Info is the CertificationRequestInfo: the octets under the signature.
func (r Request) Info() []byte {
	subject, publicKey := r.RawSubject, r.PublicKey
	if subject == nil {
		subject = r.Subject.DER()
	}
	if publicKey == nil {
		publicKey = r.Key.PublicKey()
	}
	parts := [][]byte{SmallInteger(r.Version), subject, publicKey}
	if !r.NoAttributes {
		parts = append(parts, r.attributes())
	}
	return Sequence(parts...)
}

func (r Request) attributes() []byte {
	var encoded [][]byte
	for _, attribute := range r.Attributes {
		encoded = append(encoded, attribute)
	}
	return Context(0, true, encoded...)
}
