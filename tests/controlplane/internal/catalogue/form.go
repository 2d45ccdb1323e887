package catalogue

import (
	"encoding/base64"
	"strings"

	p "countersign.dev/controlplane/internal/pkcs10"
)

// Form is one way to write a request into spec.request.
type Form struct {
	Name  string
	Write func(der []byte) string
}

// Forms are all ways there are, each under a name of its own.
func Forms() []Form {
	return append(tolerated(), refused()...)
}

// tolerated are the forms that upstream reads, strange as they may be.
func tolerated() []Form {
	around := func(name, before, after string) Form {
		return Form{name, func(der []byte) string { return before + p.Armor(der) + after }}
	}
	edited := func(name string, edit func(string) string) Form {
		return Form{name, func(der []byte) string { return edit(p.Armor(der)) }}
	}
	header := map[string]string{"Comment": "by hand", "Proc-Type": "4,CLEAR"}
	return []Form{
		around("plain", "", ""),
		around("text-before", "Certificate Request:\n    Data: none\n", ""),
		around("text-after", "", "trailing text\n"),
		around("blank-lines-around", "\n\n", "\n\n"),
		around("junk-block-after", "", "-----BEGIN JUNK-----\n!!!\n-----END JUNK-----\n"),
		around("broken-begin-before", "-----BEGIN NOTHING\n", ""),
		around("byte-order-mark-and-newline", "\ufeff\n", ""),
		{"headers", func(der []byte) string { return p.ArmorAs(p.BlockType, header, der) }},
		{"certificate-block-after", func(der []byte) string { return p.Armor(der) + p.ArmorAs("CERTIFICATE", nil, der) }},
		{"same-block-twice", func(der []byte) string { return p.Armor(der) + p.Armor(der) }},
		{"unreadable-block-after", func(der []byte) string { return p.Armor(der) + p.ArmorAs(p.BlockType, nil, []byte("junk")) }},
		edited("carriage-returns", func(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }),
		edited("no-last-newline", strings.TrimSpace),
		edited("trailing-blanks", func(text string) string { return strings.ReplaceAll(text, "\n", " \t\n") }),
		edited("blank-line-inside", func(text string) string { return strings.Replace(text, "-----\n", "-----\n\n", 1) }),
		edited("one-long-line", joined),
		edited("leading-blanks-inside", func(text string) string { return strings.ReplaceAll(text, "\nM", "\n M") }),
	}
}

// joined is a PEM block with all its base64 on one line.
func joined(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[0] + "\n" + strings.Join(lines[1:len(lines)-1], "") + "\n" + lines[len(lines)-1] + "\n"
}

// refused are mostly refused; where one is not, upstream knows.
func refused() []Form {
	as := func(name, blockType string) Form {
		return Form{name, func(der []byte) string { return p.ArmorAs(blockType, nil, der) }}
	}
	edited := func(name string, edit func(string) string) Form {
		return Form{name, func(der []byte) string { return edit(p.Armor(der)) }}
	}
	constant := func(name, text string) Form { return Form{name, func([]byte) string { return text }} }
	return []Form{
		as("new-certificate-request", "NEW CERTIFICATE REQUEST"),
		as("type-certificate", "CERTIFICATE"),
		as("type-in-lower-case", "certificate request"),
		as("type-with-spaces", " CERTIFICATE REQUEST "),
		{"other-block-first", func(der []byte) string { return p.ArmorAs("CERTIFICATE", nil, der) + p.Armor(der) }},
		{"unreadable-block-first", func(der []byte) string { return p.ArmorAs(p.BlockType, nil, []byte("junk")) + p.Armor(der) }},
		{"trailing-der", func(der []byte) string { return p.Armor(append(append([]byte{}, der...), 0)) }},
		{"cut-short-der", func(der []byte) string { return p.Armor(der[:len(der)-1]) }},
		{"bare-der-in-base64", base64.StdEncoding.EncodeToString},
		{"empty-block", func([]byte) string { return p.Armor(nil) }},
		{"junk-in-block", func([]byte) string { return p.Armor([]byte("junk")) }},
		edited("leading-blank", func(text string) string { return " " + text }),
		edited("byte-order-mark", func(text string) string { return "\ufeff" + text }),
		edited("end-missing", func(text string) string { return text[:strings.Index(text, "-----END")] }),
		edited("end-of-other-type", func(text string) string {
			return strings.Replace(text, "END CERTIFICATE REQUEST", "END CERTIFICATE", 1)
		}),
		edited("four-dashes", func(text string) string { return strings.Replace(text, "-----BEGIN", "----BEGIN", 1) }),
		edited("junk-in-base64", func(text string) string { return strings.Replace(text, "\nM", "\n!M", 1) }),
		edited("url-safe-base64", func(text string) string {
			return strings.NewReplacer("+", "-", "/", "_", "-----", "-----").Replace(text)
		}),
		edited("padding-missing", func(text string) string { return strings.ReplaceAll(text, "=", "") }),
		edited("text-after-begin", func(text string) string { return strings.Replace(text, "REQUEST-----\n", "REQUEST----- x\n", 1) }),
		constant("nothing", ""),
		constant("words", "this is no request"),
		constant("nul", "\x00\x00"),
	}
}
