package main

import (
	"crypto/x509"
	"time"
	_ "unsafe" // for go:linkname

	capi "k8s.io/api/certificates/v1"
	"k8s.io/client-go/kubernetes"
	_ "k8s.io/kubernetes/pkg/controller/certificates/signer" // the code the names below stand for
)

// What KCM runs is not exported. Linking to it by name keeps the oracle honest where a copy would drift; should upstream
// rename one of these, the build of this program fails and nothing else.

// signer stands for upstream's type of that name; only pointers to it are handed around.
type signer struct{ _ byte }

// newSigner loads a CA as KCM does at start.
//
//go:linkname newSigner k8s.io/kubernetes/pkg/controller/certificates/signer.newSigner
func newSigner(signerName, caFile, caKeyFile string, client kubernetes.Interface, ttl time.Duration) (*signer, error)

// sign issues a certificate, in PEM.
//
//go:linkname sign k8s.io/kubernetes/pkg/controller/certificates/signer.(*signer).sign
func sign(s *signer, request *x509.CertificateRequest, usages []capi.KeyUsage, expirationSeconds *int32, now func() time.Time) ([]byte, error)

// verifier applies a signerName's rules to a request.
type verifier = func(request *x509.CertificateRequest, usages []capi.KeyUsage, signerName string) (bool, error)

// verifierFor is the rules of a signerName.
//
//go:linkname verifierFor k8s.io/kubernetes/pkg/controller/certificates/signer.getCSRVerificationFuncForSignerName
func verifierFor(signerName string) (verifier, error)
