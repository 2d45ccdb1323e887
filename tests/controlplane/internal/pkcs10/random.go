package pkcs10

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
)

// Stream is the pseudo-random stream of a seed and a label: one per purpose, so that adding a consumer shifts no other.
func Stream(seed uint64, label string) *rand.ChaCha8 {
	return rand.NewChaCha8(sha256.Sum256(fmt.Appendf(nil, "%d/%s", seed, label)))
}

// bytesOf reads the next n bytes of a stream.
func bytesOf(stream *rand.ChaCha8, n int) []byte {
	buffer := make([]byte, n)
	_, _ = stream.Read(buffer) // a ChaCha8 never fails
	return buffer
}
