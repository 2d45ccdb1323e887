// Package catalogue lists the shapes a certification request comes in: sound ones, odd ones and malformed ones.
package catalogue

import (
	"slices"
	"strings"

	p "countersign.dev/controlplane/internal/pkcs10"
)

// Subject is one shape of a request's subject.
type Subject struct {
	Name string
	DN   p.Name
	// Raw takes the place of DN where the subject is no distinguished name at all.
	Raw []byte
}

// Node is the subject a kubelet asks for.
func Node(name string) p.Name {
	return p.NameOf(p.Printable(p.Organization, "system:nodes"), p.Printable(p.CommonName, "system:node:"+name))
}

// User is the subject of a client in no group.
func User(name string) p.Name { return p.NameOf(p.UTF8(p.CommonName, name)) }

// Subjects are all shapes there are, each under a name of its own.
func Subjects() []Subject {
	return slices.Concat(nodeSubjects(), groupSubjects(), attributeSubjects(), commonNameSubjects(), stringSubjects(),
		valueSubjects(), malformedSubjects())
}

func named(name string, attributes ...p.Attribute) Subject {
	return Subject{Name: name, DN: p.NameOf(attributes...)}
}

// nodeSubjects are near what a kubelet sends: some are nodes, some only look like one.
func nodeSubjects() []Subject {
	o, cn := p.Printable(p.Organization, "system:nodes"), p.Printable(p.CommonName, "system:node:worker-0")
	return []Subject{
		named("node", o, cn),
		named("node-utf8", p.UTF8(p.Organization, "system:nodes"), p.UTF8(p.CommonName, "system:node:worker-0")),
		named("node-ia5", p.Text(p.Organization, p.TagIA5String, "system:nodes"), p.Text(p.CommonName, p.TagIA5String, "system:node:worker-0")),
		named("node-bmp", p.BMP(p.Organization, "system:nodes"), p.BMP(p.CommonName, "system:node:worker-0")),
		named("node-t61", p.Text(p.Organization, p.TagT61String, "system:nodes"), p.Text(p.CommonName, p.TagT61String, "system:node:worker-0")),
		named("node-common-name-first", cn, o),
		{Name: "node-in-one-rdn", DN: p.Name{{o, cn}}},
		{Name: "node-in-one-unsorted-rdn", DN: p.Name{{cn, o}}},
		named("node-with-unit", o, p.Printable(p.OrganizationalUnit, "pool"), cn),
		named("node-with-unknown-attributes", p.UTF8(p.UserID, "u"), o, p.Text(p.EmailAddress, p.TagIA5String, "a@b.c"), cn, p.UTF8(p.Title, "t")),
		named("node-organization-twice", o, o, cn),
		named("node-and-other-organization", o, p.Printable(p.Organization, "other"), cn),
		named("node-after-other-organization", p.Printable(p.Organization, "other"), o, cn),
		{Name: "node-two-organizations-in-one-rdn", DN: p.Name{{p.Printable(p.Organization, "other"), o}, {cn}}},
		named("node-organization-in-capitals", p.Printable(p.Organization, "System:Nodes"), cn),
		named("node-organization-with-space", p.Printable(p.Organization, "system:nodes "), cn),
		named("node-organization-empty", p.Printable(p.Organization, ""), cn),
		named("node-organization-and-an-empty-one", o, p.UTF8(p.Organization, ""), cn),
		named("node-organization-is-a-number", p.Attribute{Type: p.Organization, Value: p.SmallInteger(7)}, o, cn),
		named("node-organization-as-unit", p.Printable(p.OrganizationalUnit, "system:nodes"), cn),
		named("node-without-organization", cn),
		named("node-without-common-name", o),
		named("node-prefix-alone", o, p.Printable(p.CommonName, "system:node:")),
		named("node-prefix-cut-short", o, p.Printable(p.CommonName, "system:node")),
		named("node-prefix-in-capitals", o, p.Printable(p.CommonName, "System:Node:worker-0")),
		named("node-prefix-after-space", o, p.Printable(p.CommonName, " system:node:worker-0")),
		named("node-name-is-odd", o, p.UTF8(p.CommonName, "system:node:../é\n\x00x")),
		named("node-last-of-two-common-names", o, p.Printable(p.CommonName, "alice"), cn),
		named("node-first-of-two-common-names", o, cn, p.Printable(p.CommonName, "alice")),
		{Name: "node-first-in-a-rdn-of-two", DN: p.Name{{o}, {cn, p.Printable(p.CommonName, "alice")}}},
		{Name: "node-last-in-a-rdn-of-two", DN: p.Name{{o}, {p.Printable(p.CommonName, "alice"), cn}}},
		named("node-then-empty-common-name", o, cn, p.UTF8(p.CommonName, "")),
		named("node-then-number-as-common-name", o, cn, p.Attribute{Type: p.CommonName, Value: p.SmallInteger(5)}),
	}
}

// groupSubjects have one, several or strange organizations.
func groupSubjects() []Subject {
	cn := p.UTF8(p.CommonName, "alice")
	o := func(value string) p.Attribute { return p.UTF8(p.Organization, value) }
	return []Subject{
		named("one-group", o("dev"), cn),
		named("three-groups", o("dev"), o("ops"), o("qa"), cn),
		named("three-groups-unsorted", o("zeta"), cn, o("alpha"), o("mid")),
		named("groups-of-unequal-length", o("bbb"), o("aaaa"), o("c"), o("aa"), cn),
		named("groups-twice", o("dev"), o("dev"), o("ops"), o("dev"), cn),
		named("groups-of-unlike-strings", p.Printable(p.Organization, "dev"), p.BMP(p.Organization, "dev"), p.UTF8(p.Organization, "dév"), cn),
		{Name: "groups-in-one-rdn", DN: p.Name{{o("ops"), o("dev")}, {cn}}},
		{Name: "groups-in-two-rdns-of-two", DN: p.Name{{o("b"), o("a")}, {o("d"), o("c")}, {cn}}},
		{Name: "group-and-name-in-one-rdn", DN: p.Name{{cn, o("dev")}}},
		named("group-empty-among-others", o("dev"), o(""), o("ops"), cn),
		named("masters", p.Printable(p.Organization, "system:masters"), cn),
	}
}

// attributeSubjects have attributes Go keeps, in any order and number, and others it drops.
func attributeSubjects() []Subject {
	kept := []p.AttributeType{p.Country, p.Province, p.Locality, p.Street, p.PostalCode, p.Organization,
		p.OrganizationalUnit, p.CommonName, p.SerialNumber}
	var all, reversed, doubled []p.Attribute
	for i, kind := range kept {
		value := string(rune('A'+i)) + "-value"
		all = append(all, p.Printable(kind, value))
		reversed = append([]p.Attribute{p.UTF8(kind, value)}, reversed...)
		doubled = append(doubled, p.UTF8(kind, "z"+value), p.Printable(kind, "a"+value))
	}
	subjects := []Subject{
		named("all-attributes", all...),
		named("all-attributes-reversed", reversed...),
		named("all-attributes-twice", doubled...),
		{Name: "all-attributes-in-one-rdn", DN: p.Name{all}},
		named("serial-number-twice", p.Printable(p.SerialNumber, "1"), p.Printable(p.SerialNumber, "2"), p.UTF8(p.CommonName, "a")),
		named("serial-number-then-empty", p.Printable(p.SerialNumber, "1"), p.Printable(p.SerialNumber, ""), p.UTF8(p.CommonName, "a")),
		named("only-unknown-attributes", p.UTF8(p.UserID, "u"), p.Text(p.DomainComponent, p.TagIA5String, "example"), p.UTF8(p.Surname, "s")),
		named("unknown-attributes-around", p.UTF8(p.GivenName, "g"), p.UTF8(p.CommonName, "alice"), p.UTF8(p.Private, "x")),
		named("longer-common-name-type", p.UTF8(p.AttributeType{2, 5, 4, 3, 1}, "not a name"), p.UTF8(p.CommonName, "alice")),
		named("unknown-type-of-2.5.4", p.UTF8(p.AttributeType{2, 5, 4, 97}, "x"), p.UTF8(p.CommonName, "alice")),
	}
	for i, kind := range kept {
		subjects = append(subjects, named("only-attribute-"+string(rune('0'+i)), p.UTF8(kind, "välue")))
	}
	return subjects
}

// commonNameSubjects have no, an empty, or several common names.
func commonNameSubjects() []Subject {
	cn := func(value string) p.Attribute { return p.UTF8(p.CommonName, value) }
	return []Subject{
		{Name: "empty", DN: p.Name{}},
		named("empty-common-name", cn("")),
		named("group-and-empty-common-name", p.UTF8(p.Organization, "dev"), cn("")),
		named("two-common-names", cn("alice"), cn("bob")),
		named("empty-after-common-name", cn("alice"), cn("")),
		named("common-name-after-empty", cn(""), cn("alice")),
		{Name: "two-common-names-in-one-rdn", DN: p.Name{{cn("bob"), cn("alice")}}},
		{Name: "two-common-names-in-one-rdn-sorted", DN: p.Name{{cn("alice"), cn("bob")}}},
		{Name: "common-names-across-rdns", DN: p.Name{{cn("z"), p.UTF8(p.Organization, "o")}, {cn("b"), cn("a")}}},
		named("long-common-name", cn(strings.Repeat("n", 300))),
		named("very-long-common-name", cn(strings.Repeat("m", 5000))),
		named("common-name-with-controls", cn("a\x00b\tc\nd\x7f")),
	}
}
