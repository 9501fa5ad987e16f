// Package pack packages an extension's folder into a .vsix, as vsce 4.1 does
// (https://github.com/microsoft/vscode-vsce).
//
// The steps, each of which can report findings, are
//
//	package.json ─ check ─▶ rules of package.json
//	             ─ ignore, npm/modules ─▶ the files of the package (crawler.go)
//	             ─ readme, licence ─▶ their names and texts in the package (documents.go)
//	             ─ check, secret ─▶ rules of the files
//	             ─ manifest, mime ─▶ the two XML documents
//	             ─▶ Plan ─ Write ─▶ .vsix (archive.go)
//
// The entries of the package are, in this order,
//
//	extension.vsixmanifest  derived from package.json and package.nls.json
//	[Content_Types].xml     media type per file extension, with the leading dot that vsce writes
//	extension/…             the files, sorted by name
//
// The readme is always extension/readme.md and the change log extension/changelog.md. A
// licence file without an extension gets .txt.
//
// The same folder gives the same bytes: all entries have one time, see [Options], and the
// mode 0755 or 0644. A new version of the compression library may change the bytes of the
// package, but not its contents.
package pack

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"time"

	"galbuild/build/pack/finding"
	"galbuild/build/pack/npm/modules"
	"galbuild/build/pack/readme"
	"galbuild/build/secret"
)

// Options select the files of a package and how they are written. The zero value has the
// defaults of vsce.
type Options struct {
	Platform   string // one of catalog.Platforms; "" is universal
	PreRelease bool
	Version    string // replaces the version of package.json in the package; "" keeps that

	Readme    string // slashed path below the folder; "" is README.md
	Changelog string // slashed path below the folder; "" is CHANGELOG.md
	Links     readme.Options

	Ignore               []byte   // replaces the text of .vscodeignore; nil keeps that
	IgnoreFile           string   // name of the file with that text, for findings
	NoDependencies       bool     // leave out node_modules
	Yarn                 *bool    // yarn made node_modules, or npm if false; nil leaves it to modules.Choose
	PackagedDependencies []string // with yarn: names of dependencies to include, with theirs; nil is all
	FollowLinks          bool     // include the contents of symbolic links to folders

	// OnDisk is the folder within a larger file system, where package managers put linked
	// packages and the shared packages of a workspace. The zero value is the folder alone.
	OnDisk modules.Dir

	AllowStar        bool // do not warn of activation by *
	AllowRepository  bool // do not warn of a missing repository
	AllowUnusedFiles bool // do not report patterns of "files" that match no file
	SkipLicense      bool // do not warn of a missing licence
	Secrets          secret.Options

	// Time is the time of all entries; zero is that of the newest file in the package. It
	// is moved to the nearest time that an archive can hold, from 1980 to 2106.
	Time time.Time
	// Before has the modification times of files, by Source, before a script ran in the
	// folder. Only files that still have these times determine the newest one, so that the
	// next run gives the same result. Nil considers all files.
	Before map[string]time.Time

	// Progress is called with the number of bytes that have been read and their total. It
	// may be called by several goroutines at once; nil is none.
	Progress func(done, total int64)
}

// A Plan is what the package of a folder will contain, with all findings.
type Plan struct {
	Publisher, Name, Version, Platform string

	Files    []File            // the two XML documents, then the others sorted by Entry
	Findings []finding.Finding // errors first

	dir      fs.FS
	modified time.Time
}

// A File is a future entry of a package.
type File struct {
	Entry  string      // its name in the package
	Source string      // its path from the folder; may begin with "../"; "" for the XML documents
	Mode   fs.FileMode // 0644 or 0755
	Size   int64       // in bytes

	location string // its path below extension/ before renaming; .vscodeignore applies to it
	real     string // Source, with symbolic links resolved
	content  []byte // nil if the content is that of the file on disk
	modified time.Time
}

// Modified returns the modification time of the file; zero for the XML documents.
func (f File) Modified() time.Time { return f.modified }

// Time returns the time of all entries.
func (p *Plan) Time() time.Time { return p.modified }

// Read reads and checks the folder dir. The problems of the extension are the plan's Findings. The
// error is one of reading the folder. If package.json is not valid JSON, nothing else is checked.
func Read(ctx context.Context, dir fs.FS, o Options) (*Plan, error) {
	p, err := newPacker(ctx, dir, o)
	if err != nil {
		return nil, err
	}
	if err := p.run(p.checkManifest, p.translate, p.collect, p.prepare, p.checkFiles, p.scan, p.describe); err != nil {
		return nil, err
	}
	return p.plan(), nil
}

// Check returns the findings of package.json alone.
func Check(ctx context.Context, dir fs.FS, o Options) ([]finding.Finding, error) {
	p, err := newPacker(ctx, dir, o)
	if err != nil {
		return nil, err
	}
	err = p.run(p.checkManifest, p.translate)
	return p.findings, err
}

// List returns the files below dir that a package would contain, sorted by Source, and the
// findings of package.json and of the selection of files. Like vsce ls it does not need a
// publisher.
func List(ctx context.Context, dir fs.FS, o Options) ([]File, []finding.Finding, error) {
	p, err := newPacker(ctx, dir, o)
	if err != nil {
		return nil, nil, err
	}
	p.list = true
	err = p.run(p.checkManifest, p.translate, p.collect)
	files := sortUnique(slices.Concat(p.files, p.unusable))
	return slices.CompactFunc(files, func(a, b File) bool { return a.Source == b.Source }), p.findings, err
}

// Write reads the folder dir and writes its package. If there are findings that are errors,
// it writes nothing and returns all of them as one error.
func Write(w io.Writer, dir fs.FS, o Options) error {
	p, err := Read(context.Background(), dir, o)
	if err != nil {
		return err
	}
	return p.Write(context.Background(), w, nil)
}

// Refused reports whether the folder cannot be packaged because of findings.
func (p *Plan) Refused() bool { return p.refusal() != nil }

// refusal returns the findings that are errors, as one error, or nil.
func (p *Plan) refusal() error {
	var errs []error
	for _, f := range p.Findings {
		if !f.Warning {
			errs = append(errs, errors.New(f.String()))
		}
	}
	return errors.Join(errs...)
}

// FileName returns the default file name of the package.
func (p *Plan) FileName() string {
	if p.Platform == "" {
		return p.Name + "-" + p.Version + ".vsix"
	}
	return p.Name + "-" + p.Platform + "-" + p.Version + ".vsix"
}
