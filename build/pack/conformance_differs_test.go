package pack_test

import (
	"maps"
	"slices"
	"testing"

	"golang.org/x/tools/txtar"
)

// merge returns the expected result: that of vsce, except for the parts that differ on
// purpose. The parts are
//
//	list      the listed files, or the failure to list
//	package   the whole package, or the failure to pack
//	entries   names, contents and permissions, except of the documents
//	manifest  extension.vsixmanifest
//	types     [Content_Types].xml
//	warnings  the number of warnings
func (f *folder) merge(want *result, root string) (*result, error) {
	ours, err := parseRecord(f.ours, root, f.base)
	if err != nil {
		return nil, err
	}
	merged := *want
	if _, ok := f.differs[partPackage]; ok {
		merged = *ours
		merged.list, merged.listFail = want.list, want.listFail
	}
	merged.entries = maps.Clone(merged.entries)
	for _, part := range []string{partList, partWarnings, partEntries, partManifest, partTypes} {
		if _, ok := f.differs[part]; !ok {
			continue
		}
		switch part {
		case partList:
			merged.list, merged.listFail = ours.list, ours.listFail
		case partWarnings:
			merged.warnings = ours.warnings
		case partEntries:
			merged.entries = maps.Clone(ours.entries)
			for _, name := range documents {
				merged.entries[name] = want.entries[name]
			}
		case partManifest:
			merged.entries[documents[0]] = entry{content: f.ourFile(documents[0])}
		case partTypes:
			merged.entries[documents[1]] = entry{content: f.ourFile(documents[1])}
		}
	}
	return &merged, nil
}

func (f *folder) ourFile(name string) []byte {
	for _, file := range f.ours {
		if file.Name == name {
			return file.Data
		}
	}
	return nil
}

// recordOurs writes the parts of a result that differ on purpose.
func (f *folder) recordOurs(t *testing.T, got *result, root string) {
	t.Helper()
	files, err := got.record(root, f.base)
	if err != nil {
		t.Fatal(err)
	}
	f.ours = slices.DeleteFunc(files, func(file txtar.File) bool { return !f.recordsOurs(file.Name) })
	if err := f.write(f.want, f.ours); err != nil {
		t.Fatal(err)
	}
}

// recordsOurs reports whether a file of a record belongs to a part that differs on purpose.
func (f *folder) recordsOurs(name string) bool {
	differs := func(part string) bool { _, ok := f.differs[part]; return ok }
	switch name {
	case "list", "list-error":
		return differs(partList)
	case "warnings":
		return differs(partWarnings) || differs(partPackage)
	case documents[0]:
		return differs(partManifest) || differs(partPackage) || differs(partEntries)
	case documents[1]:
		return differs(partTypes) || differs(partPackage) || differs(partEntries)
	case "error":
		return differs(partPackage)
	}
	return differs(partEntries) || differs(partPackage)
}
