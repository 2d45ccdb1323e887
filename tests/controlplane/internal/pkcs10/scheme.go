package pkcs10

import (
	"crypto"
	_ "crypto/md5"    // RSA with MD5, which everyone must refuse
	_ "crypto/sha1"   // still accepted in requests
	_ "crypto/sha256" // and SHA-224
	_ "crypto/sha3"
	_ "crypto/sha512" // and SHA-384, SHA-512/256
)

// Padding is the kind of signature a scheme makes.
type Padding int

// The kinds of signature.
const (
	PKCS1 Padding = iota
	PSS
	ECDSA
	EdDSA
)

// Scheme is a signature algorithm and the AlgorithmIdentifier that names it.
type Scheme struct {
	Identifier []byte
	Padding    Padding
	Hash       crypto.Hash
	// MaskHash and Salt (octets) are for PSS alone.
	MaskHash crypto.Hash
	Salt     int
}

// As is the scheme under another AlgorithmIdentifier.
func (s Scheme) As(identifier []byte) Scheme {
	s.Identifier = identifier
	return s
}

func (s Scheme) digest(message []byte) []byte {
	h := s.Hash.New()
	h.Write(message)
	return h.Sum(nil)
}

// RSAWith is RSA PKCS #1 v1.5 with the hash.
func RSAWith(hash crypto.Hash) Scheme {
	return Scheme{Identifier: Sequence(RSAOID(hash), Null()), Padding: PKCS1, Hash: hash}
}

// RSAOID is the encoded OID of RSA PKCS #1 v1.5 with the hash.
func RSAOID(hash crypto.Hash) []byte {
	if hash == crypto.SHA3_256 {
		return ObjectIdentifier(2, 16, 840, 1, 101, 3, 4, 3, 14)
	}
	last := map[crypto.Hash]int{
		crypto.MD5: 4, crypto.SHA1: 5, crypto.SHA224: 14, crypto.SHA256: 11, crypto.SHA384: 12, crypto.SHA512: 13,
		crypto.SHA512_256: 16,
	}
	return ObjectIdentifier(1, 2, 840, 113549, 1, 1, last[hash])
}

// ECDSAWith is ECDSA with the hash, its identifier without parameters.
func ECDSAWith(hash crypto.Hash) Scheme {
	return Scheme{Identifier: Sequence(ECDSAOID(hash)), Padding: ECDSA, Hash: hash}
}

// ECDSAOID is the encoded OID of ECDSA with the hash.
func ECDSAOID(hash crypto.Hash) []byte {
	switch hash {
	case crypto.SHA1:
		return ObjectIdentifier(1, 2, 840, 10045, 4, 1)
	case crypto.SHA3_256:
		return ObjectIdentifier(2, 16, 840, 1, 101, 3, 4, 3, 10)
	default:
		last := map[crypto.Hash]int{crypto.SHA224: 1, crypto.SHA256: 2, crypto.SHA384: 3, crypto.SHA512: 4}
		return ObjectIdentifier(1, 2, 840, 10045, 4, 3, last[hash])
	}
}

// Ed25519 is the one scheme of Ed25519 keys.
func Ed25519() Scheme {
	return Scheme{Identifier: Sequence(ObjectIdentifier(1, 3, 101, 112)), Padding: EdDSA, Hash: crypto.SHA512}
}

// RSAPSS is RSASSA-PSS with every parameter written out.
func RSAPSS(hash, maskHash crypto.Hash, salt int) Scheme {
	parameters := PSSParameters(hashIdentifier(hash), hashIdentifier(maskHash), SmallInteger(salt))
	return Scheme{Identifier: PSSIdentifier(parameters), Padding: PSS, Hash: hash, MaskHash: maskHash, Salt: salt}
}

// PSSIdentifier is id-RSASSA-PSS with encoded parameters.
func PSSIdentifier(parameters []byte) []byte {
	return Sequence(ObjectIdentifier(1, 2, 840, 113549, 1, 1, 10), parameters)
}

// PSSParameters are RSASSA-PSS-params (RFC 4055 §3.1) of encoded parts; more may follow, as a trailer field does.
func PSSParameters(hash, maskHash, salt []byte, more ...[]byte) []byte {
	mask := Sequence(ObjectIdentifier(1, 2, 840, 113549, 1, 1, 8), maskHash)
	parts := [][]byte{Context(0, true, hash), Context(1, true, mask), Context(2, true, salt)}
	return Sequence(append(parts, more...)...)
}

// hashIdentifier is the AlgorithmIdentifier of a hash, with NULL parameters.
func hashIdentifier(hash crypto.Hash) []byte { return Sequence(HashOID(hash), Null()) }

// HashOID is the encoded OID of a hash.
func HashOID(hash crypto.Hash) []byte {
	switch hash {
	case crypto.MD5:
		return ObjectIdentifier(1, 2, 840, 113549, 2, 5)
	case crypto.SHA1:
		return ObjectIdentifier(1, 3, 14, 3, 2, 26)
	default:
		last := map[crypto.Hash]int{
			crypto.SHA224: 4, crypto.SHA256: 1, crypto.SHA384: 2, crypto.SHA512: 3, crypto.SHA512_256: 6, crypto.SHA3_256: 8,
		}
		return ObjectIdentifier(2, 16, 840, 1, 101, 3, 4, 2, last[hash])
	}
}
