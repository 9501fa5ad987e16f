package build

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/site"
)

// now is the time of the first build in tests of dates.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A datedSource is a folder with one package.
type datedSource struct{ dir, path string }

// newDated writes a package that has a file with the time packed, and a sidecar if it is not empty.
func newDated(t *testing.T, packed, modified time.Time, sidecar string) datedSource {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateHeader(&zip.FileHeader{Name: "extension/package.json", Modified: packed})
	if err == nil {
		_, err = io.WriteString(w, helloJSON)
	}
	if err == nil {
		err = z.Close()
	}
	s := datedSource{dir: t.TempDir()}
	s.path = filepath.Join(s.dir, "x.vsix")
	if err == nil {
		err = os.WriteFile(s.path, b.Bytes(), 0o600)
	}
	if err == nil && sidecar != "" {
		err = os.WriteFile(s.path+".json", []byte(sidecar), 0o600)
	}
	if err == nil {
		err = os.Chtimes(s.path, modified, modified)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// build builds a site whose current generation is that of old, without a build cache.
func (s datedSource) build(t *testing.T, at time.Time, old *Result) *Result {
	t.Helper()
	dir, err := site.DryRun(filepath.Join(t.TempDir(), "site"))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	c := Config{Sources: []string{s.dir}, Site: dir, Now: at}
	if old != nil {
		c.Old = func() (*catalog.Catalog, error) { return old.Catalog, nil }
	}
	result, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// dateWarnings returns the warnings about dates.
func dateWarnings(r *Result) (all []string) {
	for _, w := range r.Report.Warnings {
		if strings.Contains(w.Reason, "first seen") {
			all = append(all, w.Reason)
		}
	}
	return all
}

func TestDatesInTheFuture(t *testing.T) {
	const day = 24 * time.Hour
	past, tokyo := now.Add(-30*day), now.Add(9*time.Hour)
	for name, tt := range map[string]struct {
		packed, modified time.Time
		sidecar          string
		want             time.Time // of the version
		released         time.Time // of the extension; zero is want
		warnings         []string
	}{
		"all in the past":       {past, now.Add(-day), "", past, time.Time{}, nil},
		"packer's local time":   {tokyo, now.Add(-time.Hour), "", now, time.Time{}, []string{"the time of the newest file in the package is later"}},
		"clock of the packer":   {now.Add(50 * 365 * day), now.Add(-day), "", now, time.Time{}, []string{"newest file in the package is later"}},
		"the file's own time":   {tokyo, tokyo, "", now, time.Time{}, []string{"is replaced with 2026-03-01T12:00:00Z"}},
		"a file without a time": {tokyo, time.Unix(0, 0), "", now, time.Time{}, []string{"is replaced with 2026-03-01T12:00:00Z"}},
		"only the file's":       {time.Time{}, tokyo, "", now, time.Time{}, []string{"the time of the file is later"}},
		"rounded up":            {now.Add(2 * time.Second), now, "", now.Add(2 * time.Second), time.Time{}, nil},
		"sidecar":               {past, now.Add(-day), `{"lastUpdated":"2027-01-01T00:00:00Z"}`, now, time.Time{}, []string{"lastUpdated is later"}},
		"sidecar of old files":  {past, time.Unix(1, 0), `{"lastUpdated":"2026-02-28T00:00:00Z"}`, now.Add(-36 * time.Hour), time.Time{}, nil},
		"released": {
			past, now.Add(-day), `{"releaseDate":"2099-01-01T00:00:00Z","publishedDate":"2098-01-01T00:00:00Z","lastUpdated":"2026-02-01T00:00:00Z"}`,
			time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), now, []string{"publishedDate is later", "releaseDate is later"},
		},
		"sidecar is right": {tokyo, now.Add(-day), `{"lastUpdated":"2026-02-01T00:00:00Z"}`, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), time.Time{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newDated(t, tt.packed, tt.modified, tt.sidecar)
			first := s.build(t, now, nil)
			e := &first.Catalog.Extensions[0]
			if got := e.Versions[0].Updated; !got.Equal(tt.want) || !e.Updated.Equal(tt.want) {
				t.Errorf("the version was updated %v, the extension %v, want %v", got, e.Updated, tt.want)
			}
			released := tt.released
			if released.IsZero() {
				released = tt.want
			}
			if !e.Released.Equal(released) || !e.Published.Equal(released) {
				t.Errorf("released %v, published %v, want %v", e.Released, e.Published, released)
			}
			warnings := dateWarnings(first)
			if len(warnings) != len(tt.warnings) {
				t.Fatalf("warnings %v, want %q", warnings, tt.warnings)
			}
			for i, want := range tt.warnings {
				if !strings.Contains(warnings[i], want) {
					t.Errorf("warning %q, want %q", warnings[i], want)
				}
			}
			for _, later := range []time.Duration{time.Hour, 100 * 365 * day} {
				again := s.build(t, now.Add(later), first)
				if !reflect.DeepEqual(again.Catalog, first.Catalog) {
					t.Errorf("%v later: got %+v, want %+v", later, again.Catalog.Extensions, first.Catalog.Extensions)
				}
				if !reflect.DeepEqual(again.Report.Warnings, first.Report.Warnings) {
					t.Errorf("%v later: warnings %v, want %v", later, again.Report.Warnings, first.Report.Warnings)
				}
			}
		})
	}
}

// TestSeen builds one file again and again. The earliest time is kept, whatever that of the file.
func TestSeen(t *testing.T) {
	s := newDated(t, past, past, "")
	first := s.build(t, now.Add(time.Second/2), nil)
	for name, at := range map[string]time.Time{"earlier": now.Add(-time.Hour), "the same": now, "later": now.Add(time.Hour)} {
		want := now
		if at.Before(now) {
			want = at
		}
		if got := s.build(t, at, first).Catalog.Extensions[0].Versions[0].Seen; !got.Equal(want) {
			t.Errorf("%s: first seen %v, want %v", name, got, want)
		}
	}
}

// TestSidecarCorrected corrects a date in the future.
func TestSidecarCorrected(t *testing.T) {
	s := newDated(t, now.Add(-48*time.Hour), now.Add(-24*time.Hour), `{"lastUpdated":"2099-01-01T00:00:00Z"}`)
	first := s.build(t, now, nil)
	if err := os.WriteFile(s.path+".json", []byte(`{"lastUpdated":"2025-05-05T00:00:00Z"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	again := s.build(t, now.Add(time.Hour), first)
	if got := again.Catalog.Extensions[0].Updated; got.Year() != 2025 || len(dateWarnings(again)) != 0 {
		t.Errorf("updated %v, warnings %v", got, again.Report.Warnings)
	}
}

// TestSetDate has the order of precedence: sidecar, newest file in the package, package file.
func TestSetDate(t *testing.T) {
	packed, modified, listed := past.Add(time.Hour), past.Add(2*time.Hour), past.Add(3*time.Hour)
	for name, tt := range map[string]struct {
		sidecar   *catalog.Sidecar
		packed    time.Time
		want      time.Time
		firstSeen bool
	}{
		"sidecar":                    {&catalog.Sidecar{LastUpdated: &listed}, packed, listed, false},
		"sidecar, no file":           {&catalog.Sidecar{LastUpdated: &listed}, time.Time{}, listed, false},
		"sidecar without that date":  {&catalog.Sidecar{ReleaseDate: &listed}, packed, packed, false},
		"newest file":                {nil, packed, packed, false},
		"fractions of a second":      {nil, packed.Add(time.Second / 2), packed, false},
		"no file with a time in zip": {nil, time.Time{}, modified, true},
	} {
		v := &catalog.Version{Sidecar: tt.sidecar}
		if setDate(v, tt.packed, modified); !v.Updated.Equal(tt.want) || v.FirstSeen != tt.firstSeen {
			t.Errorf("%s: %v, first seen %v; want %v, %v", name, v.Updated, v.FirstSeen, tt.want, tt.firstSeen)
		}
	}
}

// TestKeepFirstSeen touches a file whose time is the date of its version.
func TestKeepFirstSeen(t *testing.T) {
	for name, tt := range map[string]struct{ before, after bool }{
		"both first seen": {true, true}, "date since then": {true, false}, "had a date": {false, true},
	} {
		first, again := versionOf("1.0.0", "A", ""), versionOf("1.0.0", "A", "")
		first.Updated, first.FirstSeen = past, tt.before
		again.Updated, again.FirstSeen = now, tt.after
		c := candidateOf("a", again)
		c.keepFirstSeen(map[string]identified{c.key(): {publisher: "acme", name: "hello", version: first}})
		want := now
		if tt.before && tt.after {
			want = past
		}
		if !again.Updated.Equal(want) {
			t.Errorf("%s: %v, want %v", name, again.Updated, want)
		}
	}
}

// TestSetDates has the dates of an extension with two versions.
func TestSetDates(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2025, 1, n, 0, 0, 0, 0, time.UTC) }
	at := func(n int) *time.Time { d := day(n); return &d }
	for name, tt := range map[string]struct {
		newest, oldest               *catalog.Sidecar // of versions of day 20 and day 10
		released, published, updated int              // days
	}{
		"no sidecars":           {nil, nil, 10, 10, 20},
		"released only":         {nil, &catalog.Sidecar{ReleaseDate: at(5)}, 5, 5, 20},
		"published only":        {nil, &catalog.Sidecar{PublishedDate: at(6)}, 6, 6, 20},
		"both":                  {nil, &catalog.Sidecar{ReleaseDate: at(5), PublishedDate: at(6)}, 5, 6, 20},
		"of the newest version": {&catalog.Sidecar{ReleaseDate: at(3)}, nil, 3, 3, 20},
		"later than versions":   {&catalog.Sidecar{ReleaseDate: at(30)}, nil, 10, 10, 20},
	} {
		e := &catalog.Extension{Versions: []catalog.Version{{Updated: day(20), Sidecar: tt.newest}, {Updated: day(10), Sidecar: tt.oldest}}}
		setDates(e)
		if !e.Released.Equal(day(tt.released)) || !e.Published.Equal(day(tt.published)) || !e.Updated.Equal(day(tt.updated)) {
			t.Errorf("%s: released %v, published %v, updated %v", name, e.Released, e.Published, e.Updated)
		}
	}
}
