package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"countersign.dev/controlplane/internal/catalogue"
	p "countersign.dev/controlplane/internal/pkcs10"
)

// issuance is one line of issuance.jsonl: an approved request and what became of it.
type issuance struct {
	ID                string   `json:"id"`
	CA                string   `json:"ca"`
	Request           string   `json:"request"`
	SignerName        string   `json:"signer_name"`
	Usages            []string `json:"usages"`
	ExpirationSeconds *int32   `json:"expiration_seconds"`
	Duration          int64    `json:"cluster_signing_duration"` // seconds
	Now               int64    `json:"now"`                      // Unix time
	// Exception names the entry of the closed list where we refuse what upstream takes.
	Exception string  `json:"exception,omitempty"`
	Outcome   verdict `json:"outcome"`

	serial io.Reader
}

func (i issuance) kind() string { return i.Outcome.kind() }

// verdict is upstream's answer; one of the first three is set.
type verdict struct {
	Issued   []byte `json:"issued,omitempty"`
	Rejected string `json:"rejected,omitempty"`
	Error    string `json:"error,omitempty"`
	Stage    string `json:"stage,omitempty"`
}

func (v verdict) kind() string {
	switch {
	case v.Issued != nil:
		return "issued"
	case v.Rejected != "":
		return "rejected"
	default:
		return "error at " + v.Stage
	}
}

const (
	year                 = 365 * 24 * 60 * 60
	algorithmUnsupported = "algorithm-unsupported"
)

// judgedAt is the time verdicts are given for unless the time is what they are about.
var judgedAt = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

// vector is a request to a signer with everything else as usual.
func vector(id, signer, request string) issuance {
	return issuance{
		ID: id, CA: "ca-ed25519", Request: request, SignerName: signer, Usages: catalogue.UsualUsages(signer),
		Duration: year, Now: judgedAt.Unix(),
	}
}

func issuanceVectors(pool *p.Pool, seed uint64) []issuance {
	return slices.Concat(usageVectors(pool), subjectVectors(pool), signingVectors(pool), askVectors(pool), formVectors(pool),
		structureVectors(pool), authorityIssuance(pool), lifetimeVectors(pool), serialVectors(pool), mixedVectors(pool, seed))
}

func usageVectors(pool *p.Pool) []issuance {
	var vectors []issuance
	for _, signer := range catalogue.Signers() {
		request := p.Armor(catalogue.Sound(pool, signer).DER())
		add := func(usages ...string) {
			v := vector(fmt.Sprintf("usages/%s/%s", short(signer), strings.Join(usages, "+")), signer, request)
			v.Usages = append([]string{}, usages...)
			vectors = append(vectors, v)
		}
		for _, usage := range catalogue.Usages() {
			add(usage)
		}
		for _, usages := range catalogue.UsageSets() {
			add(usages...)
		}
	}
	return vectors
}

func short(signer string) string { return strings.TrimPrefix(signer, "kubernetes.io/") }

func subjectVectors(pool *p.Pool) []issuance {
	var vectors []issuance
	for _, signer := range []string{catalogue.APIServerClient, catalogue.KubeletClient, catalogue.KubeletServing} {
		for _, subject := range catalogue.Subjects() {
			if signer == catalogue.KubeletServing && !strings.HasPrefix(subject.Name, "node") {
				continue
			}
			request := catalogue.Sound(pool, signer)
			request.Subject, request.RawSubject = subject.DN, subject.Raw
			vectors = append(vectors, vector("subject/"+short(signer)+"/"+subject.Name, signer, p.Armor(request.DER())))
		}
	}
	return vectors
}

func signingVectors(pool *p.Pool) []issuance {
	var vectors []issuance
	sound := catalogue.Sound(pool, catalogue.APIServerClient)
	for _, signing := range catalogue.Signings() {
		v := vector("signing/"+signing.Name, catalogue.APIServerClient, p.Armor(signing.Apply(pool, sound).DER()))
		if signing.Verdict == catalogue.Excepted {
			v.Exception = algorithmUnsupported
		}
		vectors = append(vectors, v)
	}
	for _, name := range catalogue.ForeignRequests() {
		vectors = append(vectors, vector("signing/openssl-"+name, catalogue.APIServerClient, catalogue.Foreign(name+".csr")))
	}
	return vectors
}

func askVectors(pool *p.Pool) []issuance {
	var vectors []issuance
	for _, ask := range catalogue.Asks() {
		for _, signer := range []string{catalogue.APIServerClient, catalogue.KubeletServing, catalogue.KubeletClient} {
			request := catalogue.Sound(pool, signer)
			request.Attributes = ask.Attributes
			vectors = append(vectors, vector("ask/"+short(signer)+"/"+ask.Name, signer, p.Armor(request.DER())))
		}
		request := catalogue.Sample(pool, p.Name{})
		request.Attributes = ask.Attributes
		vectors = append(vectors, vector("ask/no-subject/"+ask.Name, catalogue.APIServerClient, p.Armor(request.DER())))
	}
	return vectors
}

func formVectors(pool *p.Pool) []issuance {
	var vectors []issuance
	der := catalogue.Sound(pool, catalogue.APIServerClient).DER()
	for _, form := range catalogue.Forms() {
		vectors = append(vectors, vector("form/"+form.Name, catalogue.APIServerClient, form.Write(der)))
	}
	return vectors
}

func structureVectors(pool *p.Pool) []issuance {
	var vectors []issuance
	for _, structure := range catalogue.Structures() {
		vectors = append(vectors, vector("structure/"+structure.Name, catalogue.APIServerClient, p.Armor(structure.DER(pool))))
	}
	return vectors
}

// authorityIssuance tries a few requests on every CA, among them one that asks for the CA's own name.
func authorityIssuance(pool *p.Pool) []issuance {
	var vectors []issuance
	for _, authority := range authorities() {
		add := func(name, signer string, request p.Request) {
			v := vector("ca/"+authority.name+"/"+name, signer, p.Armor(request.DER()))
			v.CA = authority.name
			vectors = append(vectors, v)
		}
		for _, signer := range catalogue.Signers() {
			add(short(signer), signer, catalogue.Sound(pool, signer))
		}
		add("own-name", catalogue.APIServerClient, catalogue.Sample(pool, authority.subject))
		add("own-name-rewritten", catalogue.APIServerClient, catalogue.Sample(pool, p.NameOf(p.Printable(p.CommonName, "kubernetes"))))
		add("no-name", catalogue.APIServerClient, catalogue.Sample(pool, p.Name{}))
		request := catalogue.Sound(pool, catalogue.APIServerClient)
		request.Key = pool.Key(authority.key)
		request.Scheme = authority.scheme
		add("own-key", catalogue.APIServerClient, request)
	}
	return vectors
}

func serialVectors(pool *p.Pool) []issuance {
	request := p.Armor(catalogue.Sound(pool, catalogue.APIServerClient).DER())
	var vectors []issuance
	for _, octet := range []byte{0x00, 0x01, 0x7f, 0x80, 0xff} {
		v := vector(fmt.Sprintf("serial/of-octets-%02x", octet), catalogue.APIServerClient, request)
		v.serial = repeated(octet)
		vectors = append(vectors, v)
	}
	return vectors
}

// mixed is how many requests are drawn at random.
const mixed = 300

func mixedVectors(pool *p.Pool, seed uint64) []issuance {
	mixture := catalogue.NewMixture(seed, "mixture", pool)
	all := authorities()
	var vectors []issuance
	for n := range mixed {
		signer := mixture.Signer()
		v := vector(fmt.Sprintf("mixed/%03d", n), signer, p.Armor(mixture.Request(signer).DER()))
		v.Usages, v.ExpirationSeconds = mixture.Usages(signer), mixture.Expiration()
		if mixture.Chance(30) {
			v.CA = catalogue.Pick(mixture, all).name
		}
		v.Now += int64(mixture.IntN(100_000))
		vectors = append(vectors, v)
	}
	return vectors
}

// sortedByID brings vectors out of a map's order into one that is always the same.
func sortedByID(vectors []issuance) []issuance {
	slices.SortFunc(vectors, func(a, b issuance) int { return strings.Compare(a.ID, b.ID) })
	return vectors
}
