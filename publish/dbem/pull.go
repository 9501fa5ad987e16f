package dbem

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"galbuild/build/atomicfile"
	repo "galbuild/build/dbem"
	"galbuild/build/site"
	"galbuild/publish"
	"galbuild/publish/target"
)

// Pulled describes a pull.
type Pulled struct {
	Target   string   `json:"target"`
	Folder   string   `json:"folder"`
	Packages int      `json:"packages"` // in the repository
	Objects  int      `json:"objects"`  // downloaded, without the list
	Bytes    int64    `json:"bytes"`    // downloaded
	Extra    []string `json:"extra"`    // packages in the folder that the repository does not have
}

// Pull downloads a repository into a folder, from which a site can then be built: packages with
// their readmes and changelogs, and then the list. Files that exist with the right size are not
// downloaded again, so an interrupted pull continues. Nothing is removed. Objects that do not
// belong to the layout are ignored.
func Pull(ctx context.Context, from target.Target, folder string, o publish.Options) (Pulled, error) {
	result := Pulled{Target: from.String(), Folder: folder, Extra: []string{}}
	p := &puller{Options: o, from: from}
	name, list, err := p.list(ctx)
	if err != nil {
		return result, fmt.Errorf("%s: %w", from, err)
	}
	entries, err := p.entries(ctx, &result)
	if err != nil {
		return result, fmt.Errorf("%s: %w", from, err)
	}
	if result.Packages == 0 && list == nil {
		return result, fmt.Errorf("%s is not a repository of dbem: it has neither %s nor packages", from, repo.Name)
	}
	if err := atomicfile.MkdirAll(folder); err != nil {
		return result, err
	}
	if p.to, err = os.OpenRoot(folder); err != nil {
		return result, err
	}
	defer p.to.Close()
	if err := atomicfile.RemoveTemp(p.to, site.WorkDir, time.Now()); err != nil { // left by a killed pull
		return result, err
	}
	if err := p.download(ctx, entries, &result); err != nil {
		return result, err
	}
	if list != nil {
		if err := p.write(name, bytes.NewReader(list), int64(len(list))); err != nil {
			return result, err
		}
	}
	result.Extra, err = extra(folder, entries)
	return result, err
}

// A puller is a call of [Pull] or [Read].
type puller struct {
	publish.Options
	from target.Target
	to   *os.Root // the folder; nil for Read
}

// entries returns the objects of the repository.
func (p *puller) entries(ctx context.Context, result *Pulled) ([]target.Entry, error) {
	existing, err := listAll(ctx, p.from)
	if err != nil {
		return nil, err
	}
	var found []target.Entry
	for key, e := range existing {
		name, version, ok := repo.SplitPath(key)
		if !ok || !filepath.IsLocal(filepath.FromSlash(key)) {
			continue
		}
		result.Packages++
		found = append(found, e)
		readme, changelog := repo.DocumentPaths(name, version)
		for _, document := range []string{readme, changelog} {
			if e, ok := existing[document]; ok {
				found = append(found, e)
			}
		}
	}
	slices.SortFunc(found, func(a, b target.Entry) int { return strings.Compare(a.Key, b.Key) })
	return found, nil
}

// list returns the name and the text of the list, or nil if there is none. Pull reads it before it
// lists the objects, so that the list does not name packages that were published in between.
func (p *puller) list(ctx context.Context) (name string, text []byte, err error) {
	for _, name := range repo.Names() {
		r, err := p.from.Get(ctx, name, 0, -1)
		if errors.Is(err, target.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", nil, err
		}
		if text, err = target.ReadAll(r, repo.MaxBytes); err != nil {
			return "", nil, fmt.Errorf("%s: %w", name, err)
		}
		return name, append([]byte{}, text...), nil
	}
	return "", nil, nil
}

// download downloads the objects that the folder lacks.
func (p *puller) download(ctx context.Context, entries []target.Entry, result *Pulled) error {
	missing := slices.DeleteFunc(slices.Clone(entries), func(e target.Entry) bool {
		info, err := p.to.Stat(filepath.FromSlash(e.Key))
		return err == nil && info.Mode().IsRegular() && info.Size() == e.Size
	})
	result.Objects = len(missing)
	for _, e := range missing {
		result.Bytes += e.Size
	}
	var done, received atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cmp.Or(p.Jobs, 16))
	for _, e := range missing {
		group.Go(func() error {
			if err := p.fetch(ctx, e); err != nil {
				return err
			}
			if p.Progress != nil {
				p.Progress(publish.Progress{
					Stage: "content", Done: int(done.Add(1)), Total: len(missing),
					Sent: received.Add(e.Size), SentOf: result.Bytes, Key: e.Key,
				})
			}
			return nil
		})
	}
	return group.Wait()
}

// fetch downloads an object. The file gets the date of the object, which a build uses for a
// version whose package has no date.
func (p *puller) fetch(ctx context.Context, e target.Entry) error {
	r, err := p.from.Get(ctx, e.Key, 0, -1)
	if err != nil {
		return fmt.Errorf("%s: %w", p.from, err)
	}
	defer r.Close()
	if err := p.write(e.Key, r, e.Size); err != nil {
		return fmt.Errorf("%s: %w", p.from, err)
	}
	return p.to.Chtimes(filepath.FromSlash(e.Key), e.Modified, e.Modified)
}

// write creates a file of the given size atomically.
func (p *puller) write(key string, from io.Reader, size int64) error {
	return atomicfile.WriteFile(p.to, key, atomicfile.FileMode, func(f *os.File) error {
		n, err := io.Copy(f, io.LimitReader(from, size+1))
		orMore := ""
		if n > size {
			orMore = " or more"
		}
		if err == nil && n != size {
			err = fmt.Errorf("%s: it has %d bytes%s, want %d as listed: run the command again", key, n, orMore, size)
		}
		return err
	})
}

// extra returns the packages in the folder that are not in entries.
func extra(folder string, entries []target.Entry) ([]string, error) {
	listed := make(map[string]bool)
	for _, e := range entries {
		listed[e.Key] = true
	}
	files, err := fs.Glob(os.DirFS(folder), "*/*/*.vsix")
	return slices.DeleteFunc(append([]string{}, files...), func(file string) bool {
		_, _, ok := repo.SplitPath(file)
		return !ok || listed[file]
	}), err
}
