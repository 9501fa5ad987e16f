package vsix

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestCases opens the package with the files of each testdata/*.txtar, and compares it with the
// lines above the first file. Each line is key=value:
//
//	wantErr   text that the error of Open or Walk contains
//	warn      text that a warning contains; may be repeated
//	nowarn    text that no warning contains
//	asset     the assets, type=entry, all of them in order
//	property  a property, key=value; may be repeated
//	noproperty  the key of a property that must be missing; may be repeated
//	served    the beginning of extension/package.json in Walk
//	KEY       any other key is one of the function fields, with the value as formatted there
//
// In files, \xNN is a byte. The name of a file in quotes is a Go string.
func TestCases(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases found (%v)", err)
	}
	for _, file := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			text, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			runCase(t, text)
		})
	}
}

func runCase(t *testing.T, text *txtar.Archive) {
	want := map[string][]string{}
	for line := range strings.Lines(string(text.Comment)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && !strings.HasPrefix(key, "#") {
			want[key] = append(want[key], value)
		}
	}
	if len(want) == 0 {
		t.Fatal("there are no expectations")
	}
	p, served, err := openAndWalk(pack(t, filesOf(t, text)))
	if wantErr := want["wantErr"]; wantErr != nil {
		if err == nil || !strings.Contains(err.Error(), wantErr[0]) {
			t.Fatalf("error %v, want %q", err, wantErr[0])
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	for key, values := range want {
		compare(t, p, served, key, values)
	}
}

func openAndWalk(archive []byte) (p *Package, served string, err error) {
	p, err = Open(bytes.NewReader(archive), int64(len(archive)), Limits{})
	if err != nil {
		return nil, "", err
	}
	err = p.Walk(func(e Entry, r io.Reader) error {
		b, err := io.ReadAll(r)
		if err == nil && int64(len(b)) != e.Size {
			err = fmt.Errorf("%s: read %d bytes, but Entry.Size is %d", e.Name, len(b), e.Size)
		}
		if e.Name == "extension/package.json" {
			served = string(b)
		}
		return err
	})
	return p, served, err
}

// fields are the fields of a package that a case may compare.
func fields(p *Package) map[string]string {
	return map[string]string{
		"id":           p.Publisher + "." + p.Name,
		"version":      p.Version,
		"platform":     p.Platform,
		"displayName":  p.DisplayName,
		"description":  p.Description,
		"categories":   strings.Join(p.Categories, ","),
		"tags":         strings.Join(p.Tags, ","),
		"contributed":  strings.Join(p.Contributed, ","),
		"preview":      strconv.FormatBool(p.Preview),
		"preRelease":   strconv.FormatBool(p.PreRelease),
		"dependencies": strings.Join(p.Dependencies, ","),
		"pack":         strings.Join(p.Pack, ","),
		"web":          strconv.FormatBool(p.Web),
		"theme":        strconv.FormatBool(p.Theme),
		"warnings":     strings.Join(p.Warnings, "; "),
	}
}

func compare(t *testing.T, p *Package, served, key string, want []string) {
	t.Helper()
	warned := func(s string) bool {
		return slices.ContainsFunc(p.Warnings, func(w string) bool { return strings.Contains(w, s) })
	}
	var properties []string
	for _, x := range p.Properties {
		properties = append(properties, x.Key+"="+x.Value)
	}
	for _, value := range want {
		switch key {
		case "warn":
			if !warned(value) {
				t.Errorf("warnings %q, want one with %q", p.Warnings, value)
			}
		case "nowarn":
			if warned(value) {
				t.Errorf("warnings %q, want none with %q", p.Warnings, value)
			}
		case "property":
			if !slices.Contains(properties, value) {
				t.Errorf("properties %q, want %q", properties, value)
			}
		case "noproperty":
			if i := slices.IndexFunc(properties, func(p string) bool { return strings.HasPrefix(p, value+"=") }); i >= 0 {
				t.Errorf("there is the property %q", properties[i])
			}
		case "served":
			if !strings.HasPrefix(served, value) {
				t.Errorf("Walk reads package.json as %.40q, want %q…", served, value)
			}
		case "asset":
		default:
			got, ok := fields(p)[key]
			if !ok {
				t.Fatalf("unknown key %q in case", key)
			}
			if got != value {
				t.Errorf("%s: %q, want %q", key, got, value)
			}
		}
	}
	if key == "asset" {
		compareAssets(t, p, want)
	}
}

func compareAssets(t *testing.T, p *Package, want []string) {
	t.Helper()
	var got []string
	for _, a := range p.Assets {
		got = append(got, a.Type+"="+a.Entry)
	}
	if !slices.Equal(got, want) {
		t.Errorf("assets:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

var byteEscape = regexp.MustCompile(`\\x[0-9a-f]{2}`)

// filesOf returns the files of a case as entries.
func filesOf(t *testing.T, text *txtar.Archive) []entry {
	t.Helper()
	var entries []entry
	for _, f := range text.Files {
		name := f.Name
		if strings.HasPrefix(name, `"`) {
			var err error
			if name, err = strconv.Unquote(name); err != nil {
				t.Fatalf("file name %s: %v", f.Name, err)
			}
		}
		content := byteEscape.ReplaceAllFunc(f.Data, func(b []byte) []byte {
			n, _ := strconv.ParseUint(string(b[2:]), 16, 8)
			return []byte{byte(n)}
		})
		entries = append(entries, entry{name: name, content: string(content)})
	}
	return entries
}
