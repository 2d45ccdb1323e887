package main

import (
	"slices"
	"strings"

	"countersign.dev/controlplane/internal/catalogue"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/kubernetes/pkg/apis/certificates"
)

// entry is one line: a request to create, and what is to happen to it.
type entry struct {
	Name              string            `json:"name"`
	Request           string            `json:"request"`
	SignerName        string            `json:"signerName"`
	Usages            []string          `json:"usages"`
	ExpirationSeconds *int32            `json:"expirationSeconds"`
	Requester         string            `json:"requester"`
	Action            string            `json:"action"`
	Labels            map[string]string `json:"labels,omitempty"`
	Annotations       map[string]string `json:"annotations,omitempty"`
	Exception         string            `json:"exception,omitempty"`
}

// creatable says whether the API server would take the entry, by the rules that matter here (it has more).
func (e entry) creatable() bool {
	request, err := certificates.ParseCSR([]byte(e.Request))
	if err != nil || request.CheckSignature() != nil {
		return false
	}
	known := sets.New(catalogue.Usages()...)
	distinct := sets.New(e.Usages...)
	return len(e.Usages) > 0 && len(distinct) == len(e.Usages) && known.IsSuperset(distinct) &&
		e.SignerName != catalogue.LegacyUnknown && (e.ExpirationSeconds == nil || *e.ExpirationSeconds >= 600)
}

// restricted says whether NodeRestriction refuses the entry: nodes ask for themselves alone.
func (e entry) restricted() bool {
	node, isNode := strings.CutPrefix(e.Requester, "node:")
	if !isNode || e.SignerName != catalogue.KubeletServing && e.SignerName != catalogue.KubeletClient {
		return false
	}
	request, err := certificates.ParseCSR([]byte(e.Request))
	return err != nil || request.Subject.CommonName != "system:node:"+node
}

// recognized says whether the approving controller would want to approve the entry, given the permission.
func (e entry) recognized() bool {
	if e.SignerName != catalogue.KubeletClient {
		return false
	}
	request, err := certificates.ParseCSR([]byte(e.Request))
	return err == nil && certificates.IsKubeletClientCSR(request, sets.NewString(e.Usages...))
}

// granted says whether the requester may have the permission the approving controller asks about.
func (e entry) granted() bool { return !strings.HasPrefix(e.Requester, "ungranted:") }

// slug is a name of the catalogue as part of an object's name.
func slug(name string) string {
	parts := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '.')
	})
	parts = slices.DeleteFunc(parts, func(part string) bool { return part == "." })
	joined := strings.Join(parts, "-")
	return strings.Trim(joined[:min(len(joined), 60)], "-.")
}
