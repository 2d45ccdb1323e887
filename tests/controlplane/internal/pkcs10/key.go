package pkcs10

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"math/rand/v2"
)

// Key is a key pair that signs a request.
type Key interface {
	// PublicKey is the encoded SubjectPublicKeyInfo.
	PublicKey() []byte
	// Sign is the signature over a message by the scheme. A scheme of another kind of key is signed as this kind of key
	// would with the scheme's hash: such a request contradicts itself, which is what it is for.
	Sign(message []byte, scheme Scheme) []byte
}

// ECKey is a key on one of Go's NIST curves.
type ECKey struct{ *ecdsa.PrivateKey }

// NewECKey takes the next scalar of a stream that is valid on the curve.
func NewECKey(curve elliptic.Curve, stream *rand.ChaCha8) ECKey {
	size := (curve.Params().BitSize + 7) / 8
	for {
		scalar := bytesOf(stream, size)
		if excess := size*8 - curve.Params().BitSize; excess > 0 {
			scalar[0] >>= excess
		}
		if key, err := ecdsa.ParseRawPrivateKey(curve, scalar); err == nil {
			return ECKey{key}
		}
	}
}

// PublicKey is the SubjectPublicKeyInfo with a named curve and an uncompressed point.
func (k ECKey) PublicKey() []byte {
	return ECPublicKey(curveOIDs[k.Curve.Params().Name], k.Point())
}

// Point is the public key as an uncompressed point (SEC 1 §2.3.3).
func (k ECKey) Point() []byte {
	point, err := k.PrivateKey.PublicKey.Bytes()
	if err != nil {
		panic(err) // the key is on a curve of the standard library
	}
	return point
}

// Sign is a deterministic ECDSA signature (RFC 6979).
func (k ECKey) Sign(message []byte, scheme Scheme) []byte {
	signature, err := k.PrivateKey.Sign(nil, scheme.digest(message), scheme.Hash)
	if err != nil {
		panic(err) // the digest has the hash's length
	}
	return signature
}

// ECPublicKey is a SubjectPublicKeyInfo with the curve's encoded parameters and any octets as the point.
func ECPublicKey(parameters, point []byte) []byte {
	return Sequence(Sequence(ObjectIdentifier(1, 2, 840, 10045, 2, 1), parameters), BitString(point))
}

// Encoded OIDs of curves, by the names the standard library gives its own.
var curveOIDs = map[string][]byte{
	"P-224": ObjectIdentifier(1, 3, 132, 0, 33),
	"P-256": ObjectIdentifier(1, 2, 840, 10045, 3, 1, 7),
	"P-384": ObjectIdentifier(1, 3, 132, 0, 34),
	"P-521": ObjectIdentifier(1, 3, 132, 0, 35),
}

// CurveParameters are the encoded parameters of a named curve of the standard library.
func CurveParameters(curve elliptic.Curve) []byte { return curveOIDs[curve.Params().Name] }

// Ed25519Key is a key of RFC 8410.
type Ed25519Key struct{ ed25519.PrivateKey }

// NewEd25519Key takes the next seed of a stream.
func NewEd25519Key(stream *rand.ChaCha8) Ed25519Key {
	return Ed25519Key{ed25519.NewKeyFromSeed(bytesOf(stream, ed25519.SeedSize))}
}

// PublicKey is the SubjectPublicKeyInfo, without parameters.
func (k Ed25519Key) PublicKey() []byte {
	return Sequence(Sequence(ObjectIdentifier(1, 3, 101, 112)), BitString(k.PrivateKey.Public().(ed25519.PublicKey)))
}

// Sign is the Ed25519 signature; the scheme's hash plays no part.
func (k Ed25519Key) Sign(message []byte, _ Scheme) []byte { return ed25519.Sign(k.PrivateKey, message) }
