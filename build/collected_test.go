package build

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/imagefile"
	"galbuild/build/policy"
	"galbuild/build/sidecar"
	"galbuild/build/source"
)

const firstSeen = "2026-02-01T00:00:00Z"

// readCollected reads a package whose readme shows address, with a sidecar that lists a picture
// with this content and type. The folder of pictures has the file with the content stored.
func readCollected(t *testing.T, r *reader, address, content, mediaType, stored string) *candidate {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.vsix")
	text := archiveOf(t, past, "extension/package.json", picturesJSON, "extension/README.md", "![a]("+address+")\n", "Pictures/x", "x")
	list := `{"pictures":{"https://acme.example/a":` + pictureOf(content, mediaType) + `,"https://github.com/acme/all/raw/HEAD/hello/a%20b.png":` + pictureOf(content, mediaType) + `}}`
	file := filepath.Join(filepath.Dir(path), "pictures", blob.Sum([]byte(content)).String()+imagefile.Extension(mediaType))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{path: string(text), path + ".json": list, file: stored} {
		if stored == "" && name == file {
			continue
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := new(candidate)
	item := &source.Item{Name: "x.vsix", Path: path, Size: int64(len(text)), Sidecar: &source.Stamp{Path: path + ".json"}}
	if err := r.readOne(item, c); err != nil || c.refused != nil {
		t.Fatal(err, c.refused)
	}
	return c
}

const pixel = "\x89PNG\r\n\x1a\n"

func TestCollectedPictures(t *testing.T) {
	hostile := `<svg><script>alert(1)</script></svg>`
	for name, x := range map[string]struct {
		address, content, mediaType, stored string
		unpack                              string
		want                                string // the warning, or "" if the picture is stored
	}{
		"PNG":                   {"https://acme.example/a", pixel, "image/png", pixel, "web", ""},
		"SVG":                   {"https://acme.example/a", drawing, "image/svg+xml", drawing, "web", ""},
		"relative":              {"a%20b.png", pixel, "image/png", pixel, "web", ""},
		"script":                {"https://acme.example/a", hostile, "image/svg+xml", hostile, "web", "element <script> can run a script"},
		"another hash":          {"https://acme.example/a", pixel, "image/png", pixel + "x", "web", "its SHA-256 is "},
		"another type":          {"https://acme.example/a", drawing, "image/png", drawing, "web", "of the type image/svg+xml, not image/png"},
		"HTML":                  {"https://acme.example/a", "<html/>", "image/svg+xml", "<html/>", "web", "<html>, not <svg>"},
		"missing":               {"https://acme.example/a", pixel, "image/png", "", "web", "no such file"},
		"too large":             {"https://acme.example/a", pixel, "image/png", strings.Repeat("x", imagefile.MaxBytes+1), "web", "more than 8388608 bytes"},
		"a folder of that name": {"https://acme.example/a", pixel, "image/png", pixel, "all", "has files of its own in pictures/"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newWriter(t)
			r.Settings.Unpack = x.unpack
			c := readCollected(t, r, x.address, x.content, x.mediaType, x.stored)
			file := "pictures/" + blob.Sum([]byte(x.content)).String() + imagefile.Extension(x.mediaType)
			i := slices.IndexFunc(c.version.Files, func(f catalog.File) bool { return f.Path == file })
			readme, _ := r.text(t, c.version, catalog.ReadmeAsset)
			if x.want != "" {
				if last := c.warnings[len(c.warnings)-1]; i >= 0 || readme != "" || !strings.Contains(last, x.want) {
					t.Errorf("files %q, readme %q, warning %q", pathsOf(c.version), readme, last)
				}
				return
			}
			if i < 0 || c.version.Files[i].Type != x.mediaType || c.version.Files[i].Size != int64(len(x.content)) || len(c.warnings) != 1 {
				t.Fatalf("files %+v, warnings %q", c.version.Files, c.warnings)
			}
			if want := "![a](" + catalog.ReadmeBase + "files/acme/hello/1.0.0%2Bb/" + file + ")\n"; readme != want {
				t.Errorf("readme %q, want %q", readme, want)
			}
			if page, _ := r.text(t, c.version, catalog.PageAsset); !strings.Contains(page, `"file":"`+file) {
				t.Errorf("page %s", page)
			}
		})
	}
}

// TestCollectedPictureStays reads a package again whose picture is gone: the gallery keeps the file
// that it has.
func TestCollectedPictureStays(t *testing.T) {
	r := newWriter(t)
	first := readCollected(t, r, "https://acme.example/a", pixel, "image/png", pixel)
	r.setOld(map[string]identified{first.key(): {"Acme", "hello", first.version, nil, 0}}, nil)
	again := readCollected(t, r, "https://acme.example/a", pixel, "image/png", "")
	if !slices.Equal(again.version.Files, first.version.Files) || again.incomplete {
		t.Errorf("files %+v, want %+v; incomplete %v", again.version.Files, first.version.Files, again.incomplete)
	}
}

// TestCollectedLimits has one picture more than a package may have.
func TestCollectedLimits(t *testing.T) {
	s := &shownFiles{names: map[string]bool{}, excess: map[string]bool{}, collected: map[string]catalog.File{}}
	r := newWriter(t)
	from := &candidate{collected: sidecar.Collected{Pictures: map[string]sidecar.Picture{}}, beside: t.TempDir(), item: new(source.Item)}
	from.version = &catalog.Version{}
	c := &collector{reader: r, from: from, left: map[string]bool{}}
	previous := &catalog.Version{}
	for i := range maxPictures + 1 {
		p := sidecar.Picture{SHA256: blob.Sum(fmt.Append(nil, i)), Type: "image/png"}
		from.collected.Pictures[fmt.Sprint(i)] = p
		previous.Files = append(previous.Files, catalog.File{Path: p.File(), Ref: p.SHA256, Size: 1, Type: p.Type})
	}
	c.previous = previous
	for i := range maxPictures + 1 {
		if _, ok := c.find(fmt.Sprint(i), s); ok != (i < maxPictures) {
			t.Fatalf("picture %d: %v", i, ok)
		}
	}
	if len(s.excess) != 1 || len(s.collected) != maxPictures {
		t.Errorf("%d pictures, %d left out", len(s.collected), len(s.excess))
	}
}

// TestCollectedAtAnyTime builds a folder twice at different times, and the second time with a file
// that was written later: both have the same catalogue.
func TestCollectedAtAnyTime(t *testing.T) {
	for name, x := range map[string]struct {
		packed  time.Time
		sidecar string
	}{
		"date of the upstream":          {past, `"lastUpdated":"2026-01-30T00:00:00Z","source":{"upstream":"https://a.example"},`},
		"date of the package":           {past, ""},
		"no date":                       {time.Time{}, ""},
		"packed after it was collected": {now.Add(-time.Hour), ""},
		"stated for later":              {past, `"lastUpdated":"2026-02-20T00:00:00Z","releaseDate":"2026-03-10T00:00:00Z",`},
	} {
		t.Run(name, func(t *testing.T) {
			text := "{" + x.sidecar + `"firstSeen":"` + firstSeen + `"}`
			first := newDated(t, x.packed, now.Add(-time.Hour), text).build(t, now, nil)
			second := newDated(t, x.packed, now.Add(time.Hour), text).build(t, now.AddDate(1, 0, 0), nil)
			if !reflect.DeepEqual(first.Catalog, second.Catalog) {
				t.Errorf("got\n%+v\nand\n%+v", first.Catalog.Extensions, second.Catalog.Extensions)
			}
		})
	}
}

// TestMinimumAgeOfCollected has a version that was published long ago and collected today. Its age
// counts from its publication, also when the version is decided about without its sidecar.
func TestMinimumAgeOfCollected(t *testing.T) {
	for name, x := range map[string]struct {
		sidecar string
		served  bool
	}{
		"stated by an upstream":     {`{"lastUpdated":"2025-01-01T00:00:00Z","source":{"upstream":"https://a.example"}}`, true},
		"stated, but too young":     {`{"lastUpdated":"2026-02-28T00:00:00Z","source":{"upstream":"https://a.example"}}`, false},
		"not from an upstream":      {`{"lastUpdated":"2025-01-01T00:00:00Z"}`, false},
		"the upstream says nothing": {`{"source":{"upstream":"https://a.example"}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			result := newDated(t, past, past, x.sidecar).build(t, now, nil)
			e := &result.Catalog.Extensions[0]
			week, err := policy.Parse("policy", []byte(`{"minimumAge": "7d"}`))
			if err != nil {
				t.Fatal(err)
			}
			out := week.Evaluate([]policy.Candidate{policy.NewCandidate("acme.hello@1.0.0", e, &e.Versions[0], false)}, now)
			if served := len(out.Excluded) == 0; served != x.served {
				t.Errorf("served: %v, %+v", served, out.Excluded)
			}
		})
	}
}
