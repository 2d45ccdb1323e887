package main

import (
	"fmt"
	"strings"

	"countersign.dev/controlplane/internal/catalogue"
	p "countersign.dev/controlplane/internal/pkcs10"
)

// foreignSigners are signerNames that neither KCM nor we sign for.
var foreignSigners = []string{"example.com/foo", "kubernetes.io/kube-apiserver-serving", "kubernetes.io/no-such-signer"}

// creatableSigners are the signerNames KCM signs for that can still be asked for.
var creatableSigners = []string{catalogue.KubeletServing, catalogue.KubeletClient, catalogue.APIServerClient}

// usages are every usage alone and every telling set of them, of every signer.
func (c *corpus) usages() []entry {
	var entries []entry
	add := func(signer string, usages ...string) {
		e := c.draft("usages-"+signer+"-"+strings.Join(usages, "-"), signer, c.sound(signer))
		e.Usages = append([]string{}, usages...)
		entries = append(entries, e)
	}
	for _, signer := range append(creatableSigners, foreignSigners[0]) {
		for _, usage := range catalogue.Usages() {
			add(signer, usage)
		}
	}
	for _, signer := range creatableSigners {
		for _, usages := range catalogue.UsageSets() {
			add(signer, usages...)
		}
	}
	for _, signer := range append(foreignSigners, catalogue.LegacyUnknown) {
		add(signer, "digital signature", "client auth")
	}
	return entries
}

func (c *corpus) subjects() []entry {
	var entries []entry
	for _, subject := range catalogue.Subjects() {
		signers := []string{catalogue.APIServerClient}
		if strings.HasPrefix(subject.Name, "node") {
			signers = creatableSigners
		}
		for _, signer := range signers {
			request := c.sound(signer)
			request.Subject, request.RawSubject = subject.DN, subject.Raw
			entries = append(entries, c.draft("subject-"+subject.Name, signer, request))
		}
	}
	return entries
}

func (c *corpus) signings() []entry {
	var entries []entry
	for _, signing := range catalogue.Signings() {
		signer := catalogue.Pick(c.Mixture, []string{catalogue.APIServerClient, catalogue.APIServerClient, catalogue.KubeletServing})
		e := c.draft("signing-"+signing.Name, signer, signing.Apply(c.Pool, catalogue.Sound(c.Pool, signer)))
		e.Requester = "admin"
		if signing.Verdict == catalogue.Excepted {
			// Its difference shows only when it comes to signing.
			e.Exception, e.Action = "algorithm-unsupported", "approve"
		}
		entries = append(entries, e)
	}
	for _, name := range catalogue.ForeignRequests() {
		entries = append(entries, c.written("signing-openssl-"+name, catalogue.APIServerClient, catalogue.Foreign(name+".csr")))
	}
	return entries
}

func (c *corpus) asks() []entry {
	var entries []entry
	for _, ask := range catalogue.Asks() {
		for _, signer := range creatableSigners {
			if signer == catalogue.KubeletClient && !c.Chance(25) {
				continue
			}
			request := c.sound(signer)
			request.Attributes = ask.Attributes
			entries = append(entries, c.draft("ask-"+ask.Name, signer, request))
		}
	}
	for _, ask := range []string{"dns", "email", "ip4", "every-kind", "names-critical"} {
		entries = append(entries, c.namelessAsk(ask))
	}
	return entries
}

// namelessAsk has alternative names and no subject, so that they become critical.
func (c *corpus) namelessAsk(name string) entry {
	request := c.keyed(catalogue.Sample(c.Pool, p.Name{}))
	for _, ask := range catalogue.Asks() {
		if ask.Name == name {
			request.Attributes = ask.Attributes
		}
	}
	return c.draft("ask-without-subject-"+name, catalogue.APIServerClient, request)
}

func (c *corpus) forms() []entry {
	var entries []entry
	for _, form := range catalogue.Forms() {
		signer := catalogue.Pick(c.Mixture, creatableSigners)
		entries = append(entries, c.written("form-"+form.Name, signer, form.Write(c.sound(signer).DER())))
	}
	for _, structure := range catalogue.Structures() {
		text := p.Armor(structure.DER(c.Pool))
		entries = append(entries, c.written("structure-"+structure.Name, catalogue.APIServerClient, text))
	}
	return entries
}

func (c *corpus) lifetimes() []entry {
	var entries []entry
	for _, signer := range creatableSigners {
		for _, seconds := range []int32{
			600, 601, 900, 3599, 3600, 28799, 28800, 28801, 86400, 86401, 31535999, 31536000, 31536001, 2147483647, 599, 0, -1,
		} {
			e := c.draft(fmt.Sprintf("lifetime-%d", seconds), signer, c.sound(signer))
			e.ExpirationSeconds = &seconds
			entries = append(entries, e)
		}
	}
	return entries
}
