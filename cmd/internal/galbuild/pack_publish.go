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
	"galbuild/build/pack/finding"
	"galbuild/build/vsix"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
)

// publishExtension packs a folder once for each platform, and adds all packages in one change.
func (p *publishCmd) publishExtension(ctx context.Context, e *env, dir, version string) error {
	if err := errors.Join(p.packagesOnly(), p.outside(dir)); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "galbuild-pack-")
	if err != nil {
		return hint.Add(fmt.Errorf("make temporary folder: %w", err), "set TMPDIR to a folder that exists; nothing was packed")
	}
	defer os.RemoveAll(scratch)
	job := newPackJob(e, packSettings{&p.packFlags, p.keys()}, dir, version)
	files, found, err := p.packAll(ctx, job, scratch)
	if err != nil {
		if len(job.refused) > 0 {
			err = errors.Join(err, e.printJSON(refusedFolder{slices.Concat(job.refused, job.warnings)}))
		}
		return err
	}
	return p.add(ctx, e, &addCmd{Sources: files, scratch: scratch, findings: found}, job.hintDiffers(dir))
}

// packAll packs a folder for all platforms. It returns the files, and the warnings about the first
// package, which are the same for all packages.
func (p *publishCmd) packAll(ctx context.Context, job *packJob, scratch string) (files []string, found []finding.Finding, err error) {
	job.dry = p.DryRun
	pkg, err := job.begin()
	if err != nil {
		return nil, nil, err
	}
	platforms := []string(p.Target)
	if len(platforms) == 0 {
		platforms = []string{p.settingTarget}
	}
	if err := checkTargets("package.json: vsce.target", platforms...); err != nil {
		return nil, nil, err
	}
	if err := job.prepare(ctx, pkg, platforms[0]); err != nil {
		return nil, nil, err
	}
	for i, t := range platforms {
		if slices.Contains(platforms[:i], t) {
			continue
		}
		plan, err := job.read(ctx, t)
		if err != nil {
			return nil, nil, err
		}
		if i == 0 {
			found = slices.Concat(job.warnings, plan.Findings)
			job.e.printFindings(found)
		}
		if p.DryRun || job.e.verbose {
			job.e.printFiles(plan.FileName(), plan)
		}
		file := filepath.Join(scratch, plan.FileName())
		if _, err := job.write(ctx, plan, file); err != nil {
			return nil, nil, err
		}
		files = append(files, file)
	}
	return files, found, nil
}

// outside returns an error if no target is named and the new site would be in the extension's
// folder, where the next package would contain it.
func (p *publishCmd) outside(dir string) error {
	if p.Named() || isSite(targets.DefaultFolder) {
		return nil
	}
	root, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	here, err := filepath.Abs(targets.DefaultFolder)
	if err != nil {
		return err
	}
	if rel, err := filepath.Rel(root, here); err != nil || !filepath.IsLocal(rel) {
		return nil
	}
	return hint.Add(errors.New("no target is named, and a new gallery would be in the extension's folder"), "%s", targets.Hint)
}

// packagesOnly returns an error for flags that apply to whole sites only.
func (p *publishCmd) packagesOnly() error {
	if p.Layout == layoutDbem {
		return hint.Add(errors.New("--layout dbem publishes a site, and these are packages"), "add them to a site first: galbuild add SOURCE… -o SITE")
	}
	if p.Replace {
		return errors.New("--replace is for whole sites: to publish different content under a published version, remove that version first, and publish the new one with --restore")
	}
	return nil
}

// hintDiffers returns the hint for a version that is already published with different content.
func (j *packJob) hintDiffers(dir string) string {
	next := fmt.Sprintf("give it a new version: galbuild publish %s patch; or skip published versions with --skip-duplicate", dir)
	if strings.HasPrefix(j.origin, timeOfFile) {
		next += "; if only the times of files differ, set the same time for all: SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)"
	}
	return next
}

// add runs add with the flags of publish. If the packages are made from a folder, differs is the
// hint for versions that are published with different content; otherwise it is "".
func (p *publishCmd) add(ctx context.Context, e *env, add *addCmd, differs string) error {
	if p.Inbox {
		return p.submit(ctx, e, add.Sources)
	}
	add.transfer, add.Flags, add.limitFlags, add.policyFlags = p.transfer, p.Flags, p.limitFlags, p.policyFlags
	add.authorFlags, add.Restore = p.authorFlags, p.Restore
	limits, err := p.limits()
	if err != nil {
		return err
	}
	if add.restorer, err = p.author(); err != nil {
		return err
	}
	var duplicates map[string]string
	if p.SkipDuplicate || differs != "" {
		add.choose = func(old *catalog.Catalog) []string {
			if duplicates = published(old, add.Sources, limits); !p.SkipDuplicate {
				return add.Sources
			}
			return e.skip(duplicates, add.Sources)
		}
	}
	err = add.Run(ctx, e)
	if errors.Is(err, publish.ErrNoneAccepted) && len(duplicates) > 0 && differs != "" {
		return hint.Add(err, "%s", differs)
	}
	return err
}

// skip returns the sources that are not duplicates, and prints the others.
func (e *env) skip(duplicates map[string]string, sources []string) (rest []string) {
	for _, source := range sources {
		key, ok := duplicates[source]
		if !ok {
			rest = append(rest, source)
		} else if !e.quiet {
			terminal.Fprintf(e.stderr, "galbuild: skipped: %s, which is already published\n", key)
		}
	}
	return rest
}

// published returns, by source, the keys of those packages whose versions are in the catalogue. It
// ignores sources that cannot be read: adding them reports the reason.
func published(c *catalog.Catalog, sources []string, l vsix.Limits) map[string]string {
	exists := make(map[string]bool)
	for key := range c.Versions() {
		exists[key] = true
	}
	duplicates := make(map[string]string)
	for _, source := range sources {
		if key, err := publish.PackageKey(source, l); err == nil && exists[key] {
			duplicates[source] = key
		}
	}
	return duplicates
}
