package catalogue

import (
	"crypto"

	p "countersign.dev/controlplane/internal/pkcs10"
)

// Sample is the request that the shapes are tried on: sound, small, signed with a P-256 key.
func Sample(pool *p.Pool, subject p.Name) p.Request {
	return p.Request{Subject: subject, Key: pool.Key("p256"), Scheme: p.ECDSAWith(crypto.SHA256)}
}

// Sound is the sample that a signer's rules are content with.
func Sound(pool *p.Pool, signer string) p.Request {
	switch signer {
	case KubeletServing:
		request := Sample(pool, Node("worker-0"))
		request.Attributes = ServingNames("worker-0")
		return request
	case KubeletClient:
		return Sample(pool, Node("worker-0"))
	default:
		return Sample(pool, User("alice"))
	}
}
