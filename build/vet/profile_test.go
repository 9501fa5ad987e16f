package vet

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"galbuild/build/vsix"
)

func TestProfile(t *testing.T) {
	s := newScanner(Options{})
	addText(s, "extension/package.json", `{"name": "hello", "publisher": "acme", "version": "1.0.0", "main": "./out\\x.js",
		"browser": "/dist/web.js", "activationEvents": ["onLanguage:go", "*", "*", 1], "repository": "git@github.com:Acme/Hello.git"}`)
	addText(s, "extension/out/x.js", `fetch("https://api.example.co.uk:8443/x?u=http://other.example.org"); a("vscode-resource://abc.def/x", "http://${host}/", "http://nohost", "https://10.1.2.3/")`)
	addText(s, "extension/lib/a.node", "\x7fELF\x02\x01\x01\x00\x00")
	got := s.Result().Profile
	want := Profile{Rules: Version, Publisher: "acme", Name: "hello", Version: "1.0.0", Repository: "github.com/acme/hello", Main: "out/x.js",
		Browser: "dist/web.js", Activation: []string{"*", "onLanguage:go"}, Binaries: []string{"lib/a.node"},
		Hosts: []string{"example.co.uk", "example.org"}, Uses: []string{"network"}, Size: got.Size}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	text, err := got.Encode()
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := ParseProfile(text)
	if err != nil || !reflect.DeepEqual(*decoded, want) {
		t.Errorf("decoded %+v, %v", decoded, err)
	}
}

func addText(s *Scanner, name, text string) {
	s.Add(vsix.Entry{Name: name, Size: int64(len(text))}, []byte(text))
}

// TestProfileLimit makes a profile as large as a package can.
func TestProfileLimit(t *testing.T) {
	s := newScanner(Options{})
	var code, events strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&code, `"https://host%d.example%d.com/";`, i, i)
		fmt.Fprintf(&events, `"\u0001\u0001\u0001\u0001on%d",`, i)
		addText(s, fmt.Sprintf("extension/lib/%d/a.node", i), "\x7fELF\x02\x01\x01\x00\x00")
	}
	long := strings.Repeat("\\u0001", 5000)
	addText(s, "extension/package.json", `{"name": "`+long+`", "main": "`+long+`", "activationEvents": [`+events.String()+`"*"]}`)
	addText(s, "extension/x.js", code.String())
	p := s.Result().Profile
	text, err := p.Encode()
	if err != nil || len(text) > MaxProfile || !p.Cut || len(p.Hosts) == 0 {
		t.Errorf("profile has %d bytes, cut %v, %d hosts, %v", len(text), p.Cut, len(p.Hosts), err)
	}
	if found := Compare(&p, &p); len(found) != 1 || found[0].Rule != notChecked {
		t.Errorf("comparing profiles that were cut: %+v", found)
	}
}

func TestParseProfileRefused(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "[]": "", "{}": "no version", `{"rules": 1, "size": "x"}`: "", strings.Repeat(" ", MaxProfile+1): "limit",
	} {
		if _, err := ParseProfile([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

func TestCompareWithNothing(t *testing.T) {
	if found := Compare(nil, &Profile{}); len(found) != 1 || found[0].Rule != notChecked || found[0].Severity != Low {
		t.Errorf("found %+v", found)
	}
}
