package main

import (
	"crypto"
	"fmt"

	"countersign.dev/controlplane/internal/catalogue"
	p "countersign.dev/controlplane/internal/pkcs10"
)

// requesters are all who ask.
var requesters = []string{
	"admin", "bootstrap", "node:worker-0", "node:worker-1", "node:worker-2", "user:alice", "user:bob", "ungranted:mallory",
	"ungranted:system:node:worker-0",
}

// people have every requester ask every signer, and every action done to what nobody approves by itself.
func (c *corpus) people() []entry {
	var entries []entry
	for _, requester := range requesters {
		for _, signer := range append(creatableSigners, foreignSigners[0]) {
			for _, node := range []string{"worker-0", "worker-1"} {
				e := c.draft("requester-"+requester+"-"+signer, signer, c.soundFor(signer, node))
				e.Requester = requester
				entries = append(entries, e)
			}
		}
	}
	return append(entries, c.byHand()...)
}

func (c *corpus) byHand() []entry {
	var entries []entry
	for _, action := range []string{"none", "approve", "deny"} {
		for _, signer := range append(creatableSigners, foreignSigners...) {
			for n := range 2 {
				e := c.draft(fmt.Sprintf("by-hand-%s-%d", action, n), signer, c.soundFor(signer, "worker-0"))
				e.Requester, e.Action = "ungranted:mallory", action
				if n == 1 {
					e.Usages = []string{"digital signature", "code signing"}
				}
				entries = append(entries, e)
			}
		}
	}
	return entries
}

// soundFor is a sound request for a node, or for a user where the signer does not serve nodes.
func (c *corpus) soundFor(signer, node string) p.Request {
	request := catalogue.Sample(c.Pool, catalogue.User("alice"))
	switch signer {
	case catalogue.KubeletServing:
		request.Subject, request.Attributes = catalogue.Node(node), catalogue.ServingNames(node)
	case catalogue.KubeletClient:
		request.Subject = catalogue.Node(node)
	}
	request.Scheme = p.ECDSAWith(crypto.SHA256)
	return request
}
