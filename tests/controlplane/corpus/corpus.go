package main

import (
	"crypto"
	"fmt"
	"slices"
	"strings"

	"countersign.dev/controlplane/internal/catalogue"
	p "countersign.dev/controlplane/internal/pkcs10"
)

// corpus draws entries; all that is random comes from its mixture.
type corpus struct {
	*catalogue.Mixture
}

func newCorpus(seed uint64, pool *p.Pool) *corpus {
	return &corpus{catalogue.NewMixture(seed, "corpus", pool)}
}

// keepRefused is how many in a hundred of those the API server refuses are kept.
const keepRefused = 15

// entries are that many lines: every shape of the catalogue, filled up with mixtures, in random order. A count below the
// number of shapes takes a sample of them.
func (c *corpus) entries(count int) []entry {
	all := slices.Concat(c.usages(), c.subjects(), c.signings(), c.asks(), c.forms(), c.lifetimes(), c.people())
	all = slices.DeleteFunc(all, func(e entry) bool { return !e.creatable() && !c.Chance(keepRefused) })
	for len(all) < count {
		if e := c.mixed(); e.creatable() || c.Chance(keepRefused) {
			all = append(all, e)
		}
	}
	c.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	all = all[:count]
	for i := range all {
		c.finish(&all[i], i)
	}
	return all
}

// draft is an entry of a requester who may ask for it, to be approved unless an approver does.
func (c *corpus) draft(name, signer string, request p.Request) entry {
	return c.written(name, signer, p.Armor(request.DER()))
}

// written is a draft of a request that is text already.
func (c *corpus) written(name, signer, request string) entry {
	e := entry{
		Name: name, Request: request, SignerName: signer, Usages: catalogue.UsualUsages(signer),
		Requester: c.requester(signer),
	}
	if e.restricted() && !c.Chance(keepRefused) {
		e.Requester = catalogue.Pick(c.Mixture, []string{"bootstrap", "admin", "user:alice", "ungranted:mallory"})
	}
	return e
}

// requester is somebody who usually asks the signer.
func (c *corpus) requester(signer string) string {
	switch signer {
	case catalogue.KubeletServing:
		return catalogue.Pick(c.Mixture, []string{"node:worker-0", "node:worker-0", "node:worker-0", "admin", "user:alice", "node:worker-1"})
	case catalogue.KubeletClient:
		return catalogue.Pick(c.Mixture, []string{
			"bootstrap", "bootstrap", "node:worker-0", "node:worker-0", "admin", "user:alice", "ungranted:mallory",
			"ungranted:system:node:worker-0", "node:worker-1",
		})
	default:
		return catalogue.Pick(c.Mixture, []string{"admin", "user:alice", "user:bob", "ungranted:mallory", "bootstrap", "node:worker-0"})
	}
}

// finish gives an entry its final name, an action by hand when it has none yet, and sometimes metadata.
func (c *corpus) finish(e *entry, index int) {
	e.Name = fmt.Sprintf("c%04d-%s", index, slug(e.Name))
	if c.Chance(2) {
		e.Name = strings.ToUpper(e.Name) + "_odd:name"
	}
	if e.recognized() && e.granted() {
		e.Action = "none"
	}
	if e.Action == "" {
		e.Action = c.action()
	}
	if c.Chance(10) {
		e.Labels = map[string]string{"corpus": "yes", "team": catalogue.Pick(c.Mixture, []string{"dev", "ops", ""})}
	}
	if c.Chance(10) {
		e.Annotations = map[string]string{"example.com/note": "kept as it is: ä \"quoted\" {}"}
	}
}

func (c *corpus) action() string {
	switch n := c.IntN(100); {
	case n < 82:
		return "approve"
	case n < 91:
		return "none"
	default:
		return "deny"
	}
}

// sound is a request that a signer's rules are content with, for some node and with some key.
func (c *corpus) sound(signer string) p.Request { return c.keyed(catalogue.Sound(c.Pool, signer)) }

// keyed gives a request one of the usual keys.
func (c *corpus) keyed(request p.Request) p.Request {
	usual := map[string]p.Scheme{
		"p256": p.ECDSAWith(crypto.SHA256), "p256-other": p.ECDSAWith(crypto.SHA256), "p384": p.ECDSAWith(crypto.SHA384),
		"p521": p.ECDSAWith(crypto.SHA512), "rsa2048": p.RSAWith(crypto.SHA256), "ed25519": p.Ed25519(),
	}
	name := catalogue.Pick(c.Mixture, []string{"p256", "p256", "p256-other", "p384", "p521", "rsa2048", "ed25519"})
	request.Key, request.Scheme = c.Pool.Key(name), usual[name]
	return request
}

// mixed is a request with several things drawn at random.
func (c *corpus) mixed() entry {
	signer := c.Signer()
	e := c.draft("mixed-"+signer, signer, c.Request(signer))
	e.Usages, e.ExpirationSeconds = c.Mixture.Usages(signer), c.Expiration()
	if c.Chance(5) {
		e.Request = catalogue.Pick(c.Mixture, catalogue.Forms()).Write(c.Request(signer).DER())
	}
	return e
}
