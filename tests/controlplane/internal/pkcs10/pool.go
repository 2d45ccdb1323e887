package pkcs10

import (
	"crypto/elliptic"
	"fmt"
	"sync"
)

// poolSeed makes the keys of every run the same.
const poolSeed = 3

// Pool makes keys by name and keeps them: an RSA key costs a second, a request should not.
type Pool struct {
	mutex sync.Mutex
	keys  map[string]func() Key
}

// Key is the key of a name: rsa<bits>, rsa<bits>e<exponent>, p224, p256, p384, p521 or ed25519, and "-<anything>" for another of the kind.
// The same name is the same key in every process.
func (p *Pool) Key(name string) Key {
	p.mutex.Lock()
	if p.keys == nil {
		p.keys = map[string]func() Key{}
	}
	made, known := p.keys[name]
	if !known {
		made = sync.OnceValue(func() Key { return newKey(name) })
		p.keys[name] = made
	}
	p.mutex.Unlock()
	return made()
}

func newKey(name string) Key {
	stream := Stream(poolSeed, "key/"+name)
	curves := map[string]elliptic.Curve{
		"p224": elliptic.P224(), "p256": elliptic.P256(), "p384": elliptic.P384(), "p521": elliptic.P521(),
	}
	bits, exponent := 0, int64(65537)
	if read, _ := fmt.Sscanf(name, "rsa%de%d", &bits, &exponent); read > 0 {
		return NewRSAKey(bits, exponent, stream)
	}
	if curve, known := curves[name[:min(4, len(name))]]; known {
		return NewECKey(curve, stream)
	}
	return NewEd25519Key(stream)
}
