package vsix

import (
	"strings"
	"testing"

	"galbuild/build/catalog"
)

func TestLicence(t *testing.T) {
	for text, want := range map[string]string{
		"MIT":                           "MIT",
		" mit ":                         "MIT",
		"apache-2.0":                    "Apache-2.0",
		"(MIT OR Apache-2.0)":           "MIT OR Apache-2.0",
		"mit AND (bsd-3-clause OR isc)": "MIT AND (BSD-3-Clause OR ISC)",
		"GPL-2.0-only WITH Classpath-exception-2.0": "GPL-2.0-only WITH Classpath-exception-2.0",
		"LicenseRef-Acme":                     "LicenseRef-Acme",
		"":                                    "",
		"SEE LICENSE IN LICENSE.txt":          "",
		"UNLICENSED":                          "",
		"Apache 2":                            "",
		"MIT OR":                              "",
		"((((":                                "",
		"MIT\x00":                             "",
		strings.Repeat("(", 200):              "",
		strings.Repeat("MIT OR ", 40) + "MIT": "",
	} {
		if got := licence(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// FuzzLicence checks that every licence is accepted by the catalogue, and is normalized.
func FuzzLicence(f *testing.F) {
	for _, text := range []string{"MIT", "(MIT OR Apache-2.0)", "GPL-2.0+", "DocumentRef-a:LicenseRef-b", "SEE LICENSE IN x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := licence(text)
		p := catalog.Package{SHA256: [32]byte{1}, ID: "acme.hello@1.0.0", Licence: got}
		if err := p.Check(); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if again := licence(got); again != got {
			t.Errorf("%q: got %q, and then %q", text, got, again)
		}
	})
}
