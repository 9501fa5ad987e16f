package catalog_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"galbuild/build/catalog"
)

func TestSortVersions(t *testing.T) {
	want := []string{"2.0.0", "2.0.0-rc.1", "1.10.0@linux-x64", "1.10.0@win32-x64", "1.10.0", "1.9.0", "1.0.0+b", "1.0.0+a"}
	var versions []catalog.Version
	for _, w := range want {
		v, platform, _ := strings.Cut(w, "@")
		versions = append(versions, catalog.Version{Version: v, Platform: platform})
	}
	for range 10 {
		slices.Reverse(versions)
		versions = append(versions[3:], versions[:3]...)
		catalog.SortVersions(versions)
		for i, v := range versions {
			if got := strings.TrimSuffix(v.Version+"@"+v.Platform, "@"); got != want[i] {
				t.Fatalf("position %d has %s, want %s", i, got, want[i])
			}
		}
	}
}

const header = `{"galbuild":4,"render":1}` + "\n"

// good returns a valid catalogue.
func good() string { return header + line("A", "a") + line("b", "b") }

// line returns the line of an extension.
func line(publisher, name string) string {
	const uuid, sum = "11111111-2222-3333-4444-555555555555", "aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899"
	return fmt.Sprintf(`{"publisher":{"id":%q,"name":%q,"displayName":""},"name":%q,"uuid":%q,`+
		`"released":"2020-01-01T00:00:00Z","published":"2020-01-01T00:00:00Z","updated":"2020-01-01T00:00:00Z","versions":[`+
		`{"version":"1.0.0","displayName":"","description":"","updated":"2020-01-01T00:00:00Z",`+
		`"package":{"sha256":%q,"size":1,"type":"application/vsix"},`+
		`"assets":[{"type":"Code.Manifest","file":{"sha256":%[5]q,"size":2,"type":"application/json"}}],`+
		`"files":[{"path":"extension/e.js","sha256":%[5]q,"size":3,"type":"text/javascript"}]}]}`+"\n",
		uuid, publisher, name, uuid, sum)
}

func TestReadRefuses(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"empty":        {"", "header"},
		"other format": {`{"galbuild":1}` + "\n", "catalogue format 1, this program reads 4"},
		"cut off":      {header + `{"publisher"`, "line 2"},
		"out of order": {header + line("b", "b") + line("A", "a"), "line 3: a.a follows b.b"},
		"twice":        {header + line("a", "a") + line("A", "A"), "line 3: a.a follows a.a"},
		"null":         {good() + "null\n", "line 4: publisher is missing"},
		"deep":         {good() + strings.Repeat("[", 1_000_000), "line 4"},
	} {
		_, err := catalog.Read(strings.NewReader(test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	c, err := catalog.Read(strings.NewReader(good()))
	if err != nil || len(c.Extensions) != 2 || c.Find("a.a") == nil || c.Find("a.b") != nil {
		t.Errorf("a valid catalogue: %v, %v", c, err)
	}
}

// TestReadInvalid changes one value at a time in a valid catalogue; Read must
// refuse each.
func TestReadInvalid(t *testing.T) {
	for _, test := range []struct{ old, new, want string }{
		{`"render":1`, `"render":-1`, "render"},
		{`"render":1`, `"render":1,"baseUrl":"javascript:alert(1)"`, "line 1: baseUrl"},
		{`"render":1`, `"render":1,"baseUrl":"https://host/?q"`, "baseUrl"},
		{`"render":1`, `"render":1,"baseUrl":"https://host/\"x"`, "baseUrl"},
		{`"render":1`, `"render":1,"contentUrl":"javascript:alert(1)"`, "line 1: contentUrl"},
		{`"render":1`, `"render":1,"unpack":"some"`, "unpack"},
		{`"render":1`, `"render":1,"sign":"all"`, "sign"},
		{`"render":1`, `"render":1,"featured":["b","a"]`, "featured"},
		{`"render":1`, `"render":1,"control":"<script>"`, "line 1: control"},
		{`"render":1`, `"render":1,"control":null`, "line 1: control"},
		{`"render":1`, `"render":1,"control":{"malicious":null}`, "malicious"},
		{`"render":1`, `"render":1,"control":{"malicious":["a.b",null]}`, "malicious"},
		{`"name":"b"`, `"name":"../b"`, "line 3: publisher"},
		{`"name":"b","uuid"`, `"name":"../b","uuid"`, `line 3: name "../b"`},
		{`"name":"b","uuid"`, `"name":"b","name":"b","uuid"`, "duplicate"},
		{`"uuid":"1111`, `"uuid":"/../`, "UUID"},
		{`"id":"1111`, `"id":"ABCD`, "UUID"},
		{`"versions":[`, `"versions":[],"x":[`, "A.a: the extension has no version"},
		{`"versions":[`, `"versions":[null,`, "major.minor.patch"},
		{`"version":"1.0.0"`, `"version":"../../x"`, `version "../../x"`},
		{`"version":"1.0.0"`, `"version":"1.0"`, `version "1.0"`},
		{`"version":"1.0.0"`, `"version":"1.0.0","publisher":"../x"`, "publisher"},
		{`"version":"1.0.0"`, `"version":"1.0.0","name":"other"`, "another extension"},
		{`"version":"1.0.0"`, `"version":"1.0.0","platform":"/../../x"`, "platform"},
		{`"version":"1.0.0"`, `"version":"1.0.0","platform":"Web"`, "lower case"},
		{`"version":"1.0.0"`, `"version":"1.0.0","platform":"universal"`, "none for a universal"},
		{`"released":"2020`, `"released":"-999`, "line 2"},
		{`"size":1`, `"size":-1`, "package: size"},
		{`"size":2`, `"size":9223372036854775807`, "asset Code.Manifest: size"},
		{`"size":3`, `"size":1e3`, "line 2"},
		{`"sha256":"aabb`, `"sha256":"AABB`, "lower case"},
		{`"type":"Code.Manifest"`, `"type":"../x"`, "asset type"},
		{`"type":"Code.Manifest"`, `"type":"."`, "asset type"},
		{`"assets":[`, `"assets":[null,`, "asset type"},
		{`"type":"application/json"`, `"type":"text/html\r\nSet-Cookie: a=b"`, "media type"},
		{`"type":"text/javascript"`, `"type":""`, "media type"},
		{`"path":"extension/e.js"`, `"path":"../e.js"`, "path"},
		{`"path":"extension/e.js"`, `"path":"/e.js"`, "path"},
		{`"path":"extension/e.js"`, `"path":"."`, "path"},
		{`"path":"extension/e.js"`, `"path":"a//b"`, "path"},
		{`"path":"extension/e.js"`, `"path":"a\\b"`, "path"},
		{`"path":"extension/e.js"`, `"path":"a\nb"`, "path"},
		{`"path":"extension/e.js"`, `"path":"C:/b"`, "path"},
		{`"path":"extension/e.js"`, `"path":"` + strings.Repeat("a", 256) + `"`, "255"},
		{`"path":"extension/e.js"`, `"path":"` + strings.Repeat("a/", 600) + `b"`, "1024"},
		{`"updated":"2020-01-01T00:00:00Z","package"`, `"updated":"2020-01-01T00:00:00Z","sidecar":{"extensionId":"x"},"package"`, "sidecar"},
		{`"updated":"2020-01-01T00:00:00Z","package"`, `"updated":"2020-01-01T00:00:00Z","sidecar":{"statistics":{"install":-1}},"package"`, "statistics"},
	} {
		if !strings.Contains(good(), test.old) {
			t.Fatalf("%s is not in the good catalogue", test.old)
		}
		_, err := catalog.Read(strings.NewReader(strings.Replace(good(), test.old, test.new, 1)))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.100s: %v, want %q", test.new, err, test.want)
		}
	}
}

// TestReadDuplicates repeats values that must be unique.
func TestReadDuplicates(t *testing.T) {
	element := func(key string) string { // the element in the array with that key
		_, rest, _ := strings.Cut(line("a", "a"), `"`+key+`":[`)
		end := map[string]string{"versions": "]}\n", "assets": `],"files"`, "files": "]}]}\n"}[key]
		return rest[:strings.LastIndex(rest, end)]
	}
	file := element("files")
	version := element("versions")
	for _, test := range []struct{ old, new, want string }{
		{file, file + "," + file, "duplicate"},
		{file, file + "," + strings.Replace(file, "e.js", "e.js/x", 1), "also a folder"},
		{file, file + "," + strings.Replace(file, "extension", "a", 1), "out of order"},
		{element("assets"), element("assets") + "," + element("assets"), "duplicate"},
		{version, version + "," + version, "duplicate"},
		{version, version + "," + strings.Replace(version, "1.0.0", "2.0.0", 1), "out of order"},
		{version, strings.Replace(version, "1.0.0", "1.0.0-rc", 1) + "," + strings.Replace(version, "1.0.0", "1.0.0-RC", 1), "only in case"},
	} {
		_, err := catalog.Read(strings.NewReader(strings.Replace(good(), test.old, test.new, 1)))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.100s: %v, want %q", test.new, err, test.want)
		}
	}
}

// TestReadStops checks that Read stops at an error in the first line, and that a line of
// many small objects does not need much memory.
func TestReadStops(t *testing.T) {
	endless := &counter{Reader: io.MultiReader(strings.NewReader(header), &repeat{text: line("a", "a")})}
	if _, err := catalog.Read(endless); err == nil || !strings.Contains(err.Error(), "line 3: a.a follows a.a") {
		t.Error(err)
	}
	if limit := int64(runtime.GOMAXPROCS(0)+3) << 20; endless.n > limit {
		t.Errorf("%d bytes read although line 3 is invalid, want at most %d", endless.n, limit)
	}
	many := strings.Replace(line("a", "a"), `"files":[`, `"files":[`+strings.Repeat("{},", 1<<20), 1)
	if _, err := catalog.Read(strings.NewReader(header + many)); err == nil || !strings.Contains(err.Error(), "objects") {
		t.Errorf("a million empty files: %v", err)
	}
}

// A repeat is a reader that repeats a text forever.
type repeat struct {
	text string
	at   int
}

func (r *repeat) Read(b []byte) (int, error) {
	n := copy(b, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	return n, nil
}

type counter struct {
	io.Reader
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n += int64(n)
	return n, err
}

func TestSortInvalidVersions(t *testing.T) {
	versions := []catalog.Version{{Version: "nonsense"}, {Version: "1.0.0"}, {Version: ""}, {Version: "0.0.1"}}
	catalog.SortVersions(versions)
	if got := fmt.Sprint(versions[0].Version, versions[1].Version); got != "1.0.00.0.1" {
		t.Errorf("%s first, want the semantic versions", got)
	}
}

// FuzzRead looks for a catalogue that Read accepts and that differs from what Write writes.
func FuzzRead(f *testing.F) {
	f.Add([]byte(good()))
	f.Add([]byte(strings.Replace(good(), `"render":1`, `"render":2,"baseUrl":"https://host/gallery","unpack":"web","sign":"empty","featured":["a.a"],"control":{"malicious":["x.y"],"deprecated":{}}`, 1)))
	f.Add([]byte(header + "null\n"))
	f.Add([]byte(`{"galbuild":4,"statistics":1}` + "\n" + `{"id":"a.a","runs":[{"versions":1,"statistics":{"install":1}}]}` + "\n" + line("A", "a")))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := catalog.Read(bytes.NewReader(text))
		if err != nil {
			return
		}
		var first, second bytes.Buffer
		if err := c.Write(&first); err != nil {
			t.Fatalf("what is read cannot be written: %v", err)
		}
		again, err := catalog.Read(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatalf("what is written cannot be read: %v", err)
		}
		if err := again.Write(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatalf("written again it is %s, was %s, %v", second.Bytes(), first.Bytes(), err)
		}
		for i := range c.Extensions {
			e := &c.Extensions[i]
			for _, v := range e.Versions {
				paths := []string{catalog.VersionDir(e.Publisher.Name, e.Name, v.Version, v.Platform)}
				for _, a := range v.Assets {
					paths = append(paths, paths[0]+"/"+a.Type)
				}
				for _, file := range v.Files {
					paths = append(paths, paths[0]+"/"+file.Path)
				}
				for _, path := range paths {
					if !fs.ValidPath(path) || !filepath.IsLocal(filepath.FromSlash(path)) || !strings.HasPrefix(path, strings.ToLower(e.Publisher.Name)+"/") {
						t.Fatalf("path %q", path)
					}
				}
			}
		}
	})
}

// FuzzControl looks for a control manifest that is accepted first and refused later.
func FuzzControl(f *testing.F) {
	for _, seed := range []string{`{"malicious":[],"deprecated":{},"search":[]}`, `{}`, "null", `{"malicious":null}`, `{"malicious":["a.b"],"migrateToPreRelease":{"a.b":{}}}`, `[1]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		first, err := catalog.ParseControl(text)
		if err != nil {
			return
		}
		if second, err := catalog.ParseControl(first); err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%s becomes %s, %v", first, second, err)
		}
	})
}

// TestDiffering compares catalogues that share versions of some extensions.
func TestDiffering(t *testing.T) {
	ext := func(name, number string) catalog.Extension {
		return catalog.Extension{Publisher: catalog.Publisher{Name: "Acme"}, Name: name, Versions: []catalog.Version{{Version: number}}}
	}
	a, b, c, d := ext("a", "1"), ext("B", "1"), ext("c", "1"), ext("d", "1")
	renamed := b
	renamed.Publisher.DisplayName = "Acme Inc" // its folder stays
	names := func(c *catalog.Catalog) (all string) {
		for _, e := range c.Extensions {
			all += e.Name + e.Versions[0].Version
		}
		return all
	}
	for name, tt := range map[string]struct {
		mine, others         []catalog.Extension
		wantMine, wantOthers string
	}{
		"the same":     {[]catalog.Extension{a, b, c}, []catalog.Extension{a, b, c}, "", ""},
		"equal":        {[]catalog.Extension{a}, []catalog.Extension{ext("a", "1")}, "a1", "a1"},
		"added":        {[]catalog.Extension{b, d}, []catalog.Extension{a, b, c, d}, "", "a1c1"},
		"removed":      {[]catalog.Extension{a, b, c, d}, []catalog.Extension{b, d}, "a1c1", ""},
		"changed":      {[]catalog.Extension{a, b, c}, []catalog.Extension{a, ext("B", "2"), c}, "B1", "B2"},
		"other name":   {[]catalog.Extension{a, b, c}, []catalog.Extension{a, renamed, c}, "", ""},
		"nothing":      {nil, []catalog.Extension{a}, "", "a1"},
		"nothing left": {[]catalog.Extension{a}, nil, "a1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			settings := catalog.Settings{Render: 1}
			mine, others := (&catalog.Catalog{Settings: settings, Extensions: tt.mine}).Differing(&catalog.Catalog{Extensions: tt.others})
			if names(mine) != tt.wantMine || names(others) != tt.wantOthers || mine.Render != 1 {
				t.Errorf("%q and %q, want %q and %q", names(mine), names(others), tt.wantMine, tt.wantOthers)
			}
		})
	}
}
