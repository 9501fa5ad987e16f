package manifest

import (
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"galbuild/build/pack/packtest"
)

var update = flag.Bool("update", false, "rewrite the recorded differences from vsce")

// A vsceCase is a folder, and what vsce 4.1 writes for it. It has these files in
// testdata/vsce/*.txtar, below its name:
//
//	package.json            and package.nls.json, if there is one
//	files                   names of other files, one a line; their contents are not used
//	options                 platform=…, pre-release
//	extension.vsixmanifest  recorded from vsce, or
//	refused                 the recorded error of vsce
//	different               a line with the reason for a difference from vsce, and the
//	                        difference: of the XML, the missing translations, or an error
type vsceCase struct {
	name  string
	files map[string]string
}

func (c vsceCase) lines(file string) []string { return strings.Fields(c.files[file]) }

// names returns the names in files.
func (c vsceCase) names() []string {
	return strings.FieldsFunc(c.files["files"], func(r rune) bool { return r == '\n' })
}

func vsceCases(t *testing.T, file string) ([]vsceCase, *txtar.Archive) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var cases []vsceCase
	for _, f := range archive.Files {
		name, part := path.Split(f.Name)
		if n := len(cases); n == 0 || cases[n-1].name != name {
			cases = append(cases, vsceCase{name, map[string]string{}})
		}
		cases[len(cases)-1].files[part] = string(f.Data)
	}
	return cases, archive
}

// options returns the entries, and those with a type, as build/pack does.
func (c vsceCase) options(p *Package) (entries []string, o Options) {
	entries = []string{PackagePath}
	for _, name := range c.names() {
		entry := "extension/" + name
		switch lower := strings.ToLower(name); {
		case lower == "readme.md":
			entry = "extension/readme.md"
			o.Readme = entry
		case lower == "changelog.md":
			entry = "extension/changelog.md"
			o.Changelog = entry
		case o.License == "" && c.isLicense(name):
			if path.Ext(name) == "" {
				entry += ".txt"
			}
			o.License = entry
		case p.Icon() != "" && entry == path.Join("extension", p.Icon()):
			o.Icon = entry
		}
		entries = append(entries, entry)
	}
	for _, option := range c.lines("options") {
		if platform, ok := strings.CutPrefix(option, "platform="); ok {
			o.Platform = platform
		}
		o.PreRelease = o.PreRelease || option == "pre-release"
	}
	return entries, o
}

func (c vsceCase) isLicense(name string) bool {
	if _, see, ok := strings.Cut(c.files["package.json"], "SEE LICENSE IN "); ok {
		return strings.HasPrefix(see, name)
	}
	return strings.HasPrefix(strings.ToUpper(name), "LICEN")
}

// TestVsce derives the XML for packing, and compares it with that of vsce. Differences must be
// recorded, with the reason.
func TestVsce(t *testing.T) {
	files, err := filepath.Glob("testdata/vsce/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	total := 0
	for _, file := range files {
		cases, archive := vsceCases(t, file)
		total += len(cases)
		for _, c := range cases {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+strings.Trim(c.name, "/"), func(t *testing.T) {
				reason, want, _ := strings.Cut(c.files["different"], "\n")
				got := c.difference(t)
				if got == want {
					return
				}
				t.Errorf("difference:\n%swant:\n%s", got, want)
				if *update {
					putFile(archive, c.name+"different", reason+"\n"+got)
				}
			})
		}
		if *update {
			if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	if total < 120 {
		t.Errorf("%d cases only", total)
	}
}

// difference returns the differences from vsce, or "".
func (c vsceCase) difference(t *testing.T) string {
	t.Helper()
	var nls []byte
	if text, ok := c.files["package.nls.json"]; ok {
		nls = []byte(text)
	}
	p, missing, err := translatedPackage(c.files["package.json"], nls)
	recorded, accepted := c.files["extension.vsixmanifest"]
	switch {
	case err != nil:
		return "error: " + err.Error() + "\n"
	case len(missing) > 0:
		return fmt.Sprintln(missing)
	case !accepted:
		return "" // this package does not refuse extensions
	}
	entries, o := c.options(p)
	derived, err := Derive(p, entries, o).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return packtest.DiffXML([]byte(recorded), derived)
}

// translatedPackage reads both documents as the packer does.
func translatedPackage(packageJSON string, nls []byte) (*Package, []Untranslated, error) {
	text, missing, err := Translated([]byte(packageJSON), nls)
	if err != nil {
		return nil, nil, err
	}
	p, err := ForPacking(text)
	return p, missing, err
}

// putFile replaces a file of an archive, or adds it after the others of its case.
func putFile(a *txtar.Archive, name, text string) {
	dir, _ := path.Split(name)
	after := 0
	for i, f := range a.Files {
		if f.Name == name {
			a.Files[i].Data = []byte(text)
			return
		}
		if strings.HasPrefix(f.Name, dir) {
			after = i + 1
		}
	}
	a.Files = append(a.Files[:after], append([]txtar.File{{Name: name, Data: []byte(text)}}, a.Files[after:]...)...)
}
