package catalogue

import (
	"crypto/x509"
	"testing"

	"countersign.dev/controlplane/internal/pkcs10"
)

// The catalogue says of each signing who takes it: what it says of upstream must be so.
func TestSigningsAreTakenAsTheCatalogueSays(t *testing.T) {
	pool := &pkcs10.Pool{}
	for _, signing := range Signings() {
		t.Run(signing.Name, func(t *testing.T) {
			t.Parallel()
			request, err := x509.ParseCertificateRequest(signing.Apply(pool, Sound(pool, APIServerClient)).DER())
			if err == nil {
				err = request.CheckSignature()
			}
			if taken := err == nil; taken == (signing.Verdict == Refused) {
				t.Errorf("verdict %d, but upstream says %v", signing.Verdict, err)
			}
		})
	}
}
