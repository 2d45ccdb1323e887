package catalogue

import (
	"fmt"
	"slices"
	"strings"

	p "countersign.dev/controlplane/internal/pkcs10"
)

// Ask is one shape of what a request asks for beside subject and key: names, other extensions, other attributes.
type Ask struct {
	Name       string
	Attributes []p.RequestAttribute
}

func asking(name string, extensions ...p.Extension) Ask {
	return Ask{name, []p.RequestAttribute{p.ExtensionRequest(extensions...)}}
}

func namesOf(name string, names ...p.GeneralName) Ask {
	return asking(name, p.SubjectAltName(names...))
}

// ServingNames are what a kubelet puts into its serving request.
func ServingNames(node string) []p.RequestAttribute {
	names := p.SubjectAltName(p.DNS(node), p.DNS(node+".cluster.example"), p.IP(10, 0, 0, 7))
	return []p.RequestAttribute{p.ExtensionRequest(names)}
}

// Asks are all shapes there are, each under a name of its own.
func Asks() []Ask {
	return slices.Concat(nameAsks(), ipAsks(), uriAsks(), malformedNameAsks(), extensionAsks(), attributeAsks())
}

// nameAsks are alternative names of every kind.
func nameAsks() []Ask {
	v6 := p.IP(append([]byte{0x20, 0x01, 0x0d, 0xb8}, make([]byte, 12)...)...)
	return []Ask{
		namesOf("dns", p.DNS("worker-0")),
		namesOf("dns-three", p.DNS("b.example.com"), p.DNS("a.example.com"), p.DNS("b.example.com")),
		namesOf("dns-odd", p.DNS("*.Example.COM"), p.DNS("under_score"), p.DNS("dot."), p.DNS("-dash-"), p.DNS("a..b"), p.DNS("two words")),
		namesOf("dns-empty", p.DNS("")),
		namesOf("dns-long", p.DNS(strings.Repeat("abcdefgh.", 40)+"x")),
		namesOf("dns-controls", p.DNS("a\x00b\n")),
		namesOf("dns-not-ascii", p.DNS("zoë.example.com")),
		namesOf("dns-eight-bit", p.DNS("a\x80")),
		namesOf("dns-that-is-an-address", p.DNS("10.0.0.1")),
		namesOf("dns-forty", fortyNames()...),
		namesOf("email", p.Email("alice@example.com")),
		namesOf("email-odd", p.Email("no at sign"), p.Email("")),
		namesOf("email-not-ascii", p.Email("zoë@example.com")),
		namesOf("every-kind", p.URI("https://u.example/"), p.IP(10, 0, 0, 1), p.Email("e@example.com"), p.DNS("d.example.com")),
		namesOf("every-kind-mixed", p.IP(10, 0, 0, 1), p.DNS("a"), v6, p.URI("b:c"), p.DNS("d"), p.Email("e@f"), p.URI("g:h"), p.Email("i@j")),
		namesOf("other-name", p.OtherName("alice@example.com")),
		namesOf("directory-name", p.DirectoryName(User("bob"))),
		namesOf("registered-id", p.RegisteredID(1, 2, 3, 4)),
		namesOf("x400-address", p.X400Address()),
		namesOf("edi-party-name", p.EDIPartyName("party")),
		namesOf("dropped-kinds-around-dns", p.OtherName("x"), p.DNS("kept.example.com"), p.DirectoryName(User("bob")), p.RegisteredID(1, 2), p.X400Address()),
	}
}

func fortyNames() []p.GeneralName {
	var names []p.GeneralName
	for i := range 40 {
		names = append(names, p.DNS(fmt.Sprintf("host-%02d.example.com", 39-i)))
	}
	return names
}

func ipAsks() []Ask {
	zeros := func(n int) p.GeneralName { return p.IP(make([]byte, n)...) }
	mapped := append(append(make([]byte, 10), 0xff, 0xff), 10, 0, 0, 9)
	return []Ask{
		namesOf("ip4", p.IP(192, 0, 2, 1)),
		namesOf("ip6", p.IP(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)),
		namesOf("ip6-mapped-ip4", p.IP(mapped...)),
		namesOf("ip6-compatible-ip4", p.IP(append(make([]byte, 12), 10, 0, 0, 9)...)),
		namesOf("ip-unspecified", zeros(4), zeros(16)),
		namesOf("ip-twice", p.IP(192, 0, 2, 1), p.IP(192, 0, 2, 1)),
		namesOf("ip-empty", zeros(0)),
		namesOf("ip-three-octets", zeros(3)),
		namesOf("ip-five-octets", zeros(5)),
		namesOf("ip-with-mask", p.IP(10, 0, 0, 0, 255, 0, 0, 0)),
		namesOf("ip6-with-mask", zeros(32)),
	}
}

func uriAsks() []Ask {
	uris := []string{
		"https://example.com/a/b?c=d#e", "spiffe://cluster.local/ns/default/sa/x", "urn:uuid:0000", "mailto:a@b", "//host/path",
		"relative/path", "/absolute/path", "", "scheme:", "http://", "http:///path", "https://user:pa%20ss@host:8443/",
		"help://me@what:8080/where/when?why=true", "http://[2001:db8::1]:80/", "http://[fe80::1%25en0]/", "http://192.0.2.1/",
		"HTTP://EXAMPLE.com/%7Efoo/%2f", "http://example.com/a b", "http://example.com/a%zz", "http://example.com/?q=%zz",
		"http://exa mple.com/", "http://host:port/", "http://host:/", "http://host:99999/", "http://-bad-.example/", "http://a..b/",
		"http://under_score/", "http://.example.com/", "http://example.com./", "http://*.example.com/", "http://%65xample.com/",
		"http://example.com/\x7f", "http://ex\x00ample/", "http://b%C3%BCcher.example/", ":no-scheme", "1http://a/", "a:b:c",
		"http://example.com/a#b#c", "http://example.com?", "http://example.com/#", "http://example.com/;a=b,c!'()*", "opaque:%41b",
		"http://" + strings.Repeat("a", 64) + ".example/", "http://user@/", "x://?q", "http://example.com/é",
	}
	var asks []Ask
	for i, uri := range uris {
		asks = append(asks, namesOf(fmt.Sprintf("uri-%02d", i), p.URI(uri)))
	}
	return asks
}

// malformedNameAsks break the extension's structure.
func malformedNameAsks() []Ask {
	raw := func(name string, value []byte) Ask {
		return asking(name, p.Extension{OID: p.SubjectAltNameOID, Value: value})
	}
	return []Ask{
		namesOf("names-none"),
		raw("names-absent", nil),
		raw("names-a-set", p.Set(p.DNS("a"))),
		raw("names-with-trailing-data", append(p.Sequence(p.DNS("a")), 0)),
		raw("names-cut-short", []byte{0x30, 0x05, 0x82, 0x01}),
		raw("names-name-cut-short", p.Sequence([]byte{0x82, 0x05, 'a'})),
		raw("names-universal-tag", p.Sequence(p.Encode(p.TagIA5String, []byte("a")), p.DNS("b"))),
		raw("names-unknown-tag", p.Sequence(p.Context(9, false, []byte("a")), p.DNS("b"))),
		raw("names-constructed-dns", p.Sequence(p.Context(2, true, p.Encode(p.TagIA5String, []byte("a"))))),
		raw("names-long-length", p.Sequence([]byte{0x82, 0x81, 0x01, 'a'})),
		raw("names-high-tag", p.Sequence([]byte{0x9f, 0x1f, 0x01, 'a'})),
	}
}
