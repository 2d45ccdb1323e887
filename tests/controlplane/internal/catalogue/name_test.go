package catalogue

import "testing"

func TestNamesAreUsedOnce(t *testing.T) {
	seen := map[string]bool{}
	note := func(kind, name string) {
		if key := kind + "/" + name; seen[key] {
			t.Errorf("%s is there twice", key)
		} else {
			seen[key] = true
		}
	}
	for _, subject := range Subjects() {
		note("subject", subject.Name)
	}
	for _, ask := range Asks() {
		note("ask", ask.Name)
	}
	for _, signing := range Signings() {
		note("signing", signing.Name)
	}
	for _, form := range Forms() {
		note("form", form.Name)
	}
	for _, structure := range Structures() {
		note("structure", structure.Name)
	}
	t.Logf("%d shapes", len(seen))
}
