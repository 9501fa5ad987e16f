package vsix

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"galbuild/build/similar"
	"galbuild/build/units"
)

// Limits limit the resources that a package may use, and the text that it adds to responses. A
// field that is 0 means the default. [LimitTable] describes the fields.
type Limits struct {
	PackageBytes, Entries, EntryBytes, UnpackedBytes, Ratio int64
	DirectoryBytes, PathBytes, PathElementBytes, Links      int64
	ManifestBytes, Translations                             int64
	IDBytes, VersionBytes, PlatformBytes                    int64
	DisplayName, Description                                int64
	Categories, CategoryBytes, Tags, TagBytes               int64
	Properties, PropertyKeyBytes, PropertyValueBytes        int64
	AssetTypes, IconBytes, ReadmeBytes, ChangelogBytes      int64
	MetadataBytes, SidecarBytes, Warnings                   int64
}

// A Limit is a row of the table of limits.
type Limit struct {
	Name    string // the NAME in --limit NAME=VALUE
	What    string // what is limited
	Unit    string // "bytes", "characters", "times", or "" for a number of things
	Default int64
	Most    int64  // the largest value it can be given
	Excess  string // what is done with an excess: "refused", "cut", "left out", …

	field func(*Limits) *int64
}

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30

	// unlimited is the largest size of a file that a catalogue accepts.
	unlimited = 1 << 40

	// ratioFrom is the uncompressed size in bytes up to which the ratio is not checked.
	ratioFrom = mib
)

// limits is the table of all limits. The checks and the help of --limit use it, and a test
// compares SECURITY.md with it.
//
// The defaults are several times the values of the largest known packages: packs of 200
// extensions, language extensions with 300 tags, change logs of 2 MB. The largest value that can
// be set is the largest that a catalogue or a file system accepts.
var limits = []Limit{
	{"package-bytes", "the .vsix file, and a compressed copy that is downloaded or read", "bytes", 2 * gib, unlimited, "refused", func(l *Limits) *int64 { return &l.PackageBytes }},
	{"entries", "entries of the archive: files and folders", "", 100_000, 10_000_000, "refused", func(l *Limits) *int64 { return &l.Entries }},
	{"entry-bytes", "uncompressed size of one entry", "bytes", gib, unlimited, "refused", func(l *Limits) *int64 { return &l.EntryBytes }},
	{"unpacked-bytes", "uncompressed size of all entries together", "bytes", 4 * gib, unlimited, "refused", func(l *Limits) *int64 { return &l.UnpackedBytes }},
	{"ratio", "uncompressed to compressed size, of entries above 1 MiB", "times", 200, 100_000, "refused", func(l *Limits) *int64 { return &l.Ratio }},
	{"directory-bytes", "the zip archive's directory", "bytes", 64 * mib, gib, "refused", func(l *Limits) *int64 { return &l.DirectoryBytes }},
	{"path-bytes", "the path of an entry", "bytes", 1024, 1024, "refused", func(l *Limits) *int64 { return &l.PathBytes }},
	{"path-element-bytes", "one name in the path, between slashes", "bytes", 255, 255, "refused", func(l *Limits) *int64 { return &l.PathElementBytes }},
	{"links", "symbolic links in the archive", "", 10_000, 100_000, "refused", func(l *Limits) *int64 { return &l.Links }},
	{"manifest-bytes", "package.json, package.nls.json and extension.vsixmanifest, each", "bytes", 8 * mib, 64 * mib, "refused", func(l *Limits) *int64 { return &l.ManifestBytes }},
	{"translations", "texts in package.nls.json", "", 20_000, 1_000_000, "package.nls.json is ignored", func(l *Limits) *int64 { return &l.Translations }},
	{"id-bytes", "publisher and name, each", "bytes", 100, 100, "refused", func(l *Limits) *int64 { return &l.IDBytes }},
	{"version-bytes", "the version", "bytes", 100, 100, "refused", func(l *Limits) *int64 { return &l.VersionBytes }},
	{"platform-bytes", "the target platform", "bytes", 100, 100, "refused", func(l *Limits) *int64 { return &l.PlatformBytes }},
	{"display-name", "the display names of the extension and of its publisher, each", "characters", 255, 100_000, "cut", func(l *Limits) *int64 { return &l.DisplayName }},
	{"description", "the description", "characters", 4096, 1_000_000, "cut", func(l *Limits) *int64 { return &l.Description }},
	{"categories", "categories", "", 50, 10_000, "left out", func(l *Limits) *int64 { return &l.Categories }},
	{"category-bytes", "a category", "bytes", 100, 10_000, "left out", func(l *Limits) *int64 { return &l.CategoryBytes }},
	{"tags", "tags", "", 500, 100_000, "left out", func(l *Limits) *int64 { return &l.Tags }},
	{"tag-bytes", "a tag", "bytes", 100, 10_000, "left out", func(l *Limits) *int64 { return &l.TagBytes }},
	{"properties", "properties, such as links and the extensions of a pack", "", 200, 10_000, "left out", func(l *Limits) *int64 { return &l.Properties }},
	{"property-key-bytes", "the key of a property", "bytes", 256, 10_000, "left out", func(l *Limits) *int64 { return &l.PropertyKeyBytes }},
	{"property-value-bytes", "the value of a property", "bytes", 32 * kib, 16 * mib, "left out; refused if editors need it", func(l *Limits) *int64 { return &l.PropertyValueBytes }},
	{"asset-types", "assets (files that editors request by type)", "", 200, 10_000, "left out", func(l *Limits) *int64 { return &l.AssetTypes }},
	{"icon-bytes", "an icon", "bytes", 5 * mib, unlimited, "left out", func(l *Limits) *int64 { return &l.IconBytes }},
	{"readme-bytes", "the readme", "bytes", 8 * mib, unlimited, "left out", func(l *Limits) *int64 { return &l.ReadmeBytes }},
	{"changelog-bytes", "the change log", "bytes", 8 * mib, unlimited, "left out", func(l *Limits) *int64 { return &l.ChangelogBytes }},
	{"metadata-bytes", "the text that the package adds to a response: names, description, tags, properties and so on", "bytes", 128 * kib, 64 * mib, "refused", func(l *Limits) *int64 { return &l.MetadataBytes }},
	{"sidecar-bytes", "a sidecar file, a signature archive, and each of its entries", "bytes", 64 * mib, gib, "left out", func(l *Limits) *int64 { return &l.SidecarBytes }},
	{"warnings", "warnings about one package", "", 100, 10_000, "left out", func(l *Limits) *int64 { return &l.Warnings }},
}

// LimitTable returns all limits, in the order in which they are checked.
func LimitTable() []Limit { return append([]Limit{}, limits...) }

// LimitNames returns the names of all limits, separated by ", ".
func LimitNames() string {
	names := make([]string, len(limits))
	for i := range limits {
		names[i] = limits[i].Name
	}
	return strings.Join(names, ", ")
}

// WithDefaults returns l with every zero field filled in.
func (l Limits) WithDefaults() Limits {
	for _, row := range limits {
		if field := row.field(&l); *field == 0 {
			*field = row.Default
		}
	}
	return l
}

// Decompressed returns a reader of r, the decompressed content of a file of compressed bytes.
// Reading fails with a *FormatError if the content exceeds the limit ratio.
func (l Limits) Decompressed(r io.Reader, compressed int64) io.Reader {
	return &ratioReader{r, compressed, l.WithDefaults().Ratio, 0}
}

// A ratioReader returns an error when it has read more than ratio times the compressed bytes.
type ratioReader struct {
	io.Reader
	compressed, ratio, n int64
}

// Read implements [io.Reader].
func (r *ratioReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if r.n += int64(n); r.n > ratioFrom && r.n/r.ratio > r.compressed {
		return n, refuse("", "%d compressed bytes expand to more than the limit of %d times", r.compressed, r.ratio)
	}
	return n, err
}

// Set sets a limit from NAME=VALUE. Bytes are written as for [units.ParseSize]. If the name or
// value is invalid, the error lists the valid ones.
func (l *Limits) Set(assignment string) error {
	name, text, ok := strings.Cut(assignment, "=")
	if !ok {
		return fmt.Errorf("limit %q: want NAME=VALUE, such as entries=1000 or package-bytes=100MiB", assignment)
	}
	for i := range limits {
		if row := &limits[i]; row.Name == strings.TrimSpace(name) {
			value, err := row.parse(strings.TrimSpace(text))
			if err == nil {
				*row.field(l) = value
			}
			return err
		}
	}
	names := LimitNames()
	return fmt.Errorf("unknown limit %q; the limits are %s%s", name, names, similar.Question(name, strings.Split(names, ", ")))
}

func (row *Limit) parse(text string) (value int64, err error) {
	kind, examples := "number", ""
	if row.Unit == "bytes" {
		kind, examples = "size", ", such as 500000, 10MB or 4GiB"
		value, err = units.ParseSize(text)
	} else {
		value, err = strconv.ParseInt(text, 10, 64)
	}
	if err != nil || value < 1 || value > row.Most {
		return 0, fmt.Errorf("limit %s=%s: want a %s from 1 to %s%s", row.Name, text, kind, row.Format(row.Most), examples)
	}
	return value, nil
}

// Format writes a value of the limit with its unit: "2 GiB", "255 characters", "500".
func (row *Limit) Format(value int64) string {
	switch {
	case row.Unit == "bytes" && value >= kib && value%kib == 0:
		return strings.Replace(humanize.IBytes(uint64(value)), ".0 ", " ", 1)
	case row.Unit == "":
		return humanize.Comma(value)
	}
	return humanize.Comma(value) + " " + row.Unit
}
