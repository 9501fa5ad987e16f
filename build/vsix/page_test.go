package vsix

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"

	"galbuild/build/catalog"
)

// TestPage has a colour theme whose file is one that is read, and others.
func TestPage(t *testing.T) {
	const theme = `{"colors":{"editor.background":"#101112","editor.foreground":"#eeeeee"}}`
	manifest := `{"name":"hello","publisher":"acme","version":"1.0.0","engines":{"vscode":"^1.90.0"},"contributes":{"themes":[{"label":"%t%","path":"./a.json"}]}}`
	for name, c := range map[string]struct {
		file entry
		want int // colours
	}{
		"file":      {entry{name: "extension/a.json", content: theme}, 2},
		"link":      {link("extension/a.json", "b.json"), 0},
		"outside":   {entry{name: "a.json", content: theme}, 0},
		"too large": {entry{"extension/a.json", theme + strings.Repeat(" ", maxThemeBytes), func(h *zip.FileHeader) { h.Method = zip.Store }}, 0},
	} {
		archive := pack(t, []entry{{name: packageJSON.name, content: manifest}, {name: "extension/package.nls.json", content: `{"t":"Dark"}`}, c.file})
		p, err := Open(bytes.NewReader(archive), int64(len(archive)), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if all := p.Page.Contributions; len(all) != 1 || all[0].Items[0].Name != "Dark" || len(all[0].Items[0].Colours) != c.want {
			t.Errorf("%s: %+v, want %d colours", name, all, c.want)
		}
	}
}

// TestRead reads the readme before Walk, which then passes on the same text.
func TestRead(t *testing.T) {
	archive := pack(t, []entry{packageJSON, {name: "extension/README.md", content: "# Hello"}, {name: "extension/a.png", content: "abc"}, link("extension/b.png", "a.png")})
	p, err := Open(bytes.NewReader(archive), int64(len(archive)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := p.Read(Asset{Type: catalog.DetailsAsset, Entry: "extension/README.md"})
	if err != nil || string(text) != "# Hello" {
		t.Errorf("got %q, %v", text, err)
	}
	files := 0
	err = p.Walk(func(e Entry, r io.Reader) error {
		files++
		b, err := io.ReadAll(r)
		if e.Name == "extension/README.md" && (string(b) != "# Hello" || e.Size != 7) {
			t.Errorf("Walk: %q of %d bytes", b, e.Size)
		}
		return err
	})
	if err != nil || files != 4 {
		t.Errorf("%d files, %v", files, err)
	}
	for name, want := range map[string]int64{"extension/a.png": 3, "extension/A.png": 0, "extension/b.png": 0, "extension": 0, "a.png": 0} {
		if n, ok := p.Size(name); n != want || ok != (want > 0) {
			t.Errorf("%s: %d bytes, %v", name, n, ok)
		}
	}
}
