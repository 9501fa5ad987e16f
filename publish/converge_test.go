package publish_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"galbuild/build"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/history"
	"galbuild/build/site"
	"galbuild/publish"
	"galbuild/publish/bundle"
	"galbuild/publish/target"
	"galbuild/publish/target/dir"
	"galbuild/render"
)

// world is some sites and targets, all of which are folders, and the decisions and packages that
// each has had.
type world struct {
	*rand.Rand
	folders []string
	known   map[string][]catalog.Record
	kept    map[string][]catalog.Package
	entries map[string]blob.Ref // the last ones of the histories, by folder
	now     time.Time
}

// policies are those that builds bring in; "" leaves the policy of the site.
var policies = []string{"", "", `{"deny":["acme.three"]}`, `{"minimumAge":{"acme.one":"3d"}}`, `{"minimumAge":"2d","deny":["acme.three"]}`}

// packages are in the sources of the sites.
var packages = []string{"one@1.0.0", "one@2.0.0", "two@1.0.0", "three@1.0.0"}

// subjects are what is decided about.
var subjects = []string{"acme.one", "acme.one@1.0.0", "acme.one@2.0.0", "acme.two", "acme.three@1.0.0"}

func (w *world) pick() string { return w.folders[w.IntN(len(w.folders))] }

func (w *world) some() (names []string) {
	for _, p := range packages {
		if w.IntN(3) > 0 {
			names = append(names, p)
		}
	}
	if names == nil {
		return packages[:1]
	}
	return names
}

func open(t *testing.T, folder string) *dir.Target {
	t.Helper()
	at, err := dir.New(folder)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func (w *world) options() publish.Options {
	return publish.Options{AllowOlder: true, Commit: site.Commit{When: w.now}}
}

// step runs one command with random arguments, and returns its name and the folder that it changes.
// Commands that have nothing to do because a folder is empty do nothing.
func (w *world) step(t *testing.T) (name, folder string) {
	w.now = w.now.Add(12 * time.Hour)
	folder = w.pick()
	other := w.pick()
	for other == folder {
		other = w.pick()
	}
	switch w.IntN(9) {
	case 0:
		text := policies[w.IntN(len(policies))]
		w.build(t, folder, text, w.some()...)
		return "build " + text, folder
	case 1:
		w.decide(t, folder, []string{decision.Removed, decision.Blocked, decision.Malicious}[w.IntN(3)])
		return "decide", folder
	case 2:
		w.decide(t, folder, decision.Restored)
		return "restore", folder
	case 3:
		w.publish(t, other, folder, w.IntN(4) == 0)
		return "publish " + other, folder
	case 4:
		w.pull(t, other, folder)
		return "pull " + other, folder
	case 5:
		w.bundle(t, other, folder)
		return "import from " + other, folder
	case 6: // publish --from
		between := filepath.Join(t.TempDir(), "between")
		w.pull(t, other, between)
		w.publish(t, between, folder, false)
		return "publish --from " + other, folder
	case 7:
		w.add(t, folder, w.IntN(2) == 0)
		return "add", folder
	}
	at := open(t, folder)
	defer at.Close()
	_, err := publish.Rollback(t.Context(), at, workspace(t), decision.Author{By: "r"}, 0, w.options())
	if err != nil && !errors.Is(err, publish.ErrNothing) && !errors.Is(err, publish.ErrNoEarlier) {
		t.Fatal(err)
	}
	return "rollback", folder
}

func (w *world) build(t *testing.T, folder, policy string, packages ...string) {
	t.Helper()
	buildAs(t, folder, build.Config{Settings: catalog.Settings{Policy: policy}, AcceptPolicy: true, Now: w.now}, packages...)
}

func (w *world) decide(t *testing.T, folder, kind string) {
	t.Helper()
	at := open(t, folder)
	defer at.Close()
	subject, err := catalog.ParseSubject(subjects[w.IntN(len(subjects))])
	if err != nil {
		t.Fatal(err)
	}
	_, err = publish.Decide(t.Context(), at, workspace(t), w.options(), func(c *catalog.Catalog) ([]catalog.Record, error) {
		return decision.Add(c.Records, decision.Author{By: fmt.Sprint(w.IntN(3))}, kind, []catalog.Subject{subject}, "")
	})
	if errors.Is(err, publish.ErrNothing) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	_, c, err := site.Read(folder)
	if err != nil || !slices.ContainsFunc(c.Records, func(r catalog.Record) bool { return r.Kind == kind && r.Subject == subject }) {
		t.Fatalf("%s is not %s in %s: %v", subject, kind, folder, err)
	}
}

func (w *world) add(t *testing.T, folder string, restore bool) {
	t.Helper()
	at := open(t, folder)
	defer at.Close()
	source := t.TempDir()
	folderOfFile := filepath.Join(source, fmt.Sprint(w.IntN(3)))
	if err := os.Mkdir(folderOfFile, 0o755); err != nil {
		t.Fatal(err)
	}
	name, version, _ := strings.Cut(packages[w.IntN(len(packages))], "@")
	writePackage(t, folderOfFile, name, version)
	_, _, err := publish.Add(t.Context(), at, workspace(t), build.Config{Sources: []string{source}, Restore: restore, Author: decision.Author{By: "a"}, Now: w.now}, nil, publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) publish(t *testing.T, from, to string, replace bool) {
	t.Helper()
	at := open(t, to)
	defer at.Close()
	before := w.read(t, to)
	_, err := publish.Site(t.Context(), at, from, workspace(t), replace, w.options())
	if err != nil && !errors.Is(err, site.ErrNoGeneration) {
		t.Fatal(err)
	}
	if after := w.read(t, to); len(before.Extensions)+len(before.Records) > 0 && after.Policy != before.Policy {
		t.Errorf("publishing changes the policy of the target from %q to %q", before.Policy, after.Policy)
	}
}

func (w *world) pull(t *testing.T, from, to string) {
	t.Helper()
	pull(t, open(t, from), to)
}

// pull pulls a target, which may be empty, into a folder.
func pull(t *testing.T, from target.Target, to string) {
	t.Helper()
	locked, err := site.Lock(to)
	if err != nil {
		t.Fatal(err)
	}
	defer locked.Close()
	if _, err := publish.Pull(t.Context(), from, locked, false, publish.Options{AllowOlder: true}); err != nil && !errors.Is(err, publish.ErrNothing) {
		t.Fatal(err)
	}
}

func (w *world) bundle(t *testing.T, from, to string) {
	t.Helper()
	tarball := filepath.Join(t.TempDir(), "x.tar")
	_, err := bundle.Export(t.Context(), bundle.ExportConfig{Site: from, Output: tarball})
	if errors.Is(err, site.ErrNoGeneration) {
		return
	}
	if err == nil {
		_, err = bundle.Import(t.Context(), bundle.ImportConfig{Archive: tarball, Site: to, AllowOlder: true, Commit: site.Commit{When: w.now}})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// check checks the invariants after a step: a folder loses no decision and nothing that is kept for
// auditors, decisions act on what it serves, and its decisions in force are those of all records
// that it has.
func (w *world) check(t *testing.T, step, folder string) {
	t.Helper()
	c := w.read(t, folder)
	w.checkHistory(t, step, folder, c)
	if !decision.Includes(c.Records, w.known[folder]) {
		t.Fatalf("%s: %s has lost a decision", step, folder)
	}
	if !catalog.IncludesPackages(c.Packages, w.kept[folder]) {
		t.Fatalf("%s: %s has lost what is kept about a package", step, folder)
	}
	w.known[folder], w.kept[folder] = c.Records, c.Packages
	if problems := render.CheckDecisions(c); len(problems) > 0 {
		t.Fatalf("%s: %q", step, problems)
	}
	if _, excluded, err := (build.Receiver{Old: c, Now: w.now}).Decide(c, nil); err != nil || len(excluded) > 0 {
		t.Fatalf("%s: %s serves what its policy keeps out: %+v, %v", step, folder, excluded, err)
	}
	for key, v := range c.Versions() {
		if v.Seen.IsZero() {
			t.Fatalf("%s: it is not known when %s was first seen", step, key)
		}
	}
}

// read returns the catalogue of a folder, which is empty if there is no generation.
func (w *world) read(t *testing.T, folder string) *catalog.Catalog {
	t.Helper()
	current, err := site.ReadCurrent(folder)
	if err != nil {
		t.Fatal(err)
	}
	c, err := site.ReadCatalog(folder, current)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// checkHistory checks that the history of a folder is complete, that it extends the one after the
// last step, and that what its entries add and remove are the versions that the folder serves.
func (w *world) checkHistory(t *testing.T, step, folder string, c *catalog.Catalog) {
	t.Helper()
	current, last, err := site.ReadCurrentHead(folder)
	if err != nil {
		t.Fatal(err)
	}
	if current.IsZero() {
		return
	}
	files := site.FilesIn(folder)
	head, err := site.ReadHead(files, current, last)
	if err == nil {
		err = site.CheckHistory(files, head)
	}
	if err != nil {
		t.Fatalf("%s: %v", step, err)
	}
	served, found := make(map[history.Change]int), false
	for e, err := range site.Entries(files, head) {
		if err != nil {
			t.Fatal(err)
		}
		found = found || e.SHA256() == w.entries[folder]
		for _, v := range e.Added {
			served[v]++
		}
		for _, v := range e.Removed {
			served[v]--
		}
	}
	if _, ok := w.entries[folder]; ok && !found {
		t.Fatalf("%s: the history of %s does not have the entry that was the last one", step, folder)
	}
	w.entries[folder] = head.Entry
	for key, v := range c.Versions() {
		served[history.Change{Key: key, SHA256: v.Package.Ref}]--
	}
	for v, n := range served {
		if n != 0 {
			t.Fatalf("%s: %s is off by %d in the history of %s", step, v.Key, n, folder)
		}
	}
}

// TestConverge runs random sequences of commands on several sites and targets, some of which have
// policies. No decision is lost or without effect at any time, nothing that is kept for auditors is
// lost, and each gallery's policy is in effect. Once everything is published to one target and
// pulled from there, all have the same decisions, the same packages and the same generation.
func TestConverge(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := &world{
				Rand: rand.New(rand.NewPCG(seed, 13)), known: make(map[string][]catalog.Record),
				kept: make(map[string][]catalog.Package), entries: make(map[string]blob.Ref), now: clock,
			}
			top := t.TempDir()
			for i := range 4 {
				w.folders = append(w.folders, filepath.Join(top, fmt.Sprint("folder", i)))
			}
			var steps []string
			for range 25 {
				name, folder := w.step(t)
				steps = append(steps, name+" in "+filepath.Base(folder))
				w.check(t, fmt.Sprint(steps), folder)
			}
			w.converge(t)
		})
	}
}

// converge publishes all folders to the first, in any order, builds that from all packages, and
// pulls it to the others.
func (w *world) converge(t *testing.T) {
	hub := w.folders[0]
	others := slices.Clone(w.folders[1:])
	w.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	var all []catalog.Record
	for _, folder := range w.folders {
		all = decision.Merge(all, w.known[folder])
	}
	for _, folder := range others {
		w.publish(t, folder, hub, false)
		w.check(t, "publish to the first", hub)
	}
	w.build(t, hub, "", packages...) // what was restored is there again
	w.now = w.now.Add(7 * 24 * time.Hour)
	w.build(t, hub, "", packages...) // what was too young is there, too
	w.check(t, "build", hub)
	for _, folder := range others {
		w.pull(t, hub, folder)
		w.check(t, "pull from the first", folder)
	}
	want, err := site.ReadCurrent(hub)
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range w.folders {
		if current, err := site.ReadCurrent(folder); err != nil || current != want {
			t.Errorf("%s has generation %s, want %s, %v", folder, current.Generation, want.Generation, err)
		}
		if len(w.known[folder]) != len(all) || !decision.Includes(w.known[folder], all) {
			t.Errorf("%s has %d decisions, want %d", folder, len(w.known[folder]), len(all))
		}
	}
	set := decision.In(all, nil)
	c, err := site.ReadCatalog(hub, want)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		key := "acme." + p
		served := false
		for k := range c.Versions() {
			served = served || k == key
		}
		out := len(set.Out(key, blob.Ref{})) > 0 || strings.HasPrefix(p, "three") && strings.Contains(c.Policy, "three")
		if served == out {
			t.Errorf("%s is served: %t; it is kept out: %t", key, served, out)
		}
	}
	if report, err := render.Verify(t.Context(), hub); err != nil || len(report.Problems) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
}
