package main

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"countersign.dev/controlplane/internal/catalogue"
	p "countersign.dev/controlplane/internal/pkcs10"
	capi "k8s.io/api/certificates/v1"
	"k8s.io/kubernetes/pkg/apis/certificates"
)

// caFiles is one line of authority.jsonl: the two files of a CA and what upstream makes of them.
type caFiles struct {
	ID          string     `json:"id"`
	Certificate []byte     `json:"certificate"`
	Key         []byte     `json:"key"`
	Now         int64      `json:"now"`
	Exception   string     `json:"exception,omitempty"`
	Outcome     loadResult `json:"outcome"`
}

func (f caFiles) kind() string {
	switch {
	case f.Outcome.Error != "":
		return "refused"
	case f.Outcome.SigningError != "":
		return "loaded but unable to sign"
	default:
		return "loaded"
	}
}

// loadResult is either an error at start, or a loaded CA that signs with an algorithm or fails to.
type loadResult struct {
	Loaded             bool   `json:"loaded"`
	SignatureAlgorithm string `json:"signature_algorithm,omitempty"`
	SigningError       string `json:"signing_error,omitempty"`
	Error              string `json:"error,omitempty"`
}

// authorities fills in the outcome of each pair.
func (j *judge) authorities(vectors []caFiles) ([]caFiles, error) {
	request, err := certificates.ParseCSR([]byte(p.Armor(catalogue.Sound(&p.Pool{}, catalogue.APIServerClient).DER())))
	if err != nil {
		return nil, err
	}
	for i := range vectors {
		if vectors[i].Outcome, err = load(&vectors[i], request); err != nil {
			return nil, fmt.Errorf("%s: %w", vectors[i].ID, err)
		}
	}
	return vectors, nil
}

func load(files *caFiles, request *x509.CertificateRequest) (loadResult, error) {
	if err := os.WriteFile("ca.crt", files.Certificate, 0o600); err != nil {
		return loadResult{}, err
	}
	if err := os.WriteFile("ca.key", files.Key, 0o600); err != nil {
		return loadResult{}, err
	}
	signer, err := newSigner(catalogue.APIServerClient, "ca.crt", "ca.key", nil, time.Hour)
	if err != nil {
		return loadResult{Error: err.Error()}, nil
	}
	now := func() time.Time { return time.Unix(files.Now, 0).UTC() }
	text, err := sign(signer, request, []capi.KeyUsage{capi.UsageClientAuth}, nil, now)
	if err != nil {
		return loadResult{Loaded: true, SigningError: err.Error()}, nil
	}
	block, _ := pem.Decode(text)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return loadResult{}, err
	}
	return loadResult{Loaded: true, SignatureAlgorithm: leaf.SignatureAlgorithm.String()}, nil
}

// pair is a CA's files as text.
type pair struct{ certificate, key string }

func (a authority) pair(pool *p.Pool) pair { return pair{a.certificatePEM(pool), a.keyPEM(pool)} }

// vector is the pair before upstream was asked.
func (c pair) vector(id string) caFiles {
	return caFiles{ID: id, Certificate: []byte(c.certificate), Key: []byte(c.key), Now: judgedAt.Unix()}
}

// caNamed is one of the CAs the issuance verdicts are made with.
func caNamed(name string) authority {
	all := authorities()
	return all[slices.IndexFunc(all, func(a authority) bool { return a.name == name })]
}

func authorityVectors(pool *p.Pool) []caFiles {
	return slices.Concat(soundPairs(pool), keyKinds(pool), keyForms(pool), certificateForms(pool), combinations(pool), foreignPairs())
}

// soundPairs are the CAs the issuance verdicts are made with.
func soundPairs(pool *p.Pool) []caFiles {
	var vectors []caFiles
	for _, authority := range authorities() {
		vectors = append(vectors, authority.pair(pool).vector("pair/"+authority.name))
	}
	late := caNamed("ca-ends-soon").pair(pool)
	for name, now := range map[string]time.Time{
		"expired-a-minute-ago": endsSoon.Add(time.Minute), "expired-ten-minutes-ago": endsSoon.Add(10 * time.Minute),
		"not-begun": authorityBegins.Add(-time.Hour),
	} {
		v := late.vector("pair/" + name)
		v.Now = now.Unix()
		vectors = append(vectors, v)
	}
	slices.SortFunc(vectors, func(a, b caFiles) int { return strings.Compare(a.ID, b.ID) })
	return vectors
}

// keyKinds are keys that sign, that do not, and that upstream alone signs with.
func keyKinds(pool *p.Pool) []caFiles {
	plain := p.NameOf(p.UTF8(p.CommonName, "kubernetes"))
	var vectors []caFiles
	for _, key := range []string{"rsa512", "rsa1000", "rsa1023", "rsa1024", "rsa1025", "rsa2047", "rsa2049", "rsa3072", "rsa2048e3", "p224", "p256", "p384", "p521", "ed25519"} {
		scheme := p.RSAWith(crypto.SHA256)
		switch {
		case strings.HasPrefix(key, "p"):
			scheme = p.ECDSAWith(crypto.SHA256)
		case key == "ed25519":
			scheme = p.Ed25519()
		}
		v := authority{key: key, scheme: scheme, subject: plain}.pair(pool).vector("key/" + key)
		if slices.Contains([]string{"rsa512", "rsa1000", "rsa1023", "rsa1024", "rsa1025", "rsa2047", "p224"}, key) {
			v.Exception = algorithmUnsupported
		}
		vectors = append(vectors, v)
	}
	return vectors
}

// foreignPairs are pairs made with OpenSSL.
func foreignPairs() []caFiles {
	var vectors []caFiles
	for _, name := range catalogue.ForeignRequests() {
		vectors = append(vectors, pair{catalogue.Foreign(name + ".crt"), catalogue.Foreign(name + ".key")}.vector("openssl/"+name))
	}
	certificate := catalogue.Foreign("plain.crt")
	for _, key := range []string{"plain", "plain-pkcs1", "encrypted-pkcs8", "encrypted-pkcs1"} {
		vectors = append(vectors, pair{certificate, catalogue.Foreign(key + ".key")}.vector("openssl/"+key))
	}
	return append(vectors, pair{catalogue.Foreign("trusted.crt"), catalogue.Foreign("plain.key")}.vector("openssl/trusted-certificate"))
}
