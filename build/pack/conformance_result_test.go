package pack_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/tools/txtar"

	"galbuild/build/pack/packtest"
)

// A result is the outcome of listing and packing a folder.
type result struct {
	list     []string // sorted; undefined if listing failed
	listFail string   // error of listing
	fail     string   // error of packing
	warnings []string // of packing, sorted

	entries map[string]entry // of the package; nil if packing failed
}

type entry struct {
	exec    bool
	content []byte
}

// documents are the two XML documents. They are compared as XML.
var documents = []string{"extension.vsixmanifest", "[Content_Types].xml"}

// readEntries reads a package.
func readEntries(archive io.ReaderAt, size int64) (map[string]entry, error) {
	r, err := zip.NewReader(archive, size)
	if err != nil {
		return nil, err
	}
	entries := make(map[string]entry, len(r.File))
	for _, f := range r.File {
		if _, twice := entries[f.Name]; twice {
			return nil, fmt.Errorf("entry %q occurs twice", f.Name)
		}
		content, err := readEntry(f)
		if err != nil {
			return nil, fmt.Errorf("entry %q: %w", f.Name, err)
		}
		entries[f.Name] = entry{f.Mode()&0o100 != 0, content}
	}
	return entries, nil
}

func readEntry(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// record returns the result as files of a txtar:
//
//	list         a path per line
//	list-error   the error of listing, instead of list
//	warnings     a message per line, with Go's quotes
//	error        the error of packing, instead of the following files
//	entries      a line per entry: "file" or "exec", the name, and the origin of its content,
//	             which is " <- SOURCE" for a file below root with another path, " <- entry/"
//	             if it is recorded, and " <- base" if it is that of base
//	entry/NAME   a content
//	quoted/NAME  a content that txtar cannot represent, line by line with Go's quotes
//
// The two documents are recorded under their names. If they are valid XML, lines of only tabs
// are removed, and a missing line break at the end is added. base is the recorded result of
// the folder base.
func (r *result) record(root string, base []txtar.File) ([]txtar.File, error) {
	var files []txtar.File
	add := func(name, text string) { files = append(files, txtar.File{Name: name, Data: []byte(text)}) }
	if r.listFail != "" {
		add("list-error", r.listFail+"\n")
	} else {
		add("list", lines(r.list))
	}
	if len(r.warnings) > 0 {
		add("warnings", quotedLines(r.warnings))
	}
	if r.entries == nil {
		add("error", r.fail+"\n")
		return files, nil
	}
	index, contents, err := r.recordEntries(root, base)
	if err != nil {
		return nil, err
	}
	add("entries", index)
	return append(files, contents...), nil
}

func (r *result) recordEntries(root string, base []txtar.File) (index string, contents []txtar.File, err error) {
	sources, err := readSources(root)
	if err != nil {
		return "", nil, err
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.entries)) {
		e := r.entries[name]
		kind := "file "
		if e.exec {
			kind = "exec "
		}
		b.WriteString(kind + name)
		switch source := findSource(sources, name, e.content); {
		case slices.Contains(documents, name):
			document := recordDocument(name, e.content)
			if slices.ContainsFunc(base, func(f txtar.File) bool { return f.Name == name && bytes.Equal(f.Data, document.Data) }) {
				b.WriteString(" <- base")
				break
			}
			contents = append(contents, document)
		case "extension/"+source == name:
		case source != "":
			b.WriteString(" <- " + source)
		default:
			b.WriteString(" <- entry/")
			contents = append(contents, recordContent("entry/"+name, e.content))
		}
		b.WriteByte('\n')
	}
	return b.String(), contents, nil
}

var onlyTabs = regexp.MustCompile(`(?m)^\t+\n`)

func recordDocument(name string, content []byte) txtar.File {
	if _, err := packtest.CanonicalXML(content); err != nil {
		return recordContent(name, content)
	}
	content = onlyTabs.ReplaceAll(content, nil)
	if !bytes.HasSuffix(content, []byte("\n")) {
		content = append(content, '\n')
	}
	return recordContent(name, content)
}

// findSource returns the source with the content of an entry: the one with the same path, or
// else one with a similar name. It returns "" if there is none.
func findSource(sources map[string][]byte, name string, content []byte) string {
	name = strings.TrimPrefix(name, "extension/")
	if source, ok := sources[name]; ok && bytes.Equal(source, content) {
		return name
	}
	like := func(s string) string { return strings.ToLower(strings.TrimSuffix(path.Base(s), path.Ext(s))) }
	for _, source := range slices.Sorted(maps.Keys(sources)) {
		if like(source) == like(name) && bytes.Equal(sources[source], content) {
			return source
		}
	}
	return ""
}

// readSources returns the files below root, including the targets of links to files.
func readSources(root string) (map[string][]byte, error) {
	sources := map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil // a broken link, or a link to a folder
		}
		name, err := filepath.Rel(root, path)
		sources[filepath.ToSlash(name)] = content
		return err
	})
	return sources, err
}

func recordContent(name string, content []byte) txtar.File {
	archive := txtar.Archive{Files: []txtar.File{{Name: "x", Data: content}}}
	again := txtar.Parse(txtar.Format(&archive))
	if utf8.Valid(content) && !bytes.ContainsAny(content, "\r\x00\ufeff") && len(again.Files) == 1 && bytes.Equal(again.Files[0].Data, content) {
		return txtar.File{Name: name, Data: content}
	}
	quoted := quotedLines(slices.Collect(strings.Lines(string(content))))
	return txtar.File{Name: "quoted/" + strings.TrimPrefix(name, "entry/"), Data: []byte(quoted)}
}

func lines(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return strings.Join(all, "\n") + "\n"
}

func quotedLines(all []string) string {
	var b strings.Builder
	for _, s := range all {
		b.WriteString(strconv.Quote(s) + "\n")
	}
	return b.String()
}

// parseRecord is the reverse of record.
func parseRecord(files []txtar.File, root string, base []txtar.File) (*result, error) {
	r := &result{}
	recorded := map[string][]byte{}
	for _, f := range base {
		recorded["base/"+f.Name] = f.Data
	}
	for _, f := range files {
		recorded[f.Name] = f.Data
	}
	text := func(name string) string { return strings.TrimSuffix(string(recorded[name]), "\n") }
	r.listFail, r.fail = text("list-error"), text("error")
	for line := range strings.Lines(string(recorded["list"])) {
		r.list = append(r.list, strings.TrimSuffix(line, "\n"))
	}
	warnings, err := unquoteLines(recorded["warnings"])
	if err != nil {
		return nil, fmt.Errorf("warnings: %w", err)
	}
	r.warnings = warnings
	if index, ok := recorded["entries"]; ok {
		r.entries, err = parseEntries(string(index), recorded, root)
	}
	return r, err
}

// complete reports whether r has results of listing and of packing.
func (r *result) complete() bool {
	return (len(r.list) > 0 || r.listFail != "") && (r.entries != nil || r.fail != "")
}

func parseEntries(index string, recorded map[string][]byte, root string) (map[string]entry, error) {
	entries := map[string]entry{}
	for line := range strings.Lines(index) {
		kind, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		name, source, given := strings.Cut(rest, " <- ")
		if !given {
			source = strings.TrimPrefix(name, "extension/")
		}
		content, err := recordedContent(recorded, name, source, root)
		if err != nil {
			return nil, fmt.Errorf("entry %q: %w", name, err)
		}
		entries[name] = entry{kind == "exec", content}
	}
	return entries, nil
}

func recordedContent(recorded map[string][]byte, name, source, root string) ([]byte, error) {
	if source == "base" {
		name = "base/" + name
	}
	if quoted, ok := recorded["quoted/"+name]; ok {
		all, err := unquoteLines(quoted)
		return []byte(strings.Join(all, "")), err
	}
	if document, ok := recorded[name]; ok {
		return document, nil
	}
	if source == "entry/" {
		return recorded["entry/"+name], nil
	}
	return os.ReadFile(filepath.Join(root, filepath.FromSlash(source)))
}

func unquoteLines(text []byte) (all []string, err error) {
	for line := range strings.Lines(string(text)) {
		s, err := strconv.Unquote(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
		all = append(all, s)
	}
	return all, nil
}
