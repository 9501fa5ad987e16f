package delivery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"aead.dev/minisign"

	"galbuild/build/atomicfile"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/regularfile"
	"galbuild/publish/bundle"
	"galbuild/publish/delivery/report"
)

// Exported describes the tarball that a delivery has written.
type Exported struct {
	*bundle.Exported
	Tarball string   `json:"tarball"` // path
	Reports []string `json:"reports"` // paths of the report, in Markdown and JSON
}

// An exporter writes the tarball of a delivery, if there is something new.
type exporter struct {
	Export
	site     string
	store    *store
	date     string // for the name
	key      *minisign.PrivateKey
	progress bundle.Progress
}

// base returns the catalogue of what the other side has, and the tarballs that it may have. The
// catalogue is empty if it may have nothing.
func (x *exporter) base() (*catalog.Catalog, []Delivered, error) {
	bases := x.store.bases(x.Since)
	if len(bases) == 0 {
		return &catalog.Catalog{}, nil, nil
	}
	c, err := x.store.catalog(bases[0].Generation)
	return c, bases, err
}

// resume ends what an interrupted run has begun. The listing is written last, and after it only the
// signature, so a tarball with them is complete.
func (x *exporter) resume() error {
	d := x.store.unfinished()
	if d == nil {
		return nil
	}
	last := d.Name + bundle.SumsSuffix
	if d.Signed {
		last += bundle.SignedSuffix
	}
	_, err := os.Stat(filepath.Join(filepath.Dir(x.Output), last))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = x.store.finish()
	}
	return err
}

// write writes the tarball and its report.
func (x *exporter) write(ctx context.Context, c *catalog.Catalog, bases []Delivered, r *report.Report) (*Exported, error) {
	if err := atomicfile.MkdirAll(filepath.Dir(x.Output)); err != nil {
		return nil, err
	}
	current, listing, err := bundle.Listing(x.site)
	if err != nil {
		return nil, err
	}
	d := Delivered{Generation: current.Generation, Since: []string{}, Signed: x.key != nil}
	cfg := bundle.ExportConfig{Site: x.site, Split: x.Split, SignKey: x.key, Progress: x.progress}
	for _, b := range bases {
		d.Since = append(d.Since, b.Generation)
		cfg.Since = append(cfg.Since, x.store.path(b.Generation+listingSuffix))
	}
	if d.Name, err = x.name(); err != nil {
		return nil, err
	}
	if err := x.store.begin(d, listing, c); err != nil {
		return nil, err
	}
	r.Tarball, r.Generation, r.Since = d.Name, d.Generation, d.Since
	cfg.Output = filepath.Join(filepath.Dir(x.Output), d.Name)
	reports, err := x.writeReport(r)
	if err != nil {
		return nil, err
	}
	exported, err := bundle.Export(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if exported.Generation != d.Generation {
		return nil, fmt.Errorf("%s: %w", x.site, bundle.ErrDamaged)
	}
	return &Exported{exported, cfg.Output, reports}, x.store.finish()
}

// name returns a name for the tarball that no other one has: that of an interrupted run, or the
// given one with the date, and a number if that is needed.
func (x *exporter) name() (string, error) {
	if d := x.store.unfinished(); d != nil {
		return d.Name, nil
	}
	stem, suffix := splitSuffix(filepath.Base(x.Output))
	for n := 1; ; n++ {
		name := stem + "-" + x.date + suffix
		if n > 1 {
			name = fmt.Sprintf("%s-%s-%d%s", stem, x.date, n, suffix)
		}
		taken, err := x.isTaken(name)
		if err != nil || !taken {
			return name, err
		}
	}
}

// isTaken reports whether a tarball has a name, or had it.
func (x *exporter) isTaken(name string) (bool, error) {
	for _, d := range x.store.all {
		if d.Name == name {
			return true, nil
		}
	}
	for _, file := range []string{name, name + ".001", name + bundle.SumsSuffix} {
		_, err := os.Lstat(filepath.Join(filepath.Dir(x.Output), file))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return true, err
		}
	}
	return false, nil
}

// writeReport writes the report next to the tarball.
func (x *exporter) writeReport(r *report.Report) ([]string, error) {
	stem, _ := splitSuffix(r.Tarball)
	document, err := r.JSON()
	if err != nil {
		return nil, err
	}
	folder, err := os.OpenRoot(filepath.Dir(x.Output))
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	paths := []string{stem + ".report.md", stem + ".report.json"}
	for i, text := range [][]byte{r.Markdown(), document} {
		if err := atomicfile.WriteText(folder, paths[i], text); err != nil {
			return nil, err
		}
		paths[i] = filepath.Join(folder.Name(), paths[i])
	}
	return paths, nil
}

// changelogIn returns a function that reads the change log of a version from the site at root.
func changelogIn(root string) func(*catalog.Version) (string, error) {
	store := blob.ReadStore(root)
	return func(v *catalog.Version) (string, error) {
		for _, a := range v.Assets {
			if a.Type != catalog.ChangelogAsset {
				continue
			}
			f, err := regularfile.Open(store.File(a.Ref))
			if err != nil {
				return "", err
			}
			defer f.Close()
			text, err := io.ReadAll(io.LimitReader(f, report.MaxChangelog))
			return string(text), err
		}
		return "", nil
	}
}
