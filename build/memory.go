package build

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
	"unicode/utf8"

	"galbuild/build/beneath"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/regular"
	"galbuild/build/source"
)

// A memory is what the last run learnt of its sources, so that this one reads
// only what changed: JSON lines on the builder's desk, a heading and then one
// package a line, in the order of their paths.
//
// It is a cache of the reading, no part of the site: what it says of a package
// counts only if the catalogue has that very package. Losing it costs a reading.
//
// Where another run would come to the same, the heading has its report, and a
// digest of all that the report follows from. A run that finds the same sources
// goes no further than the heading.
type memory struct {
	seen  map[string]memo // by path
	stale bool            // packages were read in another way: only the keys hold
	order []memo
}

// A memo is what is remembered of one source.
type memo struct {
	Path      string   `json:"path"`
	Stamp     stamp    `json:"stamp"`
	Sidecar   *stamp   `json:"sidecar,omitempty"`
	Signature *stamp   `json:"signature,omitempty"`
	Version   *stamp   `json:"versionSidecar,omitempty"`
	Unpacked  *stamp   `json:"unpacked,omitempty"`
	Upstream  upstream `json:"upstream,omitzero"`
	Key       string   `json:"key,omitempty"` // what it turned out to be, when it was last taken
	Ref       blob.Ref `json:"sha256,omitzero"`
	Warnings  []string `json:"warnings,omitempty"`
	Refused   string   `json:"refused,omitempty"` // or why it was not taken
}

// A stamp tells a file that changed, without reading it.
type stamp struct {
	Size    int64     `json:"size"`
	ModTime time.Time `json:"mtime"`
}

// readingVersion changes whenever packages are read, or said of them, in another
// way, so that a newer program reads them all again.
//
//	1  first
//	2  one reading: local headers, Unicode Path fields and names as editors unpack
//	   them; limits of texts, lists and assets; warnings of hidden characters;
//	   media types from one table
//	3  sidecars in the shapes of the Marketplace and Open VSX; no dates in the future;
//	   packages and sidecars in unpacked extensions
//	4  refuses what every editor refuses; takes links; package.json decides where the XML
//	   differs, and mends "[object Object]"
//	5  texts of contributions, for the search
const readingVersion = 5

// A heading says what a memory is of: how the sources were read, and which
// generation came of it. A memory of another generation is that of a builder that
// was killed between the switch and remembering.
type heading struct {
	origin
	Sources blob.Ref `json:"sources,omitzero"` // see digest
	Report  *Report  `json:"report,omitempty"` // with Sources
}

type origin struct {
	Recipe     string `json:"recipe"`
	Generation string `json:"generation"`
}

func (c Config) recipe() string {
	return fmt.Sprintf("reading %d, unpack %s, limits %+v", readingVersion, c.Settings.Unpack, c.Limits.WithDefaults())
}

// digest tells sources and settings from others: as names in the report, as files
// by their stamps, and by what is said of them.
func digest(settings catalog.Settings, items []source.Item, said []upstream) blob.Ref {
	text := fmt.Appendf(nil, "%#v\n", settings)
	all := sha256.New()
	all.Write(text)
	add := func(path string, size int64, modified time.Time) {
		text = binary.AppendVarint(text[:0], int64(len(path)))
		text = append(text, path...)
		text = binary.AppendVarint(text, size)
		text = binary.AppendVarint(text, modified.Unix())
		text = binary.AppendVarint(text, int64(modified.Nanosecond()))
		all.Write(text)
	}
	for i, item := range items {
		add(item.Name, 0, time.Time{})
		add(said[i].ID, 0, said[i].Released)
		add("", 0, said[i].Updated)
		add(item.Path, item.Size, item.ModTime)
		add(item.Untrusted, 0, time.Time{})
		for _, beside := range []*source.Stamp{item.Sidecar, item.Signature, item.VersionSidecar, item.Unpacked} {
			if beside == nil {
				add("", 0, time.Time{})
			} else {
				add(beside.Path, beside.Size, beside.ModTime)
			}
		}
	}
	return blob.Ref(all.Sum(nil))
}

// fits tells whether a run that finds these sources and settings has the report of
// the heading.
func (h *heading) fits(o origin, sources blob.Ref) bool {
	return h.origin == o && h.Sources == sources && h.Report != nil
}

// readHeading reads no more than that. One that cannot be used is zero.
func readHeading(file string) heading {
	f, err := regular.Open(file)
	if err != nil {
		return heading{}
	}
	defer f.Close()
	h, _ := nextLine[heading](bufio.NewReader(f))
	return h
}

// recall reads the memory; one that cannot be used is empty.
func recall(file string, want origin) *memory {
	m := &memory{seen: make(map[string]memo)}
	f, err := regular.Open(file)
	if err != nil {
		return m
	}
	defer f.Close()
	lines := bufio.NewReaderSize(f, 1<<20)
	h, ok := nextLine[heading](lines)
	if !ok || h.Generation != want.Generation {
		return m
	}
	m.stale = h.Recipe != want.Recipe
	for {
		one, ok := nextLine[memo](lines)
		if !ok {
			return m
		}
		m.seen[one.Path] = one
	}
}

// nextLine decodes a line, if there is a whole one.
func nextLine[T any](lines *bufio.Reader) (v T, ok bool) {
	line, err := lines.ReadBytes('\n')
	if err != nil || json.Unmarshal(line, &v) != nil {
		return *new(T), false
	}
	return v, true
}

// recognise returns what is known of an item that has not changed, nor what is said
// of it.
func (m *memory) recognise(item *source.Item, said upstream, old map[string]known) (candidate, bool) {
	was, ok := m.seen[item.Path]
	if !ok || m.stale || was.Stamp != (stamp{item.Size, item.ModTime.UTC()}) ||
		!sameStamp(was.Sidecar, item.Sidecar) || !sameStamp(was.Signature, item.Signature) ||
		!sameStamp(was.Version, item.VersionSidecar) || !sameStamp(was.Unpacked, item.Unpacked) || was.Upstream != said {
		return candidate{}, false
	}
	c := candidate{item: item, upstream: said, warnings: was.Warnings, known: true, before: was.Key}
	if was.Refused != "" {
		c.version = new(catalog.Version)
		c.refused = errors.New(was.Refused)
		return c, true
	}
	k, ok := old[was.Key]
	if !ok || k.version.Package.Ref != was.Ref {
		return candidate{}, false
	}
	c.publisher, c.name, c.version = k.publisher, k.name, k.version
	return c, true
}

func sameStamp(was *stamp, is *source.Stamp) bool {
	if was == nil || is == nil {
		return was == nil && is == nil
	}
	return *was == stamp{is.Size, is.ModTime.UTC()}
}

// remember makes the memory of a run. Left out, and so read again, is what
// depends on more than the file itself: conflicts, the second of two equal
// packages, files that could not be read, and packages that made this program fail. (c.again
// is set for the sidecars among these files.)
func remember(candidates []candidate) *memory {
	m := &memory{}
	for i := range candidates {
		c := &candidates[i]
		one := memo{
			Path:      c.item.Path,
			Stamp:     stamp{c.item.Size, c.item.ModTime.UTC()},
			Sidecar:   stampOf(c.item.Sidecar),
			Signature: stampOf(c.item.Signature),
			Version:   stampOf(c.item.VersionSidecar),
			Unpacked:  stampOf(c.item.Unpacked),
			Upstream:  c.upstream,
			Warnings:  c.warnings,
		}
		switch {
		case !utf8.ValidString(c.item.Path), c.again: // JSON has no way to write it
			continue
		case c.taken:
			one.Key, one.Ref = c.key(), c.version.Package.Ref
		case c.refused != nil && c.version.Package.Ref.IsZero() && !c.unreadable() && !c.panicked():
			one.Key, one.Refused = c.before, c.refused.Error()
		default:
			continue
		}
		m.order = append(m.order, one)
	}
	return m
}

func stampOf(s *source.Stamp) *stamp {
	if s == nil {
		return nil
	}
	return &stamp{s.Size, s.ModTime.UTC()}
}

// save writes the memory in one step.
func (m *memory) save(file string, h heading) error {
	at, err := os.OpenRoot(filepath.Dir(file))
	if err != nil {
		return err
	}
	defer at.Close()
	return beneath.WriteFile(at, filepath.Base(file), 0o600, func(f *os.File) error { return m.write(f, h) })
}

func (m *memory) write(f *os.File, h heading) error {
	buffered := bufio.NewWriterSize(f, 1<<20)
	enc := json.NewEncoder(buffered)
	if err := enc.Encode(h); err != nil {
		return err
	}
	for _, one := range m.order {
		if err := enc.Encode(one); err != nil {
			return err
		}
	}
	return buffered.Flush()
}
