package pack

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"galbuild/build/pack/finding"
	"galbuild/build/secret"
)

// scan searches the files of the package for secrets.
func (p *packer) scan() error {
	found := make([][]finding.Finding, len(p.files))
	group, ctx := errgroup.WithContext(p.ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	progress := newProgress(p.files, p.o.Progress)
	for i, f := range p.files {
		if secret.Skips(f.scanPath()) {
			progress(f.Size)
			continue
		}
		group.Go(func() (err error) {
			if err = ctx.Err(); err == nil {
				found[i], err = p.scanFile(f)
				progress(f.Size)
			}
			return err
		})
	}
	err := group.Wait()
	p.addFindings(slices.Concat(found...)...)
	return err
}

// maxScan is the maximum size of a file that is scanned, because it is read into memory.
// The limit of vsce is 2 GiB.
const maxScan = 64 << 20

func (p *packer) scanFile(f File) ([]finding.Finding, error) {
	if f.Size > maxScan {
		return []finding.Finding{finding.Warning(f.Source, "", "is not searched for secrets: it has %d bytes, more than %d", f.Size, maxScan)}, nil
	}
	content, err := p.content(f)
	if err != nil {
		return nil, err
	}
	var found []finding.Finding
	for _, s := range secret.Scan(f.scanPath(), content, p.o.Secrets) {
		found = append(found, secretFinding(f.scanPath(), s))
	}
	return found, nil
}

// scanPath returns the path that decides whether a file is scanned. The scanner skips paths with
// node_modules, because dependencies are the work of others. A file outside of the extension's
// folder, to which a link in node_modules leads, may be the author's own. For such a file, the path
// is the one with links resolved.
func (f File) scanPath() string {
	if strings.HasPrefix(f.real, "../") {
		return f.real
	}
	return f.Source
}

func secretFinding(name string, s secret.Secret) finding.Finding {
	if s.Rule == secret.DotEnv {
		return finding.Error(name, `leave it out by .vscodeignore or "files" of package.json, or allow it with --allow-package-env-file`, "%s", s.Description)
	}
	return finding.Error(fmt.Sprintf("%s:%d:%d", name, s.Line, s.Column),
		"remove it, or allow it with --allow-package-secrets "+s.Rule, "%s [%s]", s.Description, s.Rule)
}
