package catalogue

import (
	"embed"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed foreign/*.crt foreign/*.csr foreign/*.key
var foreign embed.FS

// Foreign is a file made with OpenSSL: a certificate (.crt), key (.key) or request (.csr) by its name.
func Foreign(name string) string {
	content, err := foreign.ReadFile(path.Join("foreign", name))
	if err != nil {
		panic(err) // the files are part of this program
	}
	return string(content)
}

// ForeignRequests are the names of the requests made with OpenSSL, without the extension.
func ForeignRequests() []string {
	files, err := fs.Glob(foreign, "foreign/*.csr")
	if err != nil {
		panic(err) // the pattern is sound
	}
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(path.Base(file), ".csr"))
	}
	slices.Sort(names)
	return names
}
