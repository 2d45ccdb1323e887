package pkcs10

import (
	"math/big"
	"time"
)

// Certificate is a self-signed certificate before it is signed (RFC 5280 §4.1).
type Certificate struct {
	Serial     int64
	Subject    Name
	NotBefore  time.Time
	NotAfter   time.Time
	Key        Key
	Scheme     Scheme
	Extensions []Extension
}

// DER is the certificate signed with its own key.
func (c Certificate) DER() []byte {
	var extensions [][]byte
	for _, extension := range c.Extensions {
		extensions = append(extensions, extension.der())
	}
	name := c.Subject.DER()
	tbs := [][]byte{
		Context(0, true, SmallInteger(2)), Integer(big.NewInt(c.Serial)), c.Scheme.Identifier, name,
		Sequence(mustMarshal(c.NotBefore), mustMarshal(c.NotAfter)), name, c.Key.PublicKey(),
	}
	if len(extensions) > 0 {
		tbs = append(tbs, Context(3, true, Sequence(extensions...)))
	}
	info := Sequence(tbs...)
	return Sequence(info, c.Scheme.Identifier, BitString(c.Key.Sign(info, c.Scheme)))
}

// SubjectKeyIdentifier is the extension a certificate is known by.
func SubjectKeyIdentifier(identifier []byte) Extension {
	return Extension{OID: []int{2, 5, 29, 14}, Value: OctetString(identifier)}
}

// AuthorityExtensions are basicConstraints with CA:TRUE and keyUsage with keyCertSign and cRLSign.
func AuthorityExtensions() []Extension {
	return []Extension{
		{OID: BasicConstraintsOID, Critical: true, Value: Sequence([]byte{0x01, 0x01, 0xff})},
		{OID: KeyUsageOID, Critical: true, Value: Encode(TagBitString, []byte{1, 0x06})},
	}
}
