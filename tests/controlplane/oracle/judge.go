package main

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"countersign.dev/controlplane/internal/pkcs10"
	capi "k8s.io/api/certificates/v1"
	"k8s.io/kubernetes/pkg/apis/certificates"
)

// judge asks upstream.
type judge struct {
	verdicts string // directory of the CA pairs
	scratch  string // working directory, so that upstream's messages name files by short names
	seed     uint64
	signers  map[signerKey]*signer
}

type signerKey struct {
	name, ca string
	duration time.Duration
}

func newJudge(verdicts string, seed uint64) (*judge, error) {
	scratch, err := os.MkdirTemp("", "oracle")
	if err != nil {
		return nil, err
	}
	return &judge{verdicts, scratch, seed, map[signerKey]*signer{}}, os.Chdir(scratch)
}

func (j *judge) close() { _ = os.RemoveAll(j.scratch) }

// issuance fills in the outcome of each vector.
func (j *judge) issuance(vectors []issuance) ([]issuance, error) {
	for i := range vectors {
		verdict, err := j.issue(&vectors[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", vectors[i].ID, err)
		}
		vectors[i].Outcome = verdict
	}
	return vectors, nil
}

// issue goes the way of upstream's handler for an approved request: parse, verify, sign.
func (j *judge) issue(vector *issuance) (verdict, error) {
	request, err := certificates.ParseCSR([]byte(vector.Request))
	if err != nil {
		return verdict{Error: err.Error(), Stage: "parse"}, nil
	}
	var usages []capi.KeyUsage
	for _, usage := range vector.Usages {
		usages = append(usages, capi.KeyUsage(usage))
	}
	verify, err := verifierFor(vector.SignerName)
	if err != nil {
		return verdict{}, err
	}
	if _, err := verify(request, usages, vector.SignerName); err != nil {
		return verdict{Rejected: err.Error()}, nil
	}
	signer, err := j.signer(vector)
	if err != nil {
		return verdict{}, err
	}
	return j.sign(signer, request, usages, vector)
}

func (j *judge) sign(signer *signer, request *x509.CertificateRequest, usages []capi.KeyUsage, vector *issuance) (verdict, error) {
	// Serial numbers come from this variable, so they are the same in every run.
	rand.Reader = vector.serial
	if rand.Reader == nil {
		rand.Reader = pkcs10.Stream(j.seed, "serial/"+vector.ID)
	}
	now := func() time.Time { return time.Unix(vector.Now, 0).UTC() }
	certificate, err := sign(signer, request, usages, vector.ExpirationSeconds, now)
	if err != nil {
		return verdict{Error: err.Error(), Stage: "sign"}, nil
	}
	block, rest := pem.Decode(certificate)
	if block == nil || len(rest) > 0 {
		return verdict{}, fmt.Errorf("upstream wrote %q", certificate)
	}
	return verdict{Issued: block.Bytes}, nil
}

func (j *judge) signer(vector *issuance) (*signer, error) {
	duration := time.Duration(vector.Duration) * time.Second
	key := signerKey{vector.SignerName, vector.CA, duration}
	if known, ok := j.signers[key]; ok {
		return known, nil
	}
	file := filepath.Join(j.verdicts, vector.CA)
	made, err := newSigner(vector.SignerName, file+".crt", file+".key", nil, duration)
	j.signers[key] = made
	return made, err
}

// repeated yields one octet for ever, for serial numbers at the ends of their range.
type repeated byte

func (r repeated) Read(buffer []byte) (int, error) {
	for i := range buffer {
		buffer[i] = byte(r)
	}
	return len(buffer), nil
}

var _ io.Reader = repeated(0)
