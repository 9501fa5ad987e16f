package pack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/text/encoding/unicode"

	"galbuild/build/pack/check"
	"galbuild/build/pack/finding"
	"galbuild/build/pack/ignore"
	"galbuild/build/pack/mime"
	"galbuild/build/pack/npm/modules"
	"galbuild/build/pack/secret"
	"galbuild/build/vsix/manifest"
)

const (
	packageFile = "package.json"
	nlsFile     = "package.nls.json"
	ignoreFile  = ".vscodeignore"
)

// A reading is a folder as far as it has been read: its methods are the steps, in
// the order of Read.
type reading struct {
	ctx context.Context
	dir fs.FS
	o   Options

	list       bool              // the files are listed, not packed
	text       []byte            // package.json
	translated []byte            // the same with the words of package.nls.json
	pkg        *manifest.Package // of translated
	bad        []File            // are listed, but cannot be packed
	odd        []finding.Finding // why
	rules      *ignore.Rules
	files      []File           // sorted by Entry
	shown      manifest.Options // with the entries that galleries show
	xml        []File           // the two XML documents
	findings   []finding.Finding
}

// errBroken ends a reading whose findings say why.
var errBroken = errors.New("package.json cannot be used")

func begin(ctx context.Context, dir fs.FS, o Options) (*reading, error) {
	text, err := readText(dir, packageFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("not an extension's folder: %w", err)
	case err != nil:
		return nil, err
	}
	// As editors do it; what is not UTF-8 stays in the package.
	text, err = unicode.UTF8.NewDecoder().Bytes(text)
	if err != nil {
		return nil, fmt.Errorf("read package.json: %w", err)
	}
	o.Readme, o.Changelog = cmp.Or(o.Readme, "README.md"), cmp.Or(o.Changelog, "CHANGELOG.md")
	if o.Ignore == nil {
		o.IgnoreFile = ignoreFile
	}
	if o.Around.FS == nil {
		o.Around = modules.Around{FS: dir, Path: "."}
	}
	dir = wideFS{dir, o.Around}
	shown := manifest.Options{Platform: o.Platform, PreRelease: o.PreRelease}
	return &reading{ctx: ctx, dir: dir, o: o, text: text, shown: shown}, nil
}

// readText reads a file. What is no file, such as a pipe, may have no end.
func readText(dir fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(dir, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read %s: is no file (mode %v)", name, info.Mode())
	}
	return fs.ReadFile(dir, name)
}

// do takes the steps, as far as package.json can be used.
func (r *reading) do(steps ...func() error) error {
	for _, step := range steps {
		switch err := step(); {
		case errors.Is(err, errBroken):
			return nil // the findings say why
		case err != nil:
			return err
		}
	}
	return nil
}

func (r *reading) find(findings ...finding.Finding) { r.findings = append(r.findings, findings...) }

// translate reads package.json with the words of package.nls.json.
func (r *reading) translate() error {
	nls, err := readText(r.dir, nlsFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	translated, missing, err := manifest.Translated(r.text, nls)
	if err != nil {
		r.find(finding.Error(nlsFile, "make it a JSON object of texts by key; comments and trailing commas may stay", "cannot be read: %v", err))
	}
	for _, m := range missing {
		r.find(finding.Error(fmt.Sprintf("%s:%d", packageFile, m.Line), "add the key, or write the text itself",
			"%s is %q, and %s has no key %q", m.Field, m.Text, nlsFile, m.Key))
	}
	r.translated = translated
	r.pkg, err = manifest.ForPacking(translated)
	if err != nil {
		return errBroken // checkManifest has said why
	}
	return nil
}

// collect finds the files that are packed.
func (r *reading) collect() error {
	if err := r.choose(); err != nil {
		return err
	}
	roots, err := r.dependencies()
	if err != nil {
		return err
	}
	c := &crawler{ctx: r.ctx, dir: r.dir, packed: r.rules.Packed, below: r.rules.Below, follow: r.o.FollowLinks}
	for _, root := range append([]modules.Folder{{Source: ".", Place: ".", Real: "."}}, roots...) {
		if err := c.crawl(root); err != nil {
			return err
		}
	}
	r.files, r.bad, r.odd = once(c.files), once(c.bad), c.findings
	return nil
}

// once sorts the files, each of which may have been found twice: a dependency may
// lie among the extension's own files.
func once(files []File) []File {
	slices.SortFunc(files, func(a, b File) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Entry, b.Entry))
	})
	return slices.CompactFunc(files, func(a, b File) bool { return a.Source == b.Source && a.Entry == b.Entry })
}

func (r *reading) dependencies() ([]modules.Folder, error) {
	if r.o.NoDependencies {
		return nil, nil
	}
	o := modules.Options{Manager: modules.Choose(r.o.Around, r.o.Yarn).Manager, Only: r.o.Only}
	roots, findings, err := modules.Folders(r.o.Around, r.text, o)
	r.find(findings...)
	return roots, err
}

// choose takes the rules of .vscodeignore, or those of package.json's files where
// there is none.
func (r *reading) choose() error {
	text, err := r.o.Ignore, error(nil)
	if text == nil {
		text, err = readText(r.dir, r.o.IgnoreFile)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	r.rules = ignore.Parse(string(text), r.o.Readme)
	if err != nil {
		r.o.IgnoreFile = ""
		if patterns, listed := r.pkg.Files(); listed {
			r.rules = ignore.Files(patterns, r.o.Readme)
		}
	}
	return nil
}

// scan looks for secrets in what is packed.
func (r *reading) scan() error {
	found := make([][]finding.Finding, len(r.files))
	group, ctx := errgroup.WithContext(r.ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	tell := count(r.files, r.o.Progress)
	for i, f := range r.files {
		if secret.Skips(f.searched()) {
			tell(f.Size)
			continue
		}
		group.Go(func() (err error) {
			if err = ctx.Err(); err == nil {
				found[i], err = r.scanFile(f)
				tell(f.Size)
			}
			return err
		})
	}
	err := group.Wait()
	r.find(slices.Concat(found...)...)
	return err
}

// scanBytes is the size of the largest file that is looked through: it is read into
// memory. vsce ends at 2 GiB.
const scanBytes = 64 << 20

func (r *reading) scanFile(f File) ([]finding.Finding, error) {
	if f.Size > scanBytes {
		return []finding.Finding{finding.Warning(f.Source, "", "is not searched for secrets: it has %d bytes, more than %d", f.Size, scanBytes)}, nil
	}
	content, err := r.content(f)
	if err != nil {
		return nil, err
	}
	return secret.Scan(f.searched(), content, r.o.Secrets), nil
}

// searched returns the path under which a file is searched for secrets. Dependencies are
// not searched. But a file outside of the extension's folder that a link in node_modules
// leads to may be the author's own.
func (f File) searched() string {
	if strings.HasPrefix(f.real, "../") {
		return f.real
	}
	return f.Source
}

func (r *reading) content(f File) ([]byte, error) {
	if f.content != nil {
		return f.content, nil
	}
	return fs.ReadFile(r.dir, f.Source)
}

// describe writes the two XML documents.
func (r *reading) describe() error {
	text, err := manifest.Derive(r.pkg, r.entries(), r.shown).Bytes()
	if err != nil {
		return err
	}
	types := mime.ContentTypes(r.entries())
	r.xml = []File{made(manifest.XMLPath, text), made(manifest.ContentTypesPath, types)}
	return nil
}

func made(entry string, content []byte) File {
	return File{Entry: entry, Mode: 0o644, Size: int64(len(content)), content: content}
}

func (r *reading) entries() []string {
	names := make([]string, len(r.files))
	for i, f := range r.files {
		names[i] = f.Entry
	}
	return names
}

// plan is what became of the reading.
func (r *reading) plan() *Plan {
	slices.SortStableFunc(r.findings, func(a, b finding.Finding) int {
		switch {
		case a.Warning == b.Warning:
			return 0
		case b.Warning:
			return -1
		}
		return 1
	})
	p := &Plan{Platform: r.o.Platform, Files: append(r.xml, r.files...), Findings: r.findings, dir: r.dir, modified: r.o.Time}
	if r.pkg != nil {
		p.Publisher, p.Name, p.Version = r.pkg.Publisher, r.pkg.Name, r.pkg.Version
	}
	if p.modified.IsZero() {
		p.modified = r.newest()
	}
	p.modified = zipTime(p.modified)
	return p
}

// newest returns the time of the newest packed file that is unchanged since Before, or of
// all files if there is none.
func (r *reading) newest() time.Time {
	var kept, all time.Time
	for _, f := range r.files {
		if f.modified.After(all) {
			all = f.modified
		}
		if f.modified.After(kept) && r.o.Before[f.Source].Equal(f.modified) {
			kept = f.modified
		}
	}
	if kept.IsZero() {
		kept = all
	}
	return kept.UTC().Truncate(time.Second)
}

// checkManifest finds what is wrong with package.json by itself.
func (r *reading) checkManifest() error {
	r.find(check.Manifest(r.text, r.rulesOf())...)
	if !json.Valid(r.text) {
		return errBroken
	}
	return nil
}

// checkPacked finds what is wrong with package.json and the files together.
func (r *reading) checkPacked() error {
	f := check.Folder{License: r.shown.License, IgnoreFile: r.o.IgnoreFile}
	var sources []string
	for _, file := range r.files {
		f.Files = append(f.Files, check.File{Entry: file.Entry, Source: file.Source})
		sources = append(sources, file.place)
	}
	if !r.o.AllowUnusedFiles {
		f.Unused = r.rules.Unused(sources)
	}
	r.find(r.odd...)
	r.find(check.Packed(r.translated, f, r.rulesOf())...)
	return nil
}

func (r *reading) rulesOf() check.Options {
	return check.Options{
		Platform: r.o.Platform, PreRelease: r.o.PreRelease, Version: r.o.Version, List: r.list,
		AllowStar: r.o.AllowStar, AllowRepository: r.o.AllowRepository, SkipLicense: r.o.SkipLicense,
	}
}
