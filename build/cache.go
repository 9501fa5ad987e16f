package build

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
	"unicode/utf8"

	json2 "github.com/go-json-experiment/json"

	"galbuild/build/atomicfile"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/jsondoc"
	"galbuild/build/regularfile"
	"galbuild/build/source"
	"galbuild/build/vet"
)

// A cache is the build cache: it has the results for the sources of the last run, so that a run
// reads only the packages that have changed. The file is in the work directory of the site. Its
// first line is a header, and every other line is the entry of a package, sorted by path.
//
// An entry is used only if the files of its source have not changed, and if reading them again
// would have the same result. That depends also on what the gallery knows about the package, which
// other commands change: galbuild add may have added the same package with another sidecar. So
// entries of the current generation are used as they are, and those of another one only if the
// current generation knows the same about the package, see knowledge. The content of the package
// need not be looked for: a site has that of all versions in its current generation. If the cache
// is lost, all packages are read again.
//
// The header has the report of a run with the same sources, and a digest of all that the report
// depends on. A run whose digest is the same reads only the header.
type cache struct {
	entries map[string]entry // of the last run, by path
	origin  origin           // of the entries
	stale   bool             // packages were read in another way, and only the keys of the entries are used
	moved   bool             // another command has changed the current generation since the last run
	next    []entry          // of this run, to be stored
	partial bool             // the next run must read a source again
}

// An entry is the result for one source.
type entry struct {
	Path      string      `json:"path"`
	Stamp     stamp       `json:"stamp"`
	Sidecar   *stamp      `json:"sidecar,omitempty"`
	Signature *stamp      `json:"signature,omitempty"`
	Version   *stamp      `json:"versionSidecar,omitempty"`
	Unpacked  *stamp      `json:"unpacked,omitempty"`
	Records   *stamp      `json:"records,omitempty"`
	Listed    listedDates `json:"upstream,omitzero"`
	Key       string      `json:"key,omitempty"`   // of the version, when it was last accepted
	Ref       blob.Ref    `json:"sha256,omitzero"` // of the package, if it was read completely
	Known     blob.Ref    `json:"known,omitzero"`  // see knowledge.hash; zero if it was refused
	Warnings  []string    `json:"warnings,omitempty"`
	// Source is where the package came from, if a sidecar states it.
	Source   *catalog.Source `json:"source,omitempty"`
	Excluded bool            `json:"excluded,omitempty"` // a decision keeps out the version, whose package has this hash
	Refused  string          `json:"refused,omitempty"`  // the reason, if it was refused
	// Described is the version if the policy kept it out. The site does not have its content.
	Described *catalog.Version `json:"described,omitempty"`
}

// A stamp is the size and time of a file. A file with another stamp has changed.
type stamp struct {
	Size    int64     `json:"size"`
	ModTime time.Time `json:"mtime"`
}

// readingVersion is the version of reading. It must be raised whenever the same package and
// sidecar files have a different result: in the catalogue, in a warning, or in the reason to
// refuse the package. A newer program then reads all packages again. TestReadingVersion fails if
// it was not raised.
//
//	1  the first version
//	2  compares local headers; reads Unicode Path fields and names as editors do; limits for
//	   texts, lists and assets; warnings about hidden characters; one table of media types
//	3  reads sidecars in the formats of the Marketplace and Open VSX; replaces dates in the
//	   future; ignores sidecars and refuses foreign packages in unpacked extensions
//	4  refuses what every editor refuses; accepts links; prefers package.json to the XML, and
//	   replaces "[object Object]"
//	5  reads the texts of contributions, for the search
//	6  other texts of warnings and reasons
//	7  reads licences; records when a package was first seen, by the clock of the run
//	8  records the npm packages in a package
//	9  a media type for Atom feeds
//	10  reads what pages show: links, contributions, the network, and pictures of readmes
//	11  reads where a package was collected from, when, and pictures that it does not hold
const readingVersion = 11

// A header is the first line of a cache. Its generation is not the current one after a command that
// does not read these sources, such as galbuild add, or if a builder was killed after it had
// switched to its generation and before it stored the cache.
type header struct {
	origin
	Sources blob.Ref `json:"sources,omitzero"` // see digest
	Report  *Report  `json:"report,omitempty"` // only with Sources

	// Next is when a run with the same sources has another report, because the policy keeps out
	// other versions then. It is zero if that is never so.
	Next time.Time `json:"next,omitzero"`
}

// An origin is where the entries of a cache come from.
type origin struct {
	Recipe     string `json:"recipe"`     // how packages were read, see Config.recipe
	Generation string `json:"generation"` // the generation that the run has built
}

// recipe returns all that the result of reading a package depends on, besides its files.
func (c Config) recipe() string {
	return fmt.Sprintf("reading %d, unpack %s, limits %+v", readingVersion, c.Settings.Unpack, c.Limits.WithDefaults())
}

// digest returns a hash of the version of the rules that vet packages, the settings that are given
// or dropped, the limits, the file of imported statistics, and the names, stamps and listed dates
// of all sources. Everything else that the result depends on is in the last generation.
func digest(c Config, items []source.Item, listed []listedDates) blob.Ref {
	text := fmt.Appendf(nil, "%s\nvet %d\n%#v\n%q\n", c.recipe(), vet.Version, c.Settings, c.Drop)
	hash := sha256.New()
	hash.Write(text)
	if c.Stats != nil {
		fmt.Fprintf(hash, "%q %s\n", c.Stats.File, c.Stats.SHA256)
	}
	add := func(path string, size int64, modified time.Time) {
		text = binary.AppendVarint(text[:0], int64(len(path)))
		text = append(text, path...)
		text = binary.AppendVarint(text, size)
		text = binary.AppendVarint(text, modified.Unix())
		text = binary.AppendVarint(text, int64(modified.Nanosecond()))
		hash.Write(text)
	}
	addStamp := func(s *source.Stamp) {
		if s == nil {
			s = new(source.Stamp)
		}
		add(s.Path, s.Size, s.ModTime)
	}
	for _, w := range c.Companions {
		add(w.Path, int64(len(w.File)), time.Time{})
		addStamp(w.stamp())
	}
	for i, item := range items {
		add(item.Name, 0, time.Time{})
		add(listed[i].ID, 0, listed[i].Released)
		add("", 0, listed[i].Updated)
		add(item.Path, item.Size, item.ModTime)
		add(item.Untrusted, 0, time.Time{})
		add(item.Origin, 0, time.Time{})
		for _, s := range []*source.Stamp{item.Sidecar, item.Signature, item.VersionSidecar, item.Unpacked, item.Records} {
			addStamp(s)
		}
	}
	return blob.Ref(hash.Sum(nil))
}

// matches reports whether the report is that of a run that built this generation, with the same
// digest, and still holds now.
func (h *header) matches(generation string, sources blob.Ref, now time.Time) bool {
	return h.Generation == generation && h.Sources == sources && h.Report != nil && (h.Next.IsZero() || now.Before(h.Next))
}

// loadHeader reads the header of a cache. It is zero if it cannot be read.
func loadHeader(file string) header {
	f, err := regularfile.Open(file)
	if err != nil {
		return header{}
	}
	defer f.Close()
	h, _ := nextLine[header](bufio.NewReader(f))
	return h
}

// loadCache reads a cache. It is empty if it cannot be read.
func loadCache(file string) *cache {
	c := &cache{entries: make(map[string]entry)}
	f, err := regularfile.Open(file)
	if err != nil {
		return c
	}
	defer f.Close()
	lines := bufio.NewReaderSize(f, 1<<20)
	h, ok := nextLine[header](lines)
	if !ok {
		return c
	}
	c.origin = h.origin
	for {
		e, ok := nextLine[entry](lines)
		if !ok {
			return c
		}
		c.entries[e.Path] = e
	}
}

// use compares where the entries come from with where those of this run do.
func (c *cache) use(want origin) {
	c.stale, c.moved = c.origin.Recipe != want.Recipe, c.origin.Generation != want.Generation
}

// nextLine decodes the next line. It returns false if there is no complete and valid line.
func nextLine[T any](lines *bufio.Reader) (v T, ok bool) {
	line, err := lines.ReadBytes('\n')
	if err != nil || json2.Unmarshal(line, &v) != nil {
		return *new(T), false
	}
	return v, true
}

// lookup returns the result for an item if neither its files nor its listed dates have changed
// since the last run, and reading them again would have the same result. last is what the last
// generation knows.
func (c *cache) lookup(item *source.Item, listed listedDates, last *knowledge, decisions *decision.Set) (candidate, bool) {
	e, ok := c.entries[item.Path]
	if !ok || c.stale || !e.isOf(item, listed) || c.moved && !e.stillHolds(last) {
		return candidate{}, false
	}
	found := candidate{item: item, listed: listed, warnings: e.Warnings, reused: true, previousKey: e.Key, ref: e.Ref, known: e.Known, source: e.Source}
	if e.Refused != "" {
		found.version = new(catalog.Version)
		found.refused = errors.New(e.Refused)
		return found, true
	}
	if e.Excluded {
		out := decisions.Out(e.Key, e.Ref)
		if len(out) == 0 {
			return candidate{}, false
		}
		x := newExcluded(e.Key, out[0])
		found.version, found.excluded = new(catalog.Version), &x
		return found, true
	}
	if e.Described != nil {
		v := *e.Described
		found.publisher, found.name, found.version, found.unstored = v.Publisher, v.Name, &v, true
		v.Publisher, v.Name = "", ""
		return found, true
	}
	previous, ok := last.find(e.Key, e.Ref)
	if !ok {
		return candidate{}, false
	}
	found.publisher, found.name, found.version = previous.publisher, previous.name, previous.version
	return found, true
}

// isOf reports whether the files and the listed dates are those of the entry.
func (e *entry) isOf(item *source.Item, listed listedDates) bool {
	return e.Stamp == stamp{item.Size, item.ModTime.UTC()} && e.Listed == listed &&
		sameStamp(e.Sidecar, item.Sidecar) && sameStamp(e.Signature, item.Signature) &&
		sameStamp(e.Version, item.VersionSidecar) && sameStamp(e.Unpacked, item.Unpacked) && sameStamp(e.Records, item.Records)
}

// stillHolds reports whether reading the files of the entry again would have the same result
// although another generation has become the last one. For a package that was refused, that depends
// on the version that has it.
func (e *entry) stillHolds(last *knowledge) bool {
	if e.Refused != "" {
		key, ok := last.keys[e.Ref]
		return !e.Ref.IsZero() && (!ok || key == e.Key)
	}
	return !e.Known.IsZero() && e.Known == last.hash(e.Key, e.Ref)
}

func sameStamp(cached *stamp, found *source.Stamp) bool {
	if cached == nil || found == nil {
		return cached == nil && found == nil
	}
	return *cached == stamp{found.Size, found.ModTime.UTC()}
}

// newCache returns a cache with the results of a run, to be stored. next is what its generation
// knows.
func newCache(candidates []candidate, next *knowledge) *cache {
	results := &cache{}
	for i := range candidates {
		c := &candidates[i]
		if !utf8.ValidString(c.item.Path) { // JSON cannot contain it
			results.partial = true
			continue
		}
		e, complete := c.entry(next)
		results.partial = results.partial || !complete
		if complete || e.Key != "" {
			results.next = append(results.next, e)
		}
	}
	return results
}

// entry returns the entry of a candidate. It is not complete if the next run may have another
// result although the files have not changed: for conflicts, for the second of two files with the
// same package, for files that could not be read, and for packages that triggered a bug. Then it
// has only the key, so that the version stays in the gallery if the file becomes invalid.
func (c *candidate) entry(next *knowledge) (e entry, complete bool) {
	key := c.previousKey
	if c.refused == nil && (c.excluded == nil || !c.reused) {
		key = c.key()
	}
	e = entry{
		Path:      c.item.Path,
		Stamp:     stamp{c.item.Size, c.item.ModTime.UTC()},
		Sidecar:   stampOf(c.item.Sidecar),
		Signature: stampOf(c.item.Signature),
		Version:   stampOf(c.item.VersionSidecar),
		Unpacked:  stampOf(c.item.Unpacked),
		Records:   stampOf(c.item.Records),
		Listed:    c.listed,
		Key:       key,
		Warnings:  c.warnings,
		Source:    c.source,
	}
	switch {
	case c.incomplete:
	case c.excluded != nil && c.excluded.IsByPolicy():
		e.Described, e.Ref = c.described(), c.version.Package.Ref
		e.Known = next.hash(key, e.Ref)
		return e, true
	case c.excluded != nil:
		e.Excluded, e.Ref = true, c.ref
		e.Known = next.hash(key, e.Ref)
		return e, true
	case c.accepted:
		e.Ref = c.version.Package.Ref
		if e.Known = c.known; e.Known.IsZero() || c.unstored {
			e.Known = next.hash(key, e.Ref)
		}
		return e, true
	case c.refused != nil && c.version.Package.Ref.IsZero() && !c.unreadable() && !c.panicked():
		e.Refused, e.Ref = c.refused.Error(), c.ref
		return e, true
	}
	return entry{Path: c.item.Path, Key: key}, false
}

// described returns the version with the publisher and name that its package declares.
func (c *candidate) described() *catalog.Version {
	v := *c.version
	v.Publisher, v.Name = c.publisher, c.name
	return &v
}

func stampOf(s *source.Stamp) *stamp {
	if s == nil {
		return nil
	}
	return &stamp{s.Size, s.ModTime.UTC()}
}

// store writes the entries of this run to a file, which it replaces in one step.
func (c *cache) store(file string, h header) error {
	at, err := os.OpenRoot(filepath.Dir(file))
	if err != nil {
		return err
	}
	defer at.Close()
	return atomicfile.WriteFile(at, filepath.Base(file), 0o600, func(f *os.File) error { return c.write(f, h) })
}

func (c *cache) write(f *os.File, h header) error {
	buffered := bufio.NewWriterSize(f, 1<<20)
	line, err := jsondoc.Line(h)
	if err != nil {
		return err
	}
	if _, err := buffered.Write(line); err != nil {
		return err
	}
	for _, e := range c.next {
		if line, err = jsondoc.AppendLine(line[:0], e); err != nil {
			return err
		}
		if _, err := buffered.Write(line); err != nil {
			return err
		}
	}
	return buffered.Flush()
}
