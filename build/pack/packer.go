package pack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"golang.org/x/text/encoding/unicode"

	"galbuild/build/pack/check"
	"galbuild/build/pack/finding"
	"galbuild/build/pack/ignore"
	"galbuild/build/pack/mime"
	"galbuild/build/pack/npm/modules"
	"galbuild/build/regularfile"
	"galbuild/build/vsix/manifest"
)

const (
	packageFile = "package.json"
	nlsFile     = "package.nls.json"
	ignoreFile  = ".vscodeignore"
)

// A packer makes the Plan of a folder. Its methods without arguments are the steps, in the
// order in which Read calls them.
type packer struct {
	ctx context.Context
	dir fs.FS
	o   Options

	list            bool              // list the files only, see List
	text            []byte            // package.json
	translated      []byte            // package.json with the texts of package.nls.json
	pkg             *manifest.Package // parsed from translated
	rules           *ignore.Rules
	files           []File            // sorted by Entry
	unusable        []File            // selected, but cannot be in a package
	reasons         []finding.Finding // the reasons
	manifestOptions manifest.Options  // with the entries that galleries show, such as the readme
	xml             []File            // the two XML documents
	findings        []finding.Finding
}

// errStop ends the steps early. The findings have the reason.
var errStop = errors.New("package.json cannot be used")

func newPacker(ctx context.Context, dir fs.FS, o Options) (*packer, error) {
	text, err := regularfile.ReadFS(dir, packageFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("not an extension's folder: %w", err)
	case err != nil:
		return nil, err
	}
	// Editors replace invalid UTF-8 when they read the file; the package keeps it.
	text, err = unicode.UTF8.NewDecoder().Bytes(text)
	if err != nil {
		return nil, fmt.Errorf("read package.json: %w", err)
	}
	o.Readme, o.Changelog = cmp.Or(o.Readme, "README.md"), cmp.Or(o.Changelog, "CHANGELOG.md")
	if o.Ignore == nil {
		o.IgnoreFile = ignoreFile
	}
	if o.OnDisk.FS == nil {
		o.OnDisk = modules.Dir{FS: dir, Path: "."}
	}
	manifestOptions := manifest.Options{Platform: o.Platform, PreRelease: o.PreRelease}
	return &packer{ctx: ctx, dir: outerFS{dir, o.OnDisk}, o: o, text: text, manifestOptions: manifestOptions}, nil
}

// run runs the steps until one of them returns an error. errStop is not returned.
func (p *packer) run(steps ...func() error) error {
	for _, step := range steps {
		switch err := step(); {
		case errors.Is(err, errStop):
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

func (p *packer) addFindings(findings ...finding.Finding) {
	p.findings = append(p.findings, findings...)
}

// checkManifest checks package.json by itself.
func (p *packer) checkManifest() error {
	p.addFindings(check.Manifest(p.text, p.checkOptions())...)
	if !json.Valid(p.text) {
		return errStop
	}
	return nil
}

// translate parses package.json with the texts of package.nls.json.
func (p *packer) translate() error {
	nls, err := regularfile.ReadFS(p.dir, nlsFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	translated, missing, err := manifest.Translated(p.text, nls)
	if err != nil {
		p.addFindings(finding.Error(nlsFile, "make it a JSON object of texts by key; comments and trailing commas are allowed", "cannot be read: %v", err))
	}
	for _, m := range missing {
		p.addFindings(finding.Error(fmt.Sprintf("%s:%d", packageFile, m.Line), "add the key, or write the text itself",
			"%s is %q, and %s has no key %q", m.Field, m.Text, nlsFile, m.Key))
	}
	p.translated = translated
	p.pkg, err = manifest.ForPacking(translated)
	if err != nil {
		return errStop // checkManifest has reported it
	}
	return nil
}

// collect lists the files of the package.
func (p *packer) collect() error {
	if err := p.readRules(); err != nil {
		return err
	}
	roots, err := p.dependencies()
	if err != nil {
		return err
	}
	c := &crawler{ctx: p.ctx, dir: p.dir, included: p.rules.Includes, below: p.rules.MayIncludeBelow, follow: p.o.FollowLinks}
	for _, root := range append([]modules.Folder{{Source: ".", Location: ".", Real: "."}}, roots...) {
		if err := c.crawl(root); err != nil {
			return err
		}
	}
	p.files, p.unusable, p.reasons = sortUnique(c.files), sortUnique(c.unusable), c.findings
	return nil
}

// readRules reads .vscodeignore. If there is none, "files" of package.json applies.
func (p *packer) readRules() error {
	text, err := p.o.Ignore, error(nil)
	if text == nil {
		text, err = regularfile.ReadFS(p.dir, p.o.IgnoreFile)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	p.rules = ignore.Parse(string(text), p.o.Readme)
	if err != nil {
		p.o.IgnoreFile = ""
		if patterns, listed := p.pkg.Files(); listed {
			p.rules = ignore.ParseFiles(patterns, p.o.Readme)
		}
	}
	return nil
}

// dependencies returns the folders of the packages in node_modules that the extension needs.
func (p *packer) dependencies() ([]modules.Folder, error) {
	if p.o.NoDependencies {
		return nil, nil
	}
	o := modules.Options{Manager: modules.Choose(p.o.OnDisk, p.o.Yarn).Manager, PackagedDependencies: p.o.PackagedDependencies}
	roots, findings, err := modules.Folders(p.o.OnDisk, p.text, o)
	p.addFindings(findings...)
	return roots, err
}

// sortUnique sorts files and removes duplicates: a dependency may be among the files of the
// extension itself, too.
func sortUnique(files []File) []File {
	slices.SortFunc(files, func(a, b File) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Entry, b.Entry))
	})
	return slices.CompactFunc(files, func(a, b File) bool { return a.Source == b.Source && a.Entry == b.Entry })
}

// checkFiles checks package.json together with the files.
func (p *packer) checkFiles() error {
	f := check.Folder{License: p.manifestOptions.License, IgnoreFile: p.o.IgnoreFile}
	var locations []string
	for _, file := range p.files {
		f.Files = append(f.Files, check.File{Entry: file.Entry, Source: file.Source})
		locations = append(locations, file.location)
	}
	if !p.o.AllowUnusedFiles {
		f.Unused = p.rules.Unused(locations)
	}
	p.addFindings(p.reasons...)
	p.addFindings(check.Package(p.translated, f, p.checkOptions())...)
	if !slices.ContainsFunc(p.findings, func(f finding.Finding) bool { return !f.Warning }) {
		p.addFindings(check.Editors(p.text)...)
	}
	return nil
}

func (p *packer) checkOptions() check.Options {
	return check.Options{
		Platform: p.o.Platform, PreRelease: p.o.PreRelease, Version: p.o.Version, List: p.list,
		AllowStar: p.o.AllowStar, AllowRepository: p.o.AllowRepository, SkipLicense: p.o.SkipLicense,
	}
}

// content returns what the package will contain of a file.
func (p *packer) content(f File) ([]byte, error) {
	if f.content != nil {
		return f.content, nil
	}
	return fs.ReadFile(p.dir, f.Source)
}

// describe makes the two XML documents.
func (p *packer) describe() error {
	text, err := manifest.Derive(p.pkg, p.entries(), p.manifestOptions).Bytes()
	if err != nil {
		return err
	}
	types := mime.ContentTypes(p.entries())
	p.xml = []File{newDocument(manifest.XMLPath, text), newDocument(manifest.ContentTypesPath, types)}
	return nil
}

func newDocument(entry string, content []byte) File {
	return File{Entry: entry, Mode: 0o644, Size: int64(len(content)), content: content}
}

func (p *packer) entries() []string {
	names := make([]string, len(p.files))
	for i, f := range p.files {
		names[i] = f.Entry
	}
	return names
}

// plan returns the result of the steps.
func (p *packer) plan() *Plan {
	slices.SortStableFunc(p.findings, func(a, b finding.Finding) int {
		switch {
		case a.Warning == b.Warning:
			return 0
		case b.Warning:
			return -1
		}
		return 1
	})
	plan := &Plan{Platform: p.o.Platform, Files: append(p.xml, p.files...), Findings: p.findings, dir: p.dir, modified: p.o.Time}
	if p.pkg != nil {
		plan.Publisher, plan.Name, plan.Version = p.pkg.Publisher, p.pkg.Name, p.pkg.Version
	}
	if plan.modified.IsZero() {
		plan.modified = p.newest()
	}
	plan.modified = zipTime(plan.modified)
	return plan
}

// newest returns the time of the newest file that has not changed since Options.Before, or
// of the newest of all files if there is none.
func (p *packer) newest() time.Time {
	var unchanged, all time.Time
	for _, f := range p.files {
		if f.modified.After(all) {
			all = f.modified
		}
		if f.modified.After(unchanged) && p.o.Before[f.Source].Equal(f.modified) {
			unchanged = f.modified
		}
	}
	if unchanged.IsZero() {
		unchanged = all
	}
	return unchanged.UTC().Truncate(time.Second)
}
