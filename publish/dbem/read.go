package dbem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"galbuild/build/catalog"
	repo "galbuild/build/dbem"
	"galbuild/publish/target"
)

// Read returns the extensions that a repository of dbem lists, as a catalogue. It returns nil if
// there is no list. Only some fields are set: of an extension its id, dates and versions, the
// current version first; of a version its number, its date and the size of its package, and of the
// current version also the description. Versions in a folder without an entry in the list are left
// out, because their publisher is not known.
func Read(ctx context.Context, from target.Target) (*catalog.Catalog, error) {
	_, text, err := (&puller{from: from}).list(ctx)
	if err != nil || text == nil {
		return nil, wrap(from, err)
	}
	entries, err := repo.Parse(text)
	if err != nil {
		return nil, wrap(from, fmt.Errorf("%s: %w: %v", repo.Name, ErrList, err))
	}
	existing, err := listAll(ctx, from)
	if err != nil {
		return nil, wrap(from, err)
	}
	versions := make(map[string][]catalog.Version) // by folder, in lower case
	for key, e := range existing {
		if name, version, ok := repo.SplitPath(key); ok {
			folder := strings.ToLower(name)
			versions[folder] = append(versions[folder], catalog.Version{Version: version, Updated: e.Modified, Package: catalog.File{Size: e.Size}, Assets: []catalog.Asset{}})
		}
	}
	c := &catalog.Catalog{}
	for _, e := range entries {
		c.Extensions = append(c.Extensions, extension(e, versions[strings.ToLower(e.Folder())]))
	}
	slices.SortStableFunc(c.Extensions, func(a, b catalog.Extension) int { return strings.Compare(a.Key(), b.Key()) })
	return c, nil
}

// wrap names the target in an error.
func wrap(from target.Target, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", from, err)
}

// extension returns an entry and the packages in its folder as an extension. A date that cannot be
// read is the zero time, so that one bad entry does not hide the others.
func extension(e repo.Entry, packages []catalog.Version) catalog.Extension {
	publisher, name, _ := strings.Cut(e.ExtID, ".")
	x := catalog.Extension{Publisher: catalog.Publisher{Name: publisher}, Name: name, Versions: slices.Clone(packages)}
	x.Released, _ = repo.ParseDate(e.DateCreated)
	x.Updated, _ = repo.ParseDate(e.LastUpdate)
	catalog.SortVersions(x.Versions)
	i := slices.IndexFunc(x.Versions, func(v catalog.Version) bool { return v.Version == e.CurrentVersion })
	current := catalog.Version{Version: e.CurrentVersion, Assets: []catalog.Asset{}}
	if i >= 0 {
		current = x.Versions[i]
		x.Versions = slices.Delete(x.Versions, i, i+1)
	}
	current.Description, current.Updated = e.Describe, x.Updated
	x.Versions = slices.Insert(x.Versions, 0, current)
	return x
}

// A Document is a kind of document of a version.
type Document int

const (
	Readme Document = iota
	Changelog
)

// ReadDocument returns a document of a version, or "" if there is none. It returns
// [io.ErrShortBuffer] if the document has more than limit bytes.
func ReadDocument(ctx context.Context, from target.Target, x *catalog.Extension, version string, d Document, limit int64) (string, error) {
	key, changelog := repo.DocumentPaths(x.Name, version)
	if d == Changelog {
		key = changelog
	}
	r, err := from.Get(ctx, key, 0, -1)
	if errors.Is(err, target.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", wrap(from, err)
	}
	text, err := target.ReadAll(r, limit)
	return string(text), err
}
