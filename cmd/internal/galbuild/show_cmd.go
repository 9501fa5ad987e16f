package galbuild

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"

	"galbuild/build/audit"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/policy"
	"galbuild/build/stats"
	"galbuild/cmd/internal/addresses"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
	"galbuild/publish/dbem"
	"galbuild/publish/target"
)

type listCmd struct {
	Target string `arg:"" optional:"" complete:"path" help:"The target: ${readable}."`
	IDs    bool   `name:"ids" help:"Print only the ids, one on each line."`
	targets.Flags
}

// Validate implements Kong's hook.
func (l *listCmd) Validate() error { return l.Check(l.Target) }

// listing is the JSON document of ls-remote.
type listing struct {
	Target     string   `json:"target"`
	Extensions []listed `json:"extensions"`
}

type listed struct {
	ID          string    `json:"id"`
	DisplayName string    `json:"displayName"`
	Version     string    `json:"version"` // the newest
	Versions    int       `json:"versions"`
	Platforms   []string  `json:"platforms"` // of the newest version
	Updated     time.Time `json:"updated"`
	Bytes       int64     `json:"bytes"` // of all packages
	Description string    `json:"description"`
	Recommended bool      `json:"recommended,omitempty"` // the policy of the gallery recommends it
	Packages    []packed  `json:"packages"`              // newest first
}

// packed is a package of an extension.
type packed struct {
	Version  string           `json:"version"`
	Platform string           `json:"platform"`
	SHA256   blob.Ref         `json:"sha256"`
	Bytes    int64            `json:"bytes"`
	Updated  time.Time        `json:"updated"`
	Seen     time.Time        `json:"seen,omitzero"` // when it was first seen, if that is known
	Licence  string           `json:"licence"`       // SPDX expression; "" if it is not known
	Signed   bool             `json:"signed"`
	Sources  []catalog.Source `json:"sources,omitempty"` // where it came from; missing if that is not known
}

// Run lists the extensions of a target.
func (l *listCmd) Run(ctx context.Context, e *env) error {
	found, err := readTarget(ctx, e, &l.Flags)
	if err != nil {
		return err
	}
	recommended := policy.Of(found.catalog).Recommended
	sources := sourcesOf(found.catalog)
	list := make([]listed, 0, len(found.catalog.Extensions))
	for i := range found.catalog.Extensions {
		x := &found.catalog.Extensions[i]
		entry := newListed(x, sources)
		entry.Recommended = slices.Contains(recommended, x.Key())
		list = append(list, entry)
	}
	if e.json {
		return e.printJSON(listing{found.at.String(), list})
	}
	table := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	if !l.IDs {
		terminal.Fprintf(table, "extension\tversion\tversions\tsize\tupdated\tname\n")
	}
	for _, x := range list {
		if l.IDs {
			terminal.Fprintln(table, x.ID)
			continue
		}
		terminal.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t%s\n", x.ID, x.Version, x.Versions, humanize.Bytes(uint64(x.Bytes)), day(x.Updated), x.DisplayName)
	}
	return table.Flush()
}

// contents is the content of a target: a gallery, or a repository of dbem.
type contents struct {
	at      target.Target
	catalog *catalog.Catalog
	dbem    bool
}

// readTarget opens a target and reads its catalogue, for --json with what only auditors need, if
// that can be read. If nothing is published there, it returns an error.
func readTarget(ctx context.Context, e *env, f *targets.Flags) (contents, error) {
	at, err := f.OpenToRead(e.target)
	if err != nil {
		return contents{}, err
	}
	state, err := publish.Read(ctx, at)
	if err == nil && !state.IsZero() && e.json {
		_, _ = publish.ReadPrivate(ctx, at, state) // a reader without the right to it gets the rest
	}
	if err != nil || !state.IsZero() {
		return contents{at: at, catalog: state.Catalog}, err
	}
	listed, err := dbem.Read(ctx, at)
	if err == nil && listed == nil {
		err = nothingAt(at)
	}
	return contents{at: at, catalog: listed, dbem: true}, err
}

func nothingAt(at target.Target) error {
	return hint.Add(fmt.Errorf("%s: %w", at, publish.ErrNothing), "galbuild publish SITE publishes a gallery there")
}

// sourcesOf returns where packages came from, as far as that is known.
func sourcesOf(c *catalog.Catalog) map[blob.Ref][]catalog.Source {
	all := make(map[blob.Ref][]catalog.Source, len(c.Packages))
	for i := range c.Packages {
		all[c.Packages[i].SHA256] = c.Packages[i].Sources
	}
	return all
}

func newListed(x *catalog.Extension, sources map[blob.Ref][]catalog.Source) listed {
	newest := &x.Versions[0]
	l := listed{ID: x.ID(), DisplayName: newest.DisplayName, Version: newest.Version, Updated: x.Updated, Description: newest.Description}
	seen := make(map[string]bool)
	for i := range x.Versions {
		v := &x.Versions[i]
		if v.Version == newest.Version {
			l.Platforms = append(l.Platforms, cmp.Or(v.Platform, catalog.Universal))
		}
		seen[v.Version] = true
		l.Bytes += v.Package.Size
		l.Packages = append(l.Packages, packed{
			Version: v.Version, Platform: cmp.Or(v.Platform, catalog.Universal), SHA256: v.Package.Ref, Bytes: v.Package.Size,
			Updated: v.Updated, Seen: v.Seen, Licence: v.Licence, Signed: v.Signed, Sources: sources[v.Package.Ref],
		})
	}
	l.Versions = len(seen)
	return l
}

type showCmd struct {
	ID        string `arg:"" name:"id" type:"id" help:"The extension: publisher.name[@version][@platform]."`
	Version   string `arg:"" optional:"" name:"version" complete:"path" help:"The version, if it is not named with the id; or the target."`
	Target    string `arg:"" optional:"" complete:"path" help:"The target, if a version is named: an address, or the folder of a site."`
	Readme    bool   `help:"Also print the readme."`
	Changelog bool   `help:"Also print the change log."`
	id        catalog.ID
	targets.Flags
}

// Validate implements Kong's hook.
func (s *showCmd) Validate() error {
	named, id := s.Target, s.ID
	if named == "" && s.Version != "" {
		rest, last, err := s.Last([]string{s.ID, s.Version}, otherID)
		if err != nil {
			return err
		}
		if named = last; len(rest) == 1 {
			s.Version = ""
		}
	}
	if s.Version != "" {
		if s.Version[0] < '0' || s.Version[0] > '9' {
			return fmt.Errorf("%s is neither a version nor an address nor the folder of a site%s", s.Version, similarIfMissing(s.Version))
		}
		id += "@" + s.Version
	}
	ids, err := parseIDs([]string{id})
	if err != nil {
		return err
	}
	s.id = ids[0]
	return s.Check(named)
}

// otherID returns "an id or a version" for an argument that can be one, or "".
func otherID(arg string) string {
	if addresses.Scheme(arg) == "" && !strings.ContainsAny(arg, `/\`) && strings.ContainsAny(arg, ".@") {
		return "an id or a version"
	}
	return ""
}

// shown is the JSON document of show: the extension with all its versions, where their packages
// came from, and the texts of the version that the id names.
type shown struct {
	catalog.Extension
	Downloads int64             `json:"downloads,omitempty"`
	Packages  []catalog.Package `json:"packages,omitempty"` // missing if only auditors can read them
	Submitted []submittedBy     `json:"submitted,omitempty"`
	Readme    string            `json:"readme"`
	Changelog string            `json:"changelog"`
}

// submittedBy says who has submitted the package of a version to the inbox.
type submittedBy struct {
	ID string `json:"id"` // publisher.name@version[@platform]
	audit.Submission
}

// submittedOf returns who has submitted the versions of an extension.
func submittedOf(c *catalog.Catalog, x *catalog.Extension) (all []submittedBy) {
	submissions := audit.Submissions(c)
	for key, v := range x.Keyed() {
		for _, s := range submissions[v.Package.Ref] {
			all = append(all, submittedBy{key, s})
		}
	}
	return all
}

const (
	readmeAsset    = "Microsoft.VisualStudio.Services.Content.Details"
	changelogAsset = "Microsoft.VisualStudio.Services.Content.Changelog"
	maxDocument    = 16 << 20
)

// documents are the texts that a repository of dbem has, by asset type.
var documents = map[string]dbem.Document{readmeAsset: dbem.Readme, changelogAsset: dbem.Changelog}

// Run prints the description of an extension, its versions with dates and sizes, and its texts.
func (s *showCmd) Run(ctx context.Context, e *env) error {
	found, err := readTarget(ctx, e, &s.Flags)
	if err != nil {
		return err
	}
	x, err := findExtension(found.catalog, s.id, found.at.String())
	if err != nil {
		return err
	}
	_, versions, err := matching(x, s.id)
	if err != nil {
		return err
	}
	v := &versions[0] // the newest
	result := shown{Extension: *x, Packages: packagesOf(found.catalog, x), Submitted: submittedOf(found.catalog, x)}
	f := stats.NewTotals(found.catalog, policy.Of(found.catalog).Ratings).Of(x)
	if result.Downloads = f.Downloads; f.Installs > 0 || f.Rating > 0 || f.Ratings > 0 {
		result.Statistics = &catalog.Statistics{Install: f.Installs, AverageRating: f.Rating, RatingCount: f.Ratings}
	}
	if e.json || s.Readme {
		if result.Readme, err = found.readAsset(ctx, x, v, readmeAsset); err != nil {
			return err
		}
	}
	if e.json || s.Changelog {
		if result.Changelog, err = found.readAsset(ctx, x, v, changelogAsset); err != nil {
			return err
		}
	}
	if e.json {
		return e.printJSON(result)
	}
	return result.print(e.stdout, v)
}

// packagesOf returns what is known about the packages of an extension.
func packagesOf(c *catalog.Catalog, x *catalog.Extension) (all []catalog.Package) {
	served := make(map[blob.Ref]bool)
	for i := range x.Versions {
		served[x.Versions[i].Package.Ref] = true
	}
	for _, p := range c.Packages {
		if served[p.SHA256] {
			all = append(all, p)
		}
	}
	return all
}

// day returns a date, or "" if there is none.
func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// readAsset returns a text of a version, or "" if the version has no such text.
func (s contents) readAsset(ctx context.Context, x *catalog.Extension, v *catalog.Version, kind string) (string, error) {
	if s.dbem {
		return dbem.ReadDocument(ctx, s.at, x, v.Version, documents[kind], maxDocument)
	}
	for _, a := range v.Assets {
		if a.Type != kind {
			continue
		}
		r, err := s.at.Get(ctx, a.Ref.Path(), 0, -1)
		if err != nil {
			return "", err
		}
		text, err := target.ReadAll(r, maxDocument)
		return string(text), err
	}
	return "", nil
}

func (s *shown) print(w io.Writer, v *catalog.Version) error {
	x := &s.Extension
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(key, value string) {
		if value != "" {
			terminal.Fprintf(table, "%s\t%s\n", key, value)
		}
	}
	line("extension", x.ID())
	line("name", v.DisplayName)
	line("description", v.Description)
	line("publisher", x.Publisher.DisplayName)
	line("categories", strings.Join(v.Categories, ", "))
	line("tags", strings.Join(v.VisibleTags(), ", "))
	line("released", day(x.Released))
	line("updated", day(x.Updated))
	if st := x.Statistics; st != nil {
		line("installs", humanize.Comma(st.Install))
		line("rating", fmt.Sprintf("%.1f (%d)", st.AverageRating, st.RatingCount))
	}
	if s.Downloads > 0 {
		line("downloads", humanize.Comma(s.Downloads))
	}
	for _, by := range s.Submitted {
		line("submitted", fmt.Sprintf("%s, by %s with the key %s", by.ID, cmp.Or(by.Name, "unknown"), by.Key))
	}
	terminal.Fprintf(table, "\nversion\tplatform\tkind\tdate\tsize\n")
	for i := range x.Versions {
		v := &x.Versions[i]
		kind := "release"
		if v.PreRelease {
			kind = "pre-release"
		}
		terminal.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", v.Version, cmp.Or(v.Platform, catalog.Universal), kind, day(v.Updated), humanize.Bytes(uint64(v.Package.Size)))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, text := range []string{s.Readme, s.Changelog} {
		if text != "" {
			if err := terminal.Document(w, "\n"+strings.TrimRight(text, "\n")+"\n"); err != nil {
				return err
			}
		}
	}
	return nil
}
