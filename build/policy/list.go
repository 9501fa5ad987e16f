package policy

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tailscale/hujson"

	"galbuild/build/catalog"
	"galbuild/build/jsonc"
	"galbuild/build/jsondoc"
)

// readLists adds what the lists deny, and the ratings. It returns those that are not included in
// the document, or nil if all are.
func (r *reader) readLists(read func(path string) ([]byte, error)) map[string]any {
	included := r.includedLists()
	if included != nil || len(r.denyLists) == 0 && r.ratings == nil {
		read = func(string) ([]byte, error) {
			return nil, errors.New(`the list is not among those of the key "lists"; delete that key, so that the lists are read from their files again`)
		}
	}
	added := make(map[string]any)
	for _, f := range r.denyLists {
		path, ok := r.String(f, "the path of a list")
		if !ok {
			continue
		}
		var entries map[string]int
		if list, ok := included[path]; ok {
			entries = r.entries(list)
		} else if entries, ok = r.readList(f, path, read); ok {
			added[path] = entries
		} else {
			continue
		}
		delete(included, path)
		r.denyAll(f, path, entries)
	}
	r.readRatings(included, added, read)
	for _, path := range slices.Sorted(maps.Keys(included)) {
		r.Problem(*r.lists, "%.100q is neither among denyLists nor the file of ratings", path)
	}
	if len(added) == 0 {
		return nil
	}
	return added
}

// includedLists returns the members of the key "lists" by their paths, or nil if there is none.
func (r *reader) includedLists() map[string]jsonc.Field {
	if r.lists == nil {
		return nil
	}
	all := make(map[string]jsonc.Field)
	for _, list := range r.Members(*r.lists) {
		all[list.Name] = list
	}
	return all
}

// entries returns the entries of an included list, with their lines.
func (r *reader) entries(list jsonc.Field) map[string]int {
	entries := make(map[string]int)
	for _, x := range r.Members(list) {
		entries[x.Name] = r.Count(x)
	}
	return entries
}

func (r *reader) readList(f jsonc.Field, path string, read func(path string) ([]byte, error)) (map[string]int, bool) {
	text, err := read(path)
	if err != nil {
		r.Problem(f, "%s: %v", path, err)
		return nil, false
	}
	entries, err := parseList(text)
	if err != nil {
		r.Problem(f, "%s%v", path, err)
		return nil, false
	}
	return entries, true
}

// denyAll denies the entries of a list.
func (r *reader) denyAll(f jsonc.Field, path string, entries map[string]int) {
	for _, subject := range slices.Sorted(maps.Keys(entries)) {
		x := denial{subject: subject, line: f.Line, list: path, listLine: entries[subject]}
		if err := r.policy.deny.add(x); err != nil {
			r.Problem(f, "%s:%d: %v", path, x.listLine, err)
		}
	}
}

// parseList returns the entries of a list, each with its first line. A list has one of three
// formats:
//
//   - text: one entry on each line, as in deny; # begins a comment
//   - a table in Markdown, as Microsoft's RemovedPackages.md: the first cell of each row
//   - JSON: a control manifest with "malicious", or a list of ids
//
// The error begins with a colon, and the line if it is known.
func parseList(text []byte) (map[string]int, error) {
	if i := jsonc.InvalidUTF8(text); i >= 0 {
		return nil, fmt.Errorf(":%d: is not UTF-8", bytes.Count(text[:i], []byte("\n"))+1)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	trimmed := bytes.TrimSpace(text)
	switch {
	case len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '['):
		return parseJSONList(text)
	case len(trimmed) > 0 && trimmed[0] == '|', bytes.Contains(text, []byte("\n|")):
		return parseTable(string(text))
	}
	entries := make(map[string]int)
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		entry, _, _ := strings.Cut(line, "#")
		add(entries, strings.TrimSpace(entry), number)
	}
	return entries, check(entries)
}

// add adds an entry that is not empty, with its first line.
func add(entries map[string]int, entry string, line int) {
	if _, known := entries[entry]; !known && entry != "" {
		entries[entry] = line
	}
}

// check returns an error for the first entry that cannot be in deny.
func check(entries map[string]int) error {
	var all denyRule
	first, reason := 0, error(nil)
	for entry, line := range entries {
		if err := all.add(denial{subject: entry}); err != nil && (first == 0 || line < first) {
			first, reason = line, err
		}
	}
	if first > 0 {
		return fmt.Errorf(":%d: %w", first, reason)
	}
	return nil
}

// parseTable returns the first cell of each row below the row of dashes. Any later cell that is the
// id of an extension counts too, because Microsoft's table has two rows on one line.
func parseTable(text string) (map[string]int, error) {
	entries := make(map[string]int)
	number, inTable := 0, false
	for line := range strings.Lines(text) {
		number++
		row, ok := strings.CutPrefix(strings.TrimSpace(line), "|")
		switch {
		case !ok:
			inTable = false
		case !inTable:
			inTable = strings.Trim(row, "|-: ") == ""
		default:
			for i, cell := range strings.Split(row, "|") {
				cell = strings.Trim(cell, " \t`")
				if i == 0 || isExtension(cell) {
					add(entries, cell, number)
				}
			}
		}
	}
	if len(entries) == 0 {
		return nil, errors.New(": the table has no row below its row of dashes")
	}
	return entries, check(entries)
}

func isExtension(s string) bool {
	publisher, name, ok := strings.Cut(s, ".")
	return ok && catalog.CheckID(publisher, name) == nil
}

// parseJSONList returns the strings of a list, or those of the member "malicious" of an object.
func parseJSONList(text []byte) (map[string]int, error) {
	d, list, err := jsonc.NewReader("", text)
	if err != nil {
		return nil, err
	}
	if list.Value.Value.Kind() == '{' {
		malicious := list.Value.Find("/malicious")
		if malicious == nil {
			return nil, errors.New(`: want a list of ids, or an object with the key "malicious"`)
		}
		list = jsonc.Field{Value: *malicious, Line: d.Line(malicious.StartOffset)}
	}
	entries := make(map[string]int)
	for _, x := range d.Elements(list) {
		if s, ok := d.String(x, "the id of an extension"); ok {
			add(entries, s, x.Line)
		}
	}
	if err := d.Err(); err != nil {
		return nil, err
	}
	return entries, check(entries)
}

// include returns a policy with the members "lists" and "files", unless they are nil. Each is on a
// line of its own before the last bracket.
func include(text []byte, root hujson.Value, lists map[string]any, files map[string]string) []byte {
	end := root.EndOffset - 1
	added := text[:end:end]
	object := root.Value.(*hujson.Object)                                                             // newReader has checked it
	comma := len(object.Members) > 0 && object.Members[len(object.Members)-1].Value.AfterExtra == nil // hujson marks a comma after the last member
	add := func(name string, value any) {
		added = append(added, '\n')
		if comma {
			added = append(added, ',')
		}
		line, _ := jsondoc.Line(value) // maps with texts and numbers can be encoded
		added = append(added, ` "`+name+`": `+strings.TrimSpace(string(line))...)
		comma = true
	}
	if lists != nil {
		add("lists", lists)
	}
	if files != nil {
		add("files", files)
	}
	if len(added) == end {
		return text
	}
	return slices.Concat(added, []byte("\n"), text[end:])
}
