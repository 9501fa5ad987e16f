package catalog

import (
	"reflect"
	"strings"
	"testing"
	"unsafe"
)

// fullVersion returns a version with a value in each field that an Interner may change. Two calls
// share no memory of texts.
func fullVersion() *Version {
	text := strings.Clone
	file := File{Path: text("extension/a.js"), Size: 1, Type: text("text/javascript; charset=utf-8")}
	return &Version{
		Publisher: text("acme"), Name: text("hello"), Version: text("1.0.0"), Platform: text("linux-x64"),
		DisplayName: text("Hello"), Description: text("Says hello"),
		Categories: []string{text("Other"), text("Themes")}, Tags: []string{text("a"), text("b")}, Contributed: []string{text("Say Hello")},
		Properties: []Property{{text("Microsoft.VisualStudio.Code.Engine"), text("^1.90.0")}, {text("x"), text(strings.Repeat("long", 10))}},
		Package:    file,
		Assets:     []Asset{{text("Microsoft.VisualStudio.Code.Manifest"), file}, {text(PackageAsset), File{Type: text("application/vsix")}}},
		Files:      []File{file},
	}
}

// TestInterner checks that versions keep their values, and share the memory of equal texts.
func TestInterner(t *testing.T) {
	in := NewInterner()
	first, second := fullVersion(), fullVersion()
	in.Version(first)
	in.Version(second)
	if want := fullVersion(); !reflect.DeepEqual(first, want) || !reflect.DeepEqual(second, want) {
		t.Errorf("the versions became %+v and %+v, want %+v", first, second, want)
	}
	for name, text := range map[string]func(*Version) string{
		"platform":     func(v *Version) string { return v.Platform },
		"category":     func(v *Version) string { return v.Categories[1] },
		"tag":          func(v *Version) string { return v.Tags[1] },
		"contribution": func(v *Version) string { return v.Contributed[0] },
		"key":          func(v *Version) string { return v.Properties[1].Key },
		"short value":  func(v *Version) string { return v.Properties[0].Value },
		"package type": func(v *Version) string { return v.Package.Type },
		"asset type":   func(v *Version) string { return v.Assets[0].Type },
		"type of file": func(v *Version) string { return v.Files[0].Type },
		"of an asset":  func(v *Version) string { return v.Assets[1].File.Type },
	} {
		if unsafe.StringData(text(first)) != unsafe.StringData(text(second)) {
			t.Errorf("%s: %q has two copies", name, text(first))
		}
	}
}
