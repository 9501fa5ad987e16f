package vsix

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"galbuild/build/catalog"
)

// link returns a symbolic link as an entry.
func link(name, target string) entry {
	return entry{name, target, func(h *zip.FileHeader) {
		h.Method = zip.Store
		h.SetMode(fs.ModeSymlink | 0o777)
	}}
}

// TestLinks has links within the package, which Walk reads as files, and links out of it, which are
// refused.
func TestLinks(t *testing.T) {
	for name, c := range map[string]struct {
		links []entry
		want  string // of the error
	}{
		"next to it":          {[]entry{link("extension/a", "package.json")}, ""},
		"a framework":         {[]entry{link("extension/X.framework/Versions/Current", "A"), link("extension/X.framework/X", "Versions/Current/X")}, ""},
		"up and down":         {[]entry{link("extension/bin/a", "../lib/../lib/b")}, ""},
		"the folder itself":   {[]entry{link("extension/a", ".")}, ""},
		"nowhere":             {[]entry{link("extension/a", "missing")}, ""},
		"empty":               {[]entry{link("extension/a", "")}, ""},
		"next to extension":   {[]entry{link("a", "extension/package.json")}, ""},
		"absolute":            {[]entry{link("extension/a", "/etc/passwd")}, `entry "extension/a": symbolic link to "/etc/passwd", an absolute path`},
		"drive":               {[]entry{link("extension/a", `C:\Windows`)}, "an absolute path"},
		"share":               {[]entry{link("extension/a", `\\server\share`)}, "an absolute path"},
		"parent folder":       {[]entry{link("extension/a", "../../x")}, `entry "extension/a": symbolic link to "../../x", which is outside of the package`},
		"backslashes":         {[]entry{link("extension/a", `..\..\x`)}, "which is outside of the package"},
		"out of extension":    {[]entry{link("extension/a", "../extension.vsixmanifest")}, "which is outside of the package"},
		"out and in again":    {[]entry{link("extension/a", "../extension/b")}, "which is outside of the package"},
		"next to, parent":     {[]entry{link("a", "../x")}, "which is outside of the package"},
		"a file like ..":      {[]entry{link("extension/a", "..x/b")}, ""},
		"by another link":     {[]entry{link("extension/a/b", "."), link("extension/c", "a/b/../../x")}, `entry "extension/c": symbolic link to "a/b/../../x", which is outside`},
		"by a link elsewhere": {[]entry{link("extension/deep/er/up", ".."), link("extension/z", "deep/er/up/../../x")}, "which is outside of the package"},
		"by a link in another case": {[]entry{link("extension/D/A", ".."), {name: "extension/d/a/b", content: "x"}, link("extension/d/a/l", "../..")},
			`entry "extension/d/a/l": symbolic link to "../..", which is outside of the package`},
		"in a cycle":         {[]entry{link("extension/a", "b"), link("extension/b", "a")}, "symbolic link that leads to itself"},
		"to itself":          {[]entry{link("extension/a", "a/x")}, "symbolic link that leads to itself"},
		"control characters": {[]entry{link("extension/a", "b\nc")}, "whose target contains control characters"},
		"too long":           {[]entry{link("extension/a", strings.Repeat("a/", 513))}, "a target of 1026 bytes, more than the limit of 1024"},
		"as package.json":    {[]entry{link("extension/package.nls.json", "package.json")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p, content, err := walkedLinks(t, append([]entry{packageJSON}, c.links...))
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range c.links {
				if content[l.name] != l.content {
					t.Errorf("%s contains %q, want %q", l.name, content[l.name], l.content)
				}
			}
			if !strings.Contains(strings.Join(p.Warnings, "\n"), fmt.Sprintf("entry %q is a symbolic link", c.links[0].name)) {
				t.Errorf("warnings %q", p.Warnings)
			}
		})
	}
}

func walkedLinks(t *testing.T, entries []entry) (*Package, map[string]string, error) {
	t.Helper()
	archive := pack(t, entries)
	p, err := Open(bytes.NewReader(archive), int64(len(archive)), Limits{})
	if err != nil {
		return nil, nil, err
	}
	content := make(map[string]string)
	return p, content, p.Walk(func(e Entry, r io.Reader) error {
		b, err := io.ReadAll(r)
		content[e.Name] = string(b)
		return err
	})
}

// TestLinkedDocuments has links in place of files that editors read.
func TestLinkedDocuments(t *testing.T) {
	if _, _, err := walkedLinks(t, []entry{link("extension/package.json", "other.json")}); err == nil || !strings.Contains(err.Error(), "extension/package.json") {
		t.Errorf("package.json: error %v", err)
	}
	p, _, err := walkedLinks(t, []entry{packageJSON, link("extension/readme.md", "docs/readme.md"), {name: "extension/docs/readme.md", content: "# Hello"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range p.Assets {
		if a.Type == catalog.DetailsAsset {
			t.Errorf("asset %v is a link", a)
		}
	}
	if want := `readme "extension/readme.md" is left out: it is a symbolic link`; !strings.Contains(strings.Join(p.Warnings, "\n"), want) {
		t.Errorf("warnings %q, want %q", p.Warnings, want)
	}
}

// TestManyLinks has a chain of as many links as the limit, and then one more.
func TestManyLinks(t *testing.T) {
	most := int(Limits{}.WithDefaults().Links)
	entries := []entry{packageJSON}
	for i := range most {
		entries = append(entries, link(fmt.Sprintf("extension/%05d", i), fmt.Sprintf("%05d", i+1)))
	}
	p, _, err := walkedLinks(t, entries)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(p.Warnings, "\n"), "9999 more entries are symbolic links") {
		t.Errorf("warnings %q", p.Warnings)
	}
	_, _, err = walkedLinks(t, append(entries, link("extension/x", "y")))
	if err == nil || !strings.Contains(err.Error(), `entry "extension/x": one of 10001 symbolic links, more than the limit of 10000`) {
		t.Errorf("error %v", err)
	}
}
