// Package dbem reads and writes the list of a dbem repository, and the paths of its files. A
// repository is a folder or a bucket without a server:
//
//	metadatas                              the list: one entry for each extension
//	<name>/<version>/<name>-<version>.vsix
//	<name>/<version>/README.md             if the package has one
//	<name>/<version>/CHANGELOG.md          if the package has one
//
// A path contains neither the publisher nor the target platform. The list is a JSON array.
// Its name is metadatas in the code of dbem, and metadata in its README:
//
//	[{"extId": "acme.hello", "currentVersion": "1.1.0", "icon": "data:image/png;base64,…",
//	  "describe": "Says hello", "dateCreated": "2020-02-28T09:30:00.000Z",
//	  "lastUpdate": "2020-02-29"}]
//
// An icon may be missing or empty. A date is written as toISOString of JavaScript does, or is
// a day alone. The list has only the version that was published last. The folders of older
// versions stay in the repository.
//
// The package does no I/O.
//
// Source: src/providers/abstract.ts of https://github.com/DTeam-Top/dbem, 64fb3c2.
package dbem

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

	"galbuild/build/catalog"
	"galbuild/build/jsondoc"
)

// Names returns the names that the list may have. The first is the one in the code of dbem.
func Names() []string { return []string{Name, "metadata"} }

const (
	Name = "metadatas" // of the list

	MaxBytes = 256 << 20 // the largest size of a list, which contains the icons of all extensions

	maxVersion = 100 // bytes
)

// Entry is the entry of one extension in the list.
type Entry struct {
	ExtID          string `json:"extId"` // publisher.name
	CurrentVersion string `json:"currentVersion"`
	Icon           string `json:"icon"` // data URI, or ""
	Describe       string `json:"describe"`
	DateCreated    string `json:"dateCreated"`
	LastUpdate     string `json:"lastUpdate"`

	raw []byte // the entry as it was read, with unknown members
}

// Key returns the lower-case id.
func (e *Entry) Key() string { return strings.ToLower(e.ExtID) }

// Folder returns the folder of the extension's packages: the name in its id.
func (e *Entry) Folder() string {
	_, name, _ := strings.Cut(e.ExtID, ".")
	return name
}

// Parse reads a list. It stops at the first invalid entry, so that a list of a hundred
// million numbers costs no more than one number.
func Parse(text []byte) ([]Entry, error) {
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))))
	if first, err := d.Token(); err != nil || first != json.Delim('[') {
		return nil, cmp.Or(explain(text, err), fmt.Errorf("want a list of extensions, found %.40v", first))
	}
	var entries []Entry
	for d.More() {
		e, err := parseEntry(d)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", len(entries)+1, explain(text, err))
		}
		entries = append(entries, e)
	}
	if _, err := d.Token(); err != nil {
		return nil, explain(text, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("unexpected text after the list")
	}
	return entries, nil
}

// explain returns an error of the decoder in words for people who write JSON.
func explain(text []byte, err error) error {
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s: a %s does not belong there", kind.Field, kind.Value)
	}
	return jsondoc.Explain(text, err)
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

// Format returns the text of a list, with one entry on each line. An entry from Parse keeps its
// unknown members.
func Format(entries []Entry) ([]byte, error) {
	lines := make([][]byte, len(entries))
	for i := range entries {
		line, err := entries[i].line()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", entries[i].ExtID, err)
		}
		lines[i] = bytes.TrimSpace(line)
	}
	if len(lines) == 0 {
		return []byte("[]\n"), nil
	}
	return slices.Concat([]byte("[\n"), bytes.Join(lines, []byte(",\n")), []byte("\n]\n")), nil
}

// line returns the entry as one line. An entry that was read and not changed stays as it was.
func (e *Entry) line() ([]byte, error) {
	if e.raw == nil {
		return jsondoc.Line(e)
	}
	var line bytes.Buffer
	err := json.Compact(&line, e.raw)
	return line.Bytes(), err
}

// ParseDate returns a date in UTC, in whole seconds. An empty text is the zero time.
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

// PackagePath returns the path of the package of a version.
func PackagePath(name, version string) string {
	return name + "/" + version + "/" + name + "-" + version + ".vsix"
}

// DocumentPaths returns the paths of the readme and the changelog of a version.
func DocumentPaths(name, version string) (readme, changelog string) {
	return name + "/" + version + "/README.md", name + "/" + version + "/CHANGELOG.md"
}

// SplitPath returns the name and version for which [PackagePath] returns path. It returns false
// if there are none.
func SplitPath(path string) (name, version string, ok bool) {
	parts := strings.Split(path, "/")
	if len(parts) != 3 || !fs.ValidPath(path) || path != PackagePath(parts[0], parts[1]) {
		return "", "", false
	}
	return parts[0], parts[1], true
}
