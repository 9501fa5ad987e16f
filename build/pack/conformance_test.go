package pack_test

import (
	"bytes"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"galbuild/build/pack"
	"galbuild/build/pack/npm/modules"
)

var update = flag.Bool("update", false, "record results that differ from vsce on purpose, and with tag e2e the results of vsce")

// TestFolders packs every folder and compares the result with the recorded one of vsce.
func TestFolders(t *testing.T) {
	folders(t, func(t *testing.T, f *folder) {
		root := f.unpack(t)
		want, err := parseRecord(f.want, root, f.base)
		if err != nil || !want.complete() {
			t.Fatalf("the result of vsce is not recorded (%v)", err)
		}
		got := packFolder(t, root, f.args, f.packArgs())
		if *update && len(f.differs) > 0 {
			f.recordOurs(t, got, root)
		}
		f.compare(t, want, got, root)
		for _, text := range f.finds {
			if !strings.Contains(got.fail+"\n"+strings.Join(got.warnings, "\n"), text) {
				t.Errorf("no finding contains %q: %q, %q", text, got.fail, got.warnings)
			}
		}
	})
}

// packFolder lists and packs the folder root.
func packFolder(t *testing.T, root string, listArgs, packArgs []string) *result {
	t.Helper()
	forList, err1 := options(listArgs)
	forPack, err2 := options(packArgs)
	onDisk, err3 := modules.OnDisk(root)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	forList.OnDisk, forPack.OnDisk = onDisk, onDisk
	r := &result{}
	if err := r.lists(t, root, forList); err != nil {
		r.listFail += err.Error()
	}
	if err := r.pack(t, root, forPack); err != nil {
		r.fail += err.Error()
	}
	r.listFail, r.fail = strings.TrimSpace(r.listFail), strings.TrimSpace(r.fail)
	return r
}

// readIgnore reads the file of --ignoreFile, as the command does.
func readIgnore(root string, o *pack.Options) (err error) {
	if o.IgnoreFile != "" {
		o.Ignore, err = os.ReadFile(filepath.Join(root, o.IgnoreFile))
	}
	return err
}

func (r *result) lists(t *testing.T, root string, o pack.Options) error {
	if err := readIgnore(root, &o); err != nil {
		return err
	}
	files, found, err := pack.List(t.Context(), os.DirFS(root), o)
	for _, f := range files {
		r.list = append(r.list, f.Source)
	}
	for _, f := range found {
		if !f.Warning {
			r.listFail += f.String() + "\n"
		}
	}
	slices.Sort(r.list)
	return err
}

func (r *result) pack(t *testing.T, root string, o pack.Options) error {
	if err := readIgnore(root, &o); err != nil {
		return err
	}
	plan, err := pack.Read(t.Context(), os.DirFS(root), o)
	if err != nil {
		return err
	}
	for _, f := range plan.Findings {
		if f.Warning {
			r.warnings = append(r.warnings, f.String())
		} else {
			r.fail += f.String() + "\n"
		}
	}
	slices.Sort(r.warnings)
	if plan.Refused() {
		return nil
	}
	var archive bytes.Buffer
	if err := plan.Write(t.Context(), &archive, nil); err != nil {
		return err
	}
	r.entries, err = readEntries(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	return err
}

// compare reports parts of got that differ from the result of vsce, or, for parts that differ
// on purpose, from the result recorded in ours/.
func (f *folder) compare(t *testing.T, want, got *result, root string) {
	t.Helper()
	differences := compare(want, got)
	for part, reason := range f.differs {
		if len(differences[part]) == 0 {
			t.Errorf("%s: is the same as that of vsce, but should differ: %s", part, reason)
		}
		delete(differences, part)
	}
	expected, err := f.merge(want, root)
	if err != nil {
		t.Fatal(err)
	}
	_, whole := f.differs[partPackage]
	for part, found := range compare(expected, got) {
		if _, ok := f.differs[part]; ok || whole && part != partList {
			differences[part+" (differs on purpose)"] = found
		}
	}
	if whole && got.fail != expected.fail {
		t.Errorf("packing failed with\n%s\nwant\n%s", got.fail, expected.fail)
	}
	report(t, differences)
}

func report(t *testing.T, differences map[string][]string) {
	t.Helper()
	for _, part := range slices.Sorted(maps.Keys(differences)) {
		t.Errorf("%s:\n\t%s", part, strings.Join(differences[part], "\n\t"))
	}
}

// TestReadme checks that the README lists every difference from vsce, with the same words.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	folders(t, func(t *testing.T, f *folder) {
		for part, reason := range f.differs {
			count++
			if !strings.Contains(string(readme), reason) {
				t.Errorf("%s: is not in the README: %s", part, reason)
			}
		}
	})
	if count == 0 {
		t.Error("no folder differs")
	}
}

// TestReadmeFormat checks differences in the README that the comparison of XML and contents
// does not cover: the format of the manifest, and modes.
func TestReadmeFormat(t *testing.T) {
	f, err := readFolder(base)
	if err != nil {
		t.Fatal(err)
	}
	root := f.unpack(t)
	for name, mode := range map[string]os.FileMode{"README.md": 0o600, "LICENSE": 0o740, "package.json": 0o777} {
		if err := os.Chmod(filepath.Join(root, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := pack.Read(t.Context(), os.DirFS(root), pack.Options{NoDependencies: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range plan.Files {
		if executable := file.Entry == "extension/LICENSE.txt"; file.Mode != 0o644 && !executable || executable && file.Mode != 0o755 {
			t.Errorf("%s has mode %v", file.Entry, file.Mode)
		}
	}
	got := packFolder(t, root, f.args, f.args)
	manifest := string(got.entries[documents[0]].content)
	for text, want := range map[string]bool{`encoding="UTF-8"`: true, "\n\n": false, "/>": false} {
		if strings.Contains(manifest, text) != want {
			t.Errorf("%s has %q: %v, want %v", documents[0], text, !want, want)
		}
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{
		"| the same XML with `encoding=\"UTF-8\"`, no blank lines and `<a></a>` |",
		"| 0755 for files that their owner may execute, 0644 for all others |",
		"| with npm, yarn, pnpm or bun |",
	} {
		if !strings.Contains(string(readme), row) {
			t.Errorf("the README has no row %s", row)
		}
	}
}
