package catalogue

// The signerNames KCM signs for.
const (
	KubeletServing  = "kubernetes.io/kubelet-serving"
	KubeletClient   = "kubernetes.io/kube-apiserver-client-kubelet"
	APIServerClient = "kubernetes.io/kube-apiserver-client"
	LegacyUnknown   = "kubernetes.io/legacy-unknown"
)

// Signers are the four signerNames KCM signs for.
func Signers() []string {
	return []string{KubeletServing, KubeletClient, APIServerClient, LegacyUnknown}
}

// Usages are the values of spec.usages that the API knows.
func Usages() []string {
	return []string{
		"signing", "digital signature", "content commitment", "key encipherment", "key agreement", "data encipherment",
		"cert sign", "crl sign", "encipher only", "decipher only", "any", "server auth", "client auth", "code signing",
		"email protection", "s/mime", "ipsec end system", "ipsec tunnel", "ipsec user", "timestamping", "ocsp signing",
		"microsoft sgc", "netscape sgc",
	}
}

// UsualUsages are what a requester of the signer asks for when all is well.
func UsualUsages(signer string) []string {
	if signer == KubeletServing {
		return []string{"digital signature", "server auth"}
	}
	return []string{"digital signature", "client auth"}
}

// UsageSets are spec.usages near what the signers' rules turn on. The API refuses some at creation.
func UsageSets() [][]string {
	return [][]string{
		{},
		{"digital signature", "client auth"},
		{"client auth", "digital signature"},
		{"digital signature", "key encipherment", "client auth"},
		{"client auth", "key encipherment", "digital signature"},
		{"key encipherment", "client auth"},
		{"signing", "client auth"},
		{"signing", "digital signature", "client auth"},
		{"digital signature", "digital signature", "client auth"},
		{"digital signature", "client auth", "client auth"},
		{"digital signature", "server auth"},
		{"digital signature", "key encipherment", "server auth"},
		{"server auth", "key encipherment", "digital signature"},
		{"key encipherment", "server auth"},
		{"signing", "server auth"},
		{"digital signature", "server auth", "server auth"},
		{"digital signature", "client auth", "server auth"},
		{"digital signature", "key encipherment", "client auth", "server auth"},
		{"digital signature", "key encipherment"},
		{"cert sign", "crl sign"},
		{"cert sign", "client auth"},
		{"decipher only", "key agreement", "encipher only"},
		{"email protection", "s/mime"},
		{"ocsp signing", "timestamping", "any"},
		{"netscape sgc", "microsoft sgc", "code signing", "server auth", "any", "client auth"},
		{"Client Auth"},
		{"client auth "},
		{""},
		{"client auth", "no such usage"},
		{"no such usage", "client auth", "nor this"},
		Usages(),
	}
}
