package pkcs10

import (
	"bytes"
	"crypto"
	"encoding/binary"
)

// encodePKCS1 is EMSA-PKCS1-v1_5 (RFC 8017 §9.2).
func (s Scheme) encodePKCS1(message []byte, size int) []byte {
	info := Sequence(hashIdentifier(s.Hash), OctetString(s.digest(message)))
	fill := bytes.Repeat([]byte{0xff}, max(8, size-len(info)-3))
	return append(append(append([]byte{0, 1}, fill...), 0), info...)
}

// encodePSS is EMSA-PSS (RFC 8017 §9.1.1) with a salt that the message determines.
func (s Scheme) encodePSS(message []byte, bits int) []byte {
	size := (bits + 7) / 8
	digest := s.digest(message)
	salt := maskOf(crypto.SHA256, message, s.Salt)
	hash := s.Hash.New()
	hash.Write(make([]byte, 8))
	hash.Write(digest)
	hash.Write(salt)
	h := hash.Sum(nil)

	block := make([]byte, size-len(h)-1)
	block[len(block)-len(salt)-1] = 1
	copy(block[len(block)-len(salt):], salt)
	for i, octet := range maskOf(s.MaskHash, h, len(block)) {
		block[i] ^= octet
	}
	block[0] &= 0xff >> (size*8 - bits)
	return append(append(block, h...), 0xbc)
}

// maskOf is MGF1 (RFC 8017 §B.2.1).
func maskOf(hash crypto.Hash, seed []byte, length int) []byte {
	var mask []byte
	for counter := uint32(0); len(mask) < length; counter++ {
		h := hash.New()
		h.Write(seed)
		h.Write(binary.BigEndian.AppendUint32(nil, counter))
		mask = h.Sum(mask)
	}
	return mask[:length]
}
