package publish

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	"galbuild/build/blob"
	"galbuild/build/site"
	"galbuild/publish/target"
	"galbuild/render"
)

// Pull brings the site in dir to what a place serves: content that it lacks, paths,
// pages and answers, the generation, CURRENT last; with indexOnly just the last two,
// which is what a galshim beside the place needs. Everything is proved by its hash on
// the way. It returns false if the site was there already.
func Pull(ctx context.Context, from target.Target, dir *site.Dir, indexOnly bool, o Options) (State, bool, error) {
	there, err := readCurrent(ctx, from)
	if err != nil {
		return there, false, err
	}
	if there.IsZero() {
		return there, false, fmt.Errorf("%s: %w", from, ErrNothing)
	}
	here, err := site.ReadCurrent(dir.Root)
	lacking := dir.Unclean || dir.IndexOnly() && !indexOnly
	if err != nil || here == there.Current && !lacking {
		return there, false, err
	}
	if indexOnly && !here.IsZero() && !dir.IndexOnly() {
		return there, false, fmt.Errorf("%s is a whole site: pull the index alone into a folder of its own", dir.Root)
	}
	if there, err = Read(ctx, from); err != nil {
		return there, false, err
	}
	p := &puller{from: from, dir: dir, Options: o}
	if err := p.pull(ctx, there, here, indexOnly); err != nil {
		return there, false, fmt.Errorf("%s: %w", from, err)
	}
	return there, true, nil
}

type puller struct {
	Options
	from target.Target
	dir  *site.Dir
}

func (p *puller) pull(ctx context.Context, there State, here site.Current, indexOnly bool) error {
	if err := p.dir.Begin(); err != nil {
		return err
	}
	if indexOnly {
		if err := p.dir.SetIndexOnly(true); err != nil {
			return err
		}
	}
	if !indexOnly {
		if err := p.content(ctx, there); err != nil {
			return err
		}
	}
	if err := p.generation(ctx, there.Current); err != nil {
		return err
	}
	if err := p.dir.Switch(ctx, there.Current); err != nil {
		return err
	}
	if err := render.Sweep(p.dir, there.Current, here, there.Catalog); err != nil {
		return err
	}
	if !indexOnly {
		if err := p.dir.SetIndexOnly(false); err != nil {
			return err
		}
	}
	return p.dir.End()
}

func (p *puller) content(ctx context.Context, there State) error {
	var lacking []Link
	asked := make(map[blob.Ref]bool)
	for f := range render.Content(there.Catalog) {
		ref := blob.Ref(f.SHA256)
		if !asked[ref] && !p.dir.Blobs.Has(ref, f.Size) {
			lacking = append(lacking, Link{From: f.Path, Object: target.Object{Key: ref.Path(), SHA256: ref, Size: f.Size}})
		}
		asked[ref] = true
	}
	r := &runner{at: p.from, Options: p.Options}
	for _, l := range lacking {
		r.sentOf += l.Size
	}
	err := each(ctx, r, "content", lacking, func(ctx context.Context, l Link) (string, error) {
		r.sent.Add(l.Size)
		return l.Key, p.blob(ctx, l)
	})
	if err != nil {
		return err
	}
	for f := range render.Content(there.Catalog) {
		if err := p.dir.Blobs.Link(f.SHA256, f.Path); err != nil {
			return err
		}
	}
	for f := range render.Answers(there.Catalog) {
		if err := p.dir.WriteFile(f.Path, f.Text); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// blob brings one blob.
func (p *puller) blob(ctx context.Context, l Link) error {
	return p.fetch(ctx, l.Key, l.SHA256, l.Size, func(d *blob.Draft) error {
		_, _, err := d.Commit()
		return err
	})
}

// generation brings the two files of a generation.
func (p *puller) generation(ctx context.Context, c site.Current) error {
	for _, f := range []struct {
		key  string
		want blob.Ref
		most int64
	}{{c.CatalogPath(), c.Catalog, site.MaxPackedCatalog}, {c.IndexPath(), c.Index, maxIndex}} {
		err := p.fetch(ctx, f.key, f.want, f.most, func(d *blob.Draft) error { return d.CommitAs(f.key) })
		if err != nil {
			return err
		}
	}
	return nil
}

// maxIndex bounds an index, in bytes. Half a million extensions need less.
const maxIndex = 4 << 30

// fetch downloads an object that must have this hash. It stops after so many bytes, so that a
// target cannot fill the disk before the hash is compared.
func (p *puller) fetch(ctx context.Context, key string, want blob.Ref, most int64, commit func(*blob.Draft) error) error {
	r, err := p.from.Get(ctx, key, 0, -1)
	if err != nil {
		return err
	}
	defer r.Close()
	draft := p.dir.Blobs.Draft()
	defer draft.Discard()
	n, err := io.Copy(draft, io.LimitReader(r, most+1))
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	if n > most {
		return fmt.Errorf("%s: it has more than %d bytes", key, most)
	}
	if got := draft.Ref(); got != want {
		return fmt.Errorf("%s: its SHA-256 is %s, and should be %s", key, got, want)
	}
	return commit(draft)
}

// sumOf returns the SHA-256 of an object.
func sumOf(ctx context.Context, at target.Target, key string) (blob.Ref, error) {
	r, err := at.Get(ctx, key, 0, -1)
	if err != nil {
		return blob.Ref{}, err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return blob.Ref{}, fmt.Errorf("%s: %w", key, err)
	}
	return blob.Ref(h.Sum(nil)), nil
}
