package pkcs10

import (
	"math/big"
	"math/rand/v2"
)

// RSAKey is an RSA key of any size. crypto/rsa makes and uses none below 1024 bits, and no given one twice.
type RSAKey struct {
	Modulus  *big.Int
	exponent *big.Int
	private  *big.Int
	primes   [2]*big.Int
}

// NewRSAKey takes two primes from a stream, such that the modulus has exactly the given number of bits.
func NewRSAKey(bits int, exponent int64, stream *rand.ChaCha8) RSAKey {
	e := big.NewInt(exponent)
	for {
		p, q := primeOf(stream, (bits+1)/2), primeOf(stream, bits/2)
		n := new(big.Int).Mul(p, q)
		one := big.NewInt(1)
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(e, phi)
		if n.BitLen() == bits && d != nil && p.Cmp(q) != 0 {
			return RSAKey{n, e, d, [2]*big.Int{p, q}}
		}
	}
}

// primeOf is the first prime in a stream of odd candidates with the two top bits set.
func primeOf(stream *rand.ChaCha8, bits int) *big.Int {
	for {
		candidate := new(big.Int).SetBytes(bytesOf(stream, (bits+7)/8))
		candidate.Rsh(candidate, uint((8-bits%8)%8))
		candidate.SetBit(candidate, bits-1, 1).SetBit(candidate, bits-2, 1).SetBit(candidate, 0, 1)
		if candidate.ProbablyPrime(16) {
			return candidate
		}
	}
}

// PublicKey is the SubjectPublicKeyInfo with the NULL parameters RFC 3279 §2.3.1 asks for.
func (k RSAKey) PublicKey() []byte {
	return RSAPublicKey(Sequence(ObjectIdentifier(1, 2, 840, 113549, 1, 1, 1), Null()), k.PKCS1PublicKey())
}

// PKCS1PublicKey is the RSAPublicKey of RFC 8017 §A.1.1.
func (k RSAKey) PKCS1PublicKey() []byte { return Sequence(Integer(k.Modulus), Integer(k.exponent)) }

// RSAPublicKey is a SubjectPublicKeyInfo of any algorithm identifier and octets.
func RSAPublicKey(identifier, key []byte) []byte { return Sequence(identifier, BitString(key)) }

// PKCS1PrivateKey is the RSAPrivateKey of RFC 8017 §A.1.2.
func (k RSAKey) PKCS1PrivateKey() []byte {
	one := big.NewInt(1)
	p, q := k.primes[0], k.primes[1]
	return Sequence(
		SmallInteger(0), Integer(k.Modulus), Integer(k.exponent), Integer(k.private), Integer(p), Integer(q),
		Integer(new(big.Int).Mod(k.private, new(big.Int).Sub(p, one))),
		Integer(new(big.Int).Mod(k.private, new(big.Int).Sub(q, one))),
		Integer(new(big.Int).ModInverse(q, p)),
	)
}

// Sign pads the digest as the scheme says and applies the private key.
func (k RSAKey) Sign(message []byte, scheme Scheme) []byte {
	size := (k.Modulus.BitLen() + 7) / 8
	var padded []byte
	if scheme.Padding == PSS {
		padded = scheme.encodePSS(message, k.Modulus.BitLen()-1)
	} else {
		padded = scheme.encodePKCS1(message, size)
	}
	signature := new(big.Int).Exp(new(big.Int).SetBytes(padded), k.private, k.Modulus)
	return signature.FillBytes(make([]byte, size))
}
