package galbuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/pack/npm"
	"galbuild/build/site"
	"galbuild/build/vsix"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
)

// extension returns the extension's folder that is meant, and its next version, if
// the arguments mean one: a folder that holds package.json and is not a site.
func (p *publishCmd) extension() (dir, version string, ok bool) {
	var args [2]string
	n := copy(args[:], p.what)
	switch {
	case len(p.what) > n, n == 0 && isSite("site"):
		return "", "", false
	case n == 2 && !npm.IsVersion(args[1]) && !numberOnly(args[1]):
		return "", "", false
	}
	dir, version = dirAndVersion(args[0], args[1])
	return dir, version, isExtension(dir) && !isSite(dir) && (!hasPackages(dir) || isForEditors(dir))
}

// isForEditors tells whether package.json says which editors the extension is for:
// one that does not may stand beside packages for reasons of its own.
func isForEditors(dir string) bool {
	folder := npm.Folder{Path: dir}
	pkg, err := folder.Read()
	return err == nil && pkg.Engine != ""
}

// numberOnly tells whether an argument is a version with a mistake in it, rather
// than a package.
func numberOnly(word string) bool {
	_, err := os.Stat(word)
	return err != nil && strings.Trim(word, ".0123456789") == ""
}

// checkVersion refuses a version without an extension's folder: nothing else takes
// one.
func (p *publishCmd) checkVersion() error {
	n := len(p.what)
	if n == 0 || n > 2 || !npm.IsVersion(p.what[n-1]) {
		return nil
	}
	if _, err := os.Lstat(p.what[n-1]); err == nil {
		return nil
	}
	if n == 1 {
		return needExtension(".")
	}
	return needExtension(p.what[0])
}

func isSite(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, filepath.FromSlash(site.CurrentPath)))
	return err == nil
}

// publishExtension packs a folder, once for each platform, and adds the packages in
// one step.
func (p *publishCmd) publishExtension(ctx context.Context, e *env, dir, version string) error {
	if err := errors.Join(p.packagesOnly(), p.outside(dir)); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "galbuild-pack-")
	if err != nil {
		return hint.Add(fmt.Errorf("make a temporary folder: %w", err), "set TMPDIR to a folder that exists; nothing was packed")
	}
	defer os.RemoveAll(scratch)
	job := newPacking(e, &p.packFlags, dir, version, p.flags())
	files, err := p.packAll(ctx, job, scratch)
	if errors.Is(err, errRefused) && e.json {
		return errors.Join(err, e.printJSON(newPacked(nil, slices.Concat(job.refused, job.odd))))
	}
	if err != nil {
		return err
	}
	return p.add(ctx, e, files, scratch, job.differs(dir))
}

// packAll returns the packages of a folder.
func (p *publishCmd) packAll(ctx context.Context, job *packing, scratch string) ([]string, error) {
	job.dry = p.DryRun
	pkg, err := job.begin()
	if err != nil {
		return nil, err
	}
	targets := []string(p.Target)
	if len(targets) == 0 {
		targets = []string{p.settingTarget}
	}
	if err := checkTargets("package.json: vsce.target", targets...); err != nil {
		return nil, err
	}
	if err := job.prepare(ctx, pkg, targets[0]); err != nil {
		return nil, err
	}
	var files []string
	for i, t := range targets {
		if slices.Contains(targets[:i], t) {
			continue
		}
		file, err := job.packInto(ctx, scratch, t, p.DryRun || job.e.verbose, i == 0)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// packInto packs for one platform, into a folder. Show lists the package's files,
// and findings tells what is odd.
func (p *packing) packInto(ctx context.Context, folder, target string, show, findings bool) (string, error) {
	plan, err := p.read(ctx, target)
	if err != nil {
		return "", err
	}
	if findings {
		p.e.printFindings(slices.Concat(p.odd, plan.Findings))
	}
	if show {
		p.e.printFiles(plan.FileName(), plan)
	}
	file := filepath.Join(folder, plan.FileName())
	_, err = p.e.writePackage(ctx, plan, file)
	return file, err
}

// outside refuses to begin a gallery in the extension's folder, which would be
// packed with the next version, unless one is named.
func (p *publishCmd) outside(dir string) error {
	if p.Output != "" || p.location.given() > 0 || isSite("site") {
		return nil
	}
	root, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	here, err := filepath.Abs("site")
	if err != nil {
		return err
	}
	if rel, err := filepath.Rel(root, here); err != nil || !filepath.IsLocal(rel) {
		return nil
	}
	return hint.Add(errors.New("where is the gallery? A new one would begin in the extension's own folder"), "name the target with -o, --s3, --oss, --artifactory, --dropbox or -c")
}

// packagesOnly refuses what is for whole sites.
func (p *publishCmd) packagesOnly() error {
	if p.Layout == layoutDbem {
		return hint.Add(errors.New("--layout dbem publishes a site, and these are packages"), "galbuild add SOURCE… -o SITE puts them into one")
	}
	if p.Replace {
		return errors.New("--replace is for whole sites: to publish different content under a published version, remove that first")
	}
	return nil
}

// differs returns the hint for a version that is already published with another content.
func (p *packing) differs(dir string) string {
	way := fmt.Sprintf("give it a new version: galbuild publish %s patch; or pass over what is published with --skip-duplicate", dir)
	if strings.HasPrefix(p.times, timeOfFile) {
		way += "; if only the files' times are new, SOURCE_DATE_EPOCH names one for all: SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)"
	}
	return way
}

// add adds packages. Messages show paths in the folder scratch without the folder; differs
// is the hint if the same versions are published with another content.
func (p *publishCmd) add(ctx context.Context, e *env, sources []string, scratch, differs string) error {
	add := &addCmd{Sources: sources, transfer: p.transfer, location: p.location, limitFlags: p.limitFlags, scratch: scratch}
	limits, err := p.limits()
	if err != nil {
		return err
	}
	var known map[string]string
	if p.SkipDuplicate || scratch != "" {
		add.only = func(old *catalog.Catalog) []string {
			if known = published(old, sources, limits); !p.SkipDuplicate {
				return sources
			}
			return e.passOver(known, sources)
		}
	}
	err = add.Run(ctx, e)
	if errors.Is(err, publish.ErrNoneAccepted) && len(known) > 0 && scratch != "" {
		return hint.Add(err, "%s", differs)
	}
	return err
}

// passOver returns the sources that are not known.
func (e *env) passOver(known map[string]string, sources []string) (rest []string) {
	for _, source := range sources {
		key, ok := known[source]
		if !ok {
			rest = append(rest, source)
		} else if !e.quiet {
			terminal.Fprintf(e.stderr, "galbuild: %s is published already, and passed over\n", key)
		}
	}
	return rest
}

// published returns the keys of those sources that are packages whose version is
// in the catalogue. What is wrong with the others is told when they are added.
func published(c *catalog.Catalog, sources []string, l vsix.Limits) map[string]string {
	there := make(map[string]bool)
	for key := range c.Versions() {
		there[key] = true
	}
	known := make(map[string]string)
	for _, source := range sources {
		if key, err := packageKey(source, l); err == nil && there[key] {
			known[source] = key
		}
	}
	return known
}

// packageKey returns the key of a package in a catalogue.
func packageKey(file string, l vsix.Limits) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	p, err := vsix.Open(f, info.Size(), l)
	if err != nil {
		return "", err
	}
	return catalog.Key(p.Publisher, p.Name, p.Version, p.Platform), nil
}
