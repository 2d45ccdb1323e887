package main

import (
	"crypto/x509"
	"time"
	_ "unsafe" // for go:linkname

	capi "k8s.io/api/certificates/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/kubernetes/pkg/apis/certificates"
	_ "k8s.io/kubernetes/pkg/controller/certificates/signer" // the code the names below are linked to
)

// signer stands for upstream's unexported type of that name; only pointers to it are passed around.
type signer struct{ _ byte }

//go:linkname newSigner k8s.io/kubernetes/pkg/controller/certificates/signer.newSigner
func newSigner(signerName, caFile, caKeyFile string, client kubernetes.Interface, ttl time.Duration) (*signer, error)

//go:linkname signCSR k8s.io/kubernetes/pkg/controller/certificates/signer.(*signer).sign
func signCSR(s *signer, request *x509.CertificateRequest, usages []capi.KeyUsage, expirationSeconds *int32, now func() time.Time) ([]byte, error)

//go:linkname verifierFor k8s.io/kubernetes/pkg/controller/certificates/signer.getCSRVerificationFuncForSignerName
func verifierFor(signerName string) (func(request *x509.CertificateRequest, usages []capi.KeyUsage, signerName string) (bool, error), error)

func main() {
	_, err := newSigner("kubernetes.io/kubelet-serving", "/nonexistent", "/nonexistent", nil, time.Hour)
	println(err.Error())
	_, err = verifierFor("foo")
	println(err.Error())
	_, err = certificates.ParseCSR(nil)
	println(err.Error())
	_ = signCSR
}
