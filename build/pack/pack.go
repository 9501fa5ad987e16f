// Package pack turns an extension's folder into a .vsix, as vsce 4.1 does
// (https://github.com/microsoft/vscode-vsce).
//
// A folder is read in one direction, and what is wrong is found on the way:
//
//	package.json ─ check ─▶ rules of package.json
//	             ─ ignore, modules ─▶ the files that are packed (crawl.go)
//	             ─ readme, licence ─▶ their names and texts in the package (documents.go)
//	             ─ check, secret ─▶ rules of the files
//	             ─ manifest, mime ─▶ the two XML documents
//	             ─▶ Plan ─ Write ─▶ .vsix (archive.go)
//
// The package holds, in this order,
//
//	extension.vsixmanifest  derived from package.json and package.nls.json
//	[Content_Types].xml     media type per file extension, with the leading dot that vsce writes
//	extension/…             the files, sorted by name
//
// The readme is extension/readme.md and the change log extension/changelog.md,
// whatever their case was; a licence without an extension gets .txt.
//
// The same folder gives the same bytes: all entries have one time, see Options.Time, and
// 0755 or 0644 as permissions. Only a new version of the compression library may change
// the bytes, never the contents.
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
	"galbuild/build/pack/secret"
)

// Options are what package.json does not say. The zero value is vsce's defaults.
type Options struct {
	Platform   string // one of catalog.Platforms; "" is universal
	PreRelease bool
	Version    string // instead of package.json's, in the package only; "" is package.json's

	Readme    string // slashed path below the folder; "" is README.md
	Changelog string // the same; "" is CHANGELOG.md
	Links     readme.Options

	Ignore         []byte   // text in place of .vscodeignore's; nil is .vscodeignore's
	IgnoreFile     string   // what findings call the file with that text
	NoDependencies bool     // leave out node_modules
	Yarn           *bool    // whether yarn, not npm, made node_modules; nil: modules.Choose decides
	Only           []string // of yarn's dependencies these, and what they need; nil is all
	FollowLinks    bool     // go into symbolic links to folders

	// Around is the surroundings of the folder: package managers link packages from there,
	// and keep there what the members of a workspace share. Zero means none.
	Around modules.Around

	AllowStar        bool // activation by *
	AllowRepository  bool // no repository
	AllowUnusedFiles bool // items of files that fit nothing
	SkipLicense      bool // no licence
	Secrets          secret.Options

	// Time is that of all entries; zero is the newest packed file's. It becomes the
	// nearest that an archive can hold, from 1980 to 2106.
	Time time.Time
	// Before are the times of files before something wrote into the folder, by Source. Only
	// files that still have these times are considered for the newest file, so that the
	// result is the same in the next run. Nil considers all files.
	Before map[string]time.Time

	// Progress is told how many bytes of how many have been read. It may be called
	// from several goroutines at once; nil is none.
	Progress func(done, total int64)
}

// A Plan is a folder that was read: what its package will hold, and what is wrong
// with it.
type Plan struct {
	Publisher, Name, Version, Platform string

	Files    []File            // the two XML documents, then the others sorted by Entry
	Findings []finding.Finding // errors first

	dir      fs.FS
	modified time.Time
}

// A File is an entry to be.
type File struct {
	Entry  string      // its name in the package
	Source string      // its path from the folder; may begin with "../"; "" for the XML documents
	Mode   fs.FileMode // 0644 or 0755
	Size   int64       // in bytes

	place    string // its path in the package before renaming, to which .vscodeignore applies
	real     string // Source, with symbolic links resolved
	content  []byte // nil if it is packed as it is on disk
	modified time.Time
}

// Modified is the file's time; zero for the XML documents.
func (f File) Modified() time.Time { return f.modified }

// Time is the time of all entries.
func (p *Plan) Time() time.Time { return p.modified }

// Read reads the folder dir and checks all of it. An error is one that kept it
// from doing so; what is wrong with the extension is in the plan's Findings. If
// package.json cannot be read as JSON, nothing else is looked at.
func Read(ctx context.Context, dir fs.FS, o Options) (*Plan, error) {
	r, err := begin(ctx, dir, o)
	if err != nil {
		return nil, err
	}
	if err := r.do(r.checkManifest, r.translate, r.collect, r.prepare, r.checkPacked, r.scan, r.describe); err != nil {
		return nil, err
	}
	return r.plan(), nil
}

// Check returns what is wrong with package.json by itself.
func Check(ctx context.Context, dir fs.FS, o Options) ([]finding.Finding, error) {
	r, err := begin(ctx, dir, o)
	if err != nil {
		return nil, err
	}
	err = r.do(r.checkManifest, r.translate)
	return r.findings, err
}

// List returns the files below dir that would be packed, sorted by Source, and
// what is wrong with package.json and with the choice of files. Like vsce ls it does not
// need a publisher.
func List(ctx context.Context, dir fs.FS, o Options) ([]File, []finding.Finding, error) {
	r, err := begin(ctx, dir, o)
	if err != nil {
		return nil, nil, err
	}
	r.list = true
	err = r.do(r.checkManifest, r.translate, r.collect)
	files := once(slices.Concat(r.files, r.bad))
	return slices.CompactFunc(files, func(a, b File) bool { return a.Source == b.Source }), r.findings, err
}

// Write reads the folder dir and writes its package, unless something is wrong
// with it: then the error is all of that.
func Write(w io.Writer, dir fs.FS, o Options) error {
	p, err := Read(context.Background(), dir, o)
	if err != nil {
		return err
	}
	return p.Write(context.Background(), w, nil)
}

// Refused tells whether a finding keeps the folder from being packed.
func (p *Plan) Refused() bool { return p.refusal() != nil }

// refusal is all that does.
func (p *Plan) refusal() error {
	var errs []error
	for _, f := range p.Findings {
		if !f.Warning {
			errs = append(errs, errors.New(f.String()))
		}
	}
	return errors.Join(errs...)
}

// FileName is what the package is called unless told otherwise.
func (p *Plan) FileName() string {
	if p.Platform == "" {
		return p.Name + "-" + p.Version + ".vsix"
	}
	return p.Name + "-" + p.Platform + "-" + p.Version + ".vsix"
}
