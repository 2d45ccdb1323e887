package catalogue

import (
	"math/rand/v2"

	p "countersign.dev/controlplane/internal/pkcs10"
)

// Mixture draws requests at random: sound ones with one or two things changed, and some with everything changed.
type Mixture struct {
	*rand.Rand
	Pool *p.Pool

	subjects []Subject
	asks     []Ask
	signings []Signing
}

// NewMixture draws from the stream of a seed and label.
func NewMixture(seed uint64, label string, pool *p.Pool) *Mixture {
	return &Mixture{
		Rand: rand.New(p.Stream(seed, label)), Pool: pool,
		subjects: Subjects(), asks: Asks(), signings: TakenSignings(),
	}
}

// Pick is a random element.
func Pick[T any](m *Mixture, from []T) T { return from[m.IntN(len(from))] }

// Chance is true in that many cases of a hundred.
func (m *Mixture) Chance(percent int) bool { return m.IntN(100) < percent }

// Signer is one of the three signerNames that can be created.
func (m *Mixture) Signer() string {
	return Pick(m, []string{KubeletServing, KubeletClient, APIServerClient})
}

// Usages are mostly what the signer takes.
func (m *Mixture) Usages(signer string) []string {
	switch {
	case m.Chance(70):
		return UsualUsages(signer)
	case m.Chance(50):
		return append([]string{"key encipherment"}, UsualUsages(signer)...)
	}
	usages := append([]string{}, Usages()...)
	m.Shuffle(len(usages), func(i, j int) { usages[i], usages[j] = usages[j], usages[i] })
	return usages[:1+m.IntN(6)]
}

// Expiration is nil or a number of seconds, often near one of the bounds.
func (m *Mixture) Expiration() *int32 {
	if m.Chance(40) {
		return nil
	}
	if m.Chance(50) {
		seconds := 600 + m.Int32N(40_000_000)
		return &seconds
	}
	seconds := Pick(m, []int32{600, 601, 3600, 28799, 28800, 28801, 86400, 31536000, 2147483647})
	return &seconds
}

// Request is a request to the signer, sound or not.
func (m *Mixture) Request(signer string) p.Request {
	request := Sound(m.Pool, signer)
	switch {
	case m.Chance(25):
		subject := Pick(m, m.subjects)
		request.Subject, request.RawSubject = subject.DN, subject.Raw
	case m.Chance(35):
		request.Subject = m.Name()
	}
	switch {
	case m.Chance(20):
		request.Attributes = Pick(m, m.asks).Attributes
	case m.Chance(30):
		request.Attributes = m.Attributes()
	}
	if m.Chance(40) {
		request = Pick(m, m.signings).Apply(m.Pool, request)
	}
	return request
}

// Name is a distinguished name of random attributes, types, strings and grouping.
func (m *Mixture) Name() p.Name {
	name := p.Name{}
	for range m.IntN(7) {
		attribute := m.attribute()
		if len(name) > 0 && m.Chance(25) {
			name[len(name)-1] = append(name[len(name)-1], attribute)
			continue
		}
		name = append(name, p.RDN{attribute})
	}
	return name
}

func (m *Mixture) attribute() p.Attribute {
	kind := Pick(m, []p.AttributeType{
		p.CommonName, p.CommonName, p.Organization, p.Organization, p.OrganizationalUnit, p.Country, p.Province, p.Locality,
		p.Street, p.PostalCode, p.SerialNumber, p.UserID, p.EmailAddress, p.Title, p.Private,
	})
	value := m.text()
	if m.Chance(20) {
		return p.BMP(kind, value+Pick(m, []string{"", "é", "漢"}))
	}
	if m.Chance(40) {
		return p.UTF8(kind, value+Pick(m, []string{"", "é", "@", "_", "*", "&"}))
	}
	return p.Text(kind, Pick(m, []byte{p.TagPrintableString, p.TagIA5String, p.TagT61String}), value)
}

func (m *Mixture) text() string {
	return Pick(m, []string{
		"", "a", "b", "aa", "dev", "ops", "system:nodes", "system:node:worker-1", "system:node:", "alice", "DE", "Main St. 5",
		"(x), +1-2/3: =?", "10115", "zz zz",
	})
}

// Attributes ask for random alternative names, and now and then for other extensions.
func (m *Mixture) Attributes() []p.RequestAttribute {
	var names []p.GeneralName
	for range m.IntN(6) {
		names = append(names, m.generalName())
	}
	names = append(names, p.DNS("last.example.com"))
	extension := p.SubjectAltName(names...)
	if m.Chance(20) {
		extension = extension.AsCritical()
	}
	attributes := []p.RequestAttribute{p.ExtensionRequest(extension)}
	if m.Chance(20) {
		attributes = append(attributes, p.ChallengePassword("x"))
	}
	return attributes
}

func (m *Mixture) generalName() p.GeneralName {
	switch m.IntN(10) {
	case 0:
		return p.Email(m.text() + "@example.com")
	case 1:
		return p.URI("https://host.example/" + Pick(m, []string{"", "a?b", "%2f", "#x"}))
	case 2:
		return p.IP(192, 0, 2, byte(m.IntN(256)))
	case 3:
		return p.IP(append([]byte{0x20, 1, 0xd, 0xb8}, make([]byte, 12)...)...)
	case 4:
		return p.OtherName(m.text())
	case 5:
		return p.DirectoryName(User("x"))
	default:
		return p.DNS(Pick(m, []string{"worker-0", "a.example.com", "B.Example.com", "*.example.com", "x_y"}))
	}
}
