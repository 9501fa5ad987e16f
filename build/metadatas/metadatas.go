// Package metadatas knows how dbem lays out a repository of extensions, which is a
// folder or a bucket without a server:
//
//	metadatas                             one entry for each extension, as below
//	<name>/<version>/<name>-<version>.vsix
//	<name>/<version>/README.md            when the package has one
//	<name>/<version>/CHANGELOG.md         likewise
//
// There is no publisher in a path, and no target platform. Metadatas is a JSON array,
// to which dbem's README gives another name than its code does, metadata:
//
//	[{"extId": "acme.hello", "currentVersion": "1.1.0", "icon": "data:image/png;base64,…", "describe": "Says hello",
//	  "dateCreated": "2020-02-28T09:30:00.000Z", "lastUpdate": "2020-02-29"}]
//
// An icon may be missing or empty. A date is what JavaScript's toISOString writes, or a
// day alone. Only the version published last is known: folders of older ones are there
// without being mentioned.
//
// The package does no I/O.
//
// Source: src/providers/abstract.ts of https://github.com/DTeam-Top/dbem, 64fb3c2.
package metadatas

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"galbuild/build/badjson"
	"galbuild/build/catalog"
)

// Names of the list, that of the code first.
func Names() []string { return []string{Name, "metadata"} }

const (
	Name = "metadatas"

	// MaxBytes bounds a list: it holds the icons of all extensions.
	MaxBytes = 256 << 20

	maxVersion = 100 // bytes
)

// Entry is what is known of one extension.
type Entry struct {
	ExtID          string `json:"extId"` // publisher.name
	CurrentVersion string `json:"currentVersion"`
	Icon           string `json:"icon"` // data URI, or ""
	Describe       string `json:"describe"`
	DateCreated    string `json:"dateCreated"`
	LastUpdate     string `json:"lastUpdate"`

	raw []byte // as it was read, with what else it says
}

// Key returns the lower-case id.
func (e *Entry) Key() string { return strings.ToLower(e.ExtID) }

// Folder returns where the packages are: the name in the id.
func (e *Entry) Folder() string {
	_, name, _ := strings.Cut(e.ExtID, ".")
	return name
}

// Parse reads a list. It stops at the first invalid entry, so that a list of a hundred
// million numbers costs no more than one number.
func Parse(text []byte) ([]Entry, error) {
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))))
	if first, err := d.Token(); err != nil || first != json.Delim('[') {
		return nil, cmp.Or(plain(text, err), fmt.Errorf("want a list of extensions, found %.40v", first))
	}
	var entries []Entry
	for d.More() {
		e, err := parseEntry(d)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", len(entries)+1, plain(text, err))
		}
		entries = append(entries, e)
	}
	if _, err := d.Token(); err != nil {
		return nil, plain(text, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("unexpected text after the list")
	}
	return entries, nil
}

// plain returns an error of the decoder in the words of people who write JSON.
func plain(text []byte, err error) error {
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s: a %s does not belong there", kind.Field, kind.Value)
	}
	return badjson.Explain(text, err)
}

func parseEntry(d *json.Decoder) (Entry, error) {
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return Entry{}, err
	}
	var e Entry
	if !bytes.HasPrefix(raw, []byte("{")) {
		return e, fmt.Errorf("want an object, found %.40s", raw)
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return e, err
	}
	publisher, name, _ := strings.Cut(e.ExtID, ".")
	if err := catalog.CheckID(publisher, name); err != nil {
		return e, fmt.Errorf("extId: %w", err)
	}
	if len(e.CurrentVersion) > maxVersion {
		return e, fmt.Errorf("currentVersion: %d bytes, more than the limit of %d", len(e.CurrentVersion), maxVersion)
	}
	e.raw = raw
	return e, nil
}

// Format writes a list, an entry a line. One that was read is written as it was.
func Format(entries []Entry) ([]byte, error) {
	lines := make([][]byte, len(entries))
	for i := range entries {
		var line bytes.Buffer
		if err := entries[i].write(&line); err != nil {
			return nil, fmt.Errorf("%s: %w", entries[i].ExtID, err)
		}
		lines[i] = bytes.TrimSpace(line.Bytes())
	}
	if len(lines) == 0 {
		return []byte("[]\n"), nil
	}
	return slices.Concat([]byte("[\n"), bytes.Join(lines, []byte(",\n")), []byte("\n]\n")), nil
}

func (e *Entry) write(to *bytes.Buffer) error {
	if e.raw != nil {
		return json.Compact(to, e.raw)
	}
	enc := json.NewEncoder(to)
	enc.SetEscapeHTML(false)
	return enc.Encode(e)
}

// ParseDate reads a date; "" is the zero time.
func ParseDate(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t, err = time.Parse(time.RFC3339, s)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("%q: want a date such as 2020-02-29 or 2020-02-29T09:30:00.000Z", s)
	}
	if t = t.UTC().Truncate(time.Second); t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, fmt.Errorf("%q: want a year of four digits", s)
	}
	return t, nil
}

// FormatDate writes a date as toISOString does.
func FormatDate(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// PackagePath returns where the package of a version is.
func PackagePath(name, version string) string {
	return name + "/" + version + "/" + name + "-" + version + ".vsix"
}

// DocumentPaths returns where its readme and its changelog are.
func DocumentPaths(name, version string) (readme, changelog string) {
	return name + "/" + version + "/README.md", name + "/" + version + "/CHANGELOG.md"
}

// SplitPath tells of which version a path is the package.
func SplitPath(path string) (name, version string, ok bool) {
	parts := strings.Split(path, "/")
	if len(parts) != 3 || !fs.ValidPath(path) || path != PackagePath(parts[0], parts[1]) {
		return "", "", false
	}
	return parts[0], parts[1], true
}
