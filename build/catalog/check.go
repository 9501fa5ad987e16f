package catalog

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	json2 "github.com/go-json-experiment/json"

	"galbuild/build/jsondoc"
	"galbuild/build/similar"
)

// Limits of the values in a catalogue, in bytes.
const (
	maxPath    = 1024     // the path of a file in its package
	maxElement = 255      // one name in a path, the limit of file systems
	maxSize    = 1 << 40  // the size of a file
	maxURL     = 2048     // an address
	MaxControl = 16 << 20 // the control manifest
	MaxLicence = 200      // a licence; the time to evaluate one doubles with each OR in it
	maxID      = 2*maxName + 1
)

var (
	goodUUID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	drive    = regexp.MustCompile(`^[A-Za-z]:`)
)

// Check refuses invalid settings. Read calls it. Code that makes settings must call it too,
// because every later run refuses invalid ones.
func (s *Settings) Check() error {
	if s.Render < 0 {
		return fmt.Errorf("render: want a version of the rendering, found %d", s.Render)
	}
	for _, address := range []struct{ key, url string }{{"baseUrl", s.BaseURL}, {"contentUrl", s.ContentURL}} {
		if address.url == "" {
			continue
		}
		if err := CheckURL(address.url); err != nil {
			return fmt.Errorf("%s: %w", address.key, err)
		}
	}
	if s.Unpack != "" && s.Unpack != "web" && s.Unpack != "all" {
		return fmt.Errorf(`unpack: want "web" or "all", found %.40q`, s.Unpack)
	}
	if s.Sign != "" && s.Sign != "empty" {
		return fmt.Errorf(`sign: want "empty", found %.40q`, s.Sign)
	}
	for i, id := range s.Featured {
		if len(id) > maxID || strings.ContainsFunc(id, unicode.IsControl) {
			return fmt.Errorf("featured: want the id of an extension, found %.200q", id)
		}
		if i > 0 && s.Featured[i-1] > id {
			return fmt.Errorf("featured: want sorted ids, found %.200q after %.200q", id, s.Featured[i-1])
		}
	}
	if err := checkCompanions(s.Companions); err != nil {
		return fmt.Errorf("companions: %w", err)
	}
	if s.Control == nil {
		return nil
	}
	if _, err := ParseControl(s.Control); err != nil {
		return fmt.Errorf("control: %w", err)
	}
	return nil
}

// CheckURL refuses addresses that are not absolute http or https URLs to which a path can
// be appended.
func CheckURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case len(s) > maxURL:
		return fmt.Errorf("address of %d bytes, more than the limit of %d", len(s), maxURL)
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("must be an absolute address such as https://host/gallery, found %.200q", s)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.User != nil:
		return fmt.Errorf("must not have a user, query or fragment, found %.200q", s)
	case strings.ContainsFunc(s, notInURL):
		return fmt.Errorf("must not contain control characters, spaces, quotation marks, brackets or backslashes, found %.200q", s)
	}
	return nil
}

func notInURL(r rune) bool {
	return unicode.IsControl(r) || unicode.IsSpace(r) || strings.ContainsRune("\"'<>\\^`{|}", r) || unicode.Is(unicode.Cf, r)
}

// ParseControl returns a control manifest as a site serves it, on one line. It is a value of the
// catalogue's header, so it has no newline. It must be an object. If it has no list of malicious
// extensions, ParseControl adds an empty one, because editors read the list without checking that
// it exists.
func ParseControl(text []byte) ([]byte, error) {
	if len(text) > MaxControl {
		return nil, fmt.Errorf("%d bytes, more than the limit of %d", len(text), MaxControl)
	}
	var manifest map[string]json.RawMessage
	err := json2.Unmarshal(text, &manifest)
	if _, semantic := errors.AsType[*json2.SemanticError](err); semantic || err == nil && manifest == nil {
		return nil, errors.New(`want an object such as {"malicious":[]}`)
	}
	if err != nil {
		return nil, jsondoc.Explain(text, err)
	}
	if err := checkControl(manifest); err != nil {
		return nil, err
	}
	malicious, ok := manifest["malicious"]
	if !ok {
		if near := similar.To("malicious", slices.Collect(maps.Keys(manifest))); len(near) > 0 {
			return nil, fmt.Errorf(`%q is not a key that editors read; did you mean "malicious"?`, near[0])
		}
		manifest["malicious"] = json.RawMessage("[]")
		return json.Marshal(manifest)
	}
	var ids []*string
	if err := json2.Unmarshal(malicious, &ids); err != nil || ids == nil || slices.Contains(ids, nil) {
		return nil, fmt.Errorf("malicious must be a list of ids, found %.100s", malicious)
	}
	for _, s := range ids {
		if id, err := ParseID(*s); err == nil && id.CheckExtension() != nil {
			return nil, fmt.Errorf("malicious: %w", id.CheckExtension())
		}
	}
	return json.Marshal(manifest)
}

// checkControl refuses values of other keys that editors read and that have another type than they
// expect. Other keys are for other programs.
func checkControl(manifest map[string]json.RawMessage) error {
	for _, c := range []struct {
		key, want string
		value     any
	}{
		{"deprecated", "an object", new(map[string]any)},
		{"migrateToPreRelease", "an object", new(map[string]any)},
		{"search", "a list", new([]any)},
		{"autoUpdate", "an object with versions", new(map[string]string)},
		{"learnMoreLinks", "an object with addresses", new(map[string]string)},
	} {
		text, ok := manifest[c.key]
		if !ok {
			continue
		}
		if err := json2.Unmarshal(text, c.value); err != nil || string(text) == "null" {
			return fmt.Errorf("%s must be %s, found %.100s", c.key, c.want, text)
		}
	}
	return nil
}

// Malicious returns what a control manifest lists as malicious: ids of extensions, and names of
// publishers. The manifest may be nil; otherwise it is from ParseControl.
func Malicious(control json.RawMessage) []string {
	var manifest struct {
		Malicious []string `json:"malicious"`
	}
	_ = json2.Unmarshal(control, &manifest)
	return manifest.Malicious
}

// check refuses an invalid extension, whose versions are already checked.
func (e *Extension) check() error {
	if err := CheckID(e.Publisher.Name, e.Name); err != nil {
		return err
	}
	if err := errors.Join(e.checkFields(), e.checkVersions()); err != nil {
		return fmt.Errorf("%s: %w", e.ID(), err)
	}
	return nil
}

func (e *Extension) checkFields() error {
	for _, id := range []string{e.UUID, e.Publisher.ID} {
		if !goodUUID.MatchString(id) {
			return fmt.Errorf("want a UUID in lower case, found %.100q", id)
		}
	}
	return errors.Join(checkDates(&e.Released, &e.Published, &e.Updated), e.Statistics.check())
}

// checkVersions refuses versions of another extension, duplicates, and versions that are
// out of order.
func (e *Extension) checkVersions() error {
	if len(e.Versions) == 0 {
		return errors.New("the extension has no version")
	}
	folded := make(map[string]bool)
	for i := range e.Versions {
		v := &e.Versions[i]
		if !strings.EqualFold(cmp.Or(v.Publisher, e.Publisher.Name), e.Publisher.Name) || !strings.EqualFold(cmp.Or(v.Name, e.Name), e.Name) {
			return fmt.Errorf("version %s belongs to another extension, %s.%s", v.id(), v.Publisher, v.Name)
		}
		if i > 0 && compareVersions(&e.Versions[i-1], v) >= 0 {
			return fmt.Errorf("version %s follows %s: duplicate or out of order", v.id(), e.Versions[i-1].id())
		}
		lower := strings.ToLower(v.id())
		if folded[lower] {
			return fmt.Errorf("version %s: another version differs from it only in case", v.id())
		}
		folded[lower] = true
	}
	return nil
}

// id identifies a version within its extension.
func (v *Version) id() string {
	if v.Platform == "" {
		return v.Version
	}
	return v.Version + "@" + v.Platform
}

// Check refuses an invalid version. Read calls it for each version. Code that reads packages must
// call it too. Otherwise the next run would refuse the catalogue instead of the package.
func (v *Version) Check() error {
	if err := CheckIdentity(cmp.Or(v.Publisher, "x"), cmp.Or(v.Name, "x"), v.Version); err != nil {
		return err
	}
	if platform, err := ParsePlatform(v.Platform); err != nil {
		return err
	} else if platform != v.Platform {
		return fmt.Errorf("target platform %.200q: want lower case, and none for a universal package", v.Platform)
	}
	if err := v.checkContent(); err != nil {
		return fmt.Errorf("version %s: %w", v.id(), err)
	}
	return nil
}

func (v *Version) checkContent() error {
	if err := errors.Join(checkDates(&v.Updated, &v.Seen), v.Sidecar.check()); err != nil {
		return err
	}
	if err := checkLicence(v.Licence); err != nil {
		return err
	}
	if err := v.Package.check(); err != nil {
		return fmt.Errorf("package: %w", err)
	}
	for i := range v.Assets {
		a := &v.Assets[i]
		if !IsAssetType(a.Type) {
			return fmt.Errorf("asset type %.200q: want at most 128 letters, digits, '.', '-' and '_', beginning with a letter or digit", a.Type)
		}
		if err := a.File.check(); err != nil {
			return fmt.Errorf("asset %s: %w", a.Type, err)
		}
		if i > 0 && v.Assets[i-1].Type >= a.Type {
			return fmt.Errorf("asset %s follows %s: duplicate or out of order", a.Type, v.Assets[i-1].Type)
		}
	}
	return checkFiles(v.Files)
}

// checkLicence refuses what cannot be an SPDX expression. It does not parse the expression, so that
// licences that are new to this program are accepted.
func checkLicence(s string) error {
	if len(s) > MaxLicence || strings.ContainsFunc(s, notInLicence) {
		return fmt.Errorf("licence: want an SPDX expression of at most %d bytes, found %.100q", MaxLicence, s)
	}
	return nil
}

func notInLicence(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune(" ().:+-", r)
}

// checkFiles refuses invalid paths, duplicates, and a path that is both a file and a
// folder. Files are sorted by path.
func checkFiles(files []File) error {
	checked := "."
	for i := range files {
		f := &files[i]
		if err := checkPath(f.Path); err != nil {
			return err
		}
		if err := f.check(); err != nil {
			return fmt.Errorf("file %q: %w", f.Path, err)
		}
		if i > 0 && files[i-1].Path >= f.Path {
			return fmt.Errorf("file %q follows %q: duplicate or out of order", f.Path, files[i-1].Path)
		}
		dir := path.Dir(f.Path)
		if dir == checked {
			continue
		}
		checked = dir
		for ; dir != "."; dir = path.Dir(dir) {
			_, isFile := slices.BinarySearchFunc(files, dir, func(f File, dir string) int { return strings.Compare(f.Path, dir) })
			if isFile {
				return fmt.Errorf("file %q is also a folder, with %q in it", dir, f.Path)
			}
		}
	}
	return nil
}

// checkPath refuses a path that is not a slash-separated relative file path on every
// system.
func checkPath(p string) error {
	switch {
	case len(p) > maxPath:
		return fmt.Errorf("path %.100q… has %d bytes, more than the limit of %d", p, len(p), maxPath)
	case !utf8.ValidString(p) || strings.ContainsFunc(p, unicode.IsControl) || strings.Contains(p, `\`):
		return fmt.Errorf("path %.200q has control characters or backslashes, or is not UTF-8", p)
	case p == "." || !fs.ValidPath(p) || drive.MatchString(p):
		return fmt.Errorf("path %.200q: want a path below the version's folder, without . or .. elements", p)
	}
	for element := range strings.SplitSeq(p, "/") {
		if len(element) > maxElement {
			return fmt.Errorf("path %.100q… has %d bytes between slashes, more than the limit of %d", p, len(element), maxElement)
		}
	}
	return nil
}

// check refuses an invalid file. It does not look at the path.
func (f *File) check() error {
	switch {
	case f.Ref.IsZero():
		return errors.New("sha256 is missing")
	case f.Size < 0 || f.Size > maxSize:
		return fmt.Errorf("size: want 0 to %d bytes, found %d", int64(maxSize), f.Size)
	case !isMediaType(f.Type):
		return fmt.Errorf("media type: want TYPE/SUBTYPE, such as text/plain, found %.200q", f.Type)
	}
	return nil
}

func (s *Sidecar) check() error {
	if s == nil {
		return nil
	}
	ids := []string{s.ExtensionID}
	if s.Publisher != nil {
		ids = append(ids, s.Publisher.PublisherID)
	}
	for _, id := range ids {
		if id != "" && !goodUUID.MatchString(id) {
			return fmt.Errorf("sidecar: want a UUID in lower case, found %.100q", id)
		}
	}
	return errors.Join(checkDates(s.ReleaseDate, s.PublishedDate, s.LastUpdated), s.Statistics.check())
}

func (s *Statistics) check() error {
	if s == nil {
		return nil
	}
	if s.Install < 0 || s.RatingCount < 0 || !(s.AverageRating >= 0 && s.AverageRating <= 5) {
		return errors.New("statistics: want counts that are not negative, and an average rating of 0 to 5")
	}
	return nil
}

// checkDates refuses dates that cannot be written as RFC 3339.
func checkDates(dates ...*time.Time) error {
	for _, t := range dates {
		if t == nil {
			continue
		}
		if year := t.UTC().Year(); year < 1 || year > 9999 {
			return fmt.Errorf("date: want a year of four digits, found %d", year)
		}
	}
	return nil
}

// manyObjects is the length of a line in bytes from which its objects are counted, and
// smallObject is the average size in bytes that each must have. The smallest object that
// Check accepts is larger. Without this, a line of empty objects would need fifty times its
// size in memory when it is decoded.
const (
	manyObjects = 1 << 20
	smallObject = 24
)

func checkLine(line []byte) error {
	if n := bytes.Count(line, []byte("{")); len(line) > manyObjects && n > len(line)/smallObject {
		return fmt.Errorf("%d objects in %d bytes: too many for a catalogue", n, len(line))
	}
	return nil
}
