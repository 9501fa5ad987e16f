package catalog

import (
	"maps"
	"reflect"
	"slices"
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

// notShared are the texts of a version that an Interner leaves alone, because they are different in
// most versions.
var notShared = []string{
	"Version.Publisher", "Version.Name", "Version.Version", "Version.DisplayName", "Version.Description",
	"Version.Package.Path", "Version.Assets.File.Path", "Version.Files.Path",
	"Version.Sidecar.ExtensionID", "Version.Sidecar.Publisher.PublisherID", "Version.Sidecar.Publisher.DisplayName",
	"Version.Sidecar.Publisher.Domain",
}

// TestInternerCoversAllTexts fails for a new text in Version: either the Interner shares it, or
// notShared names it. Otherwise a large gallery would need more memory, and no test would notice.
func TestInternerCoversAllTexts(t *testing.T) {
	var first, second Version
	in := NewInterner()
	texts, copies := fill(t, "Version", reflect.ValueOf(&first).Elem()), fill(t, "Version", reflect.ValueOf(&second).Elem())
	in.Version(&first)
	in.Version(&second)
	var unshared []string
	for name, text := range texts {
		if unsafe.StringData(text()) != unsafe.StringData(copies[name]()) {
			unshared = append(unshared, name)
		}
		if text() != "x" || copies[name]() != "x" {
			t.Errorf("%s became %q and %q", name, text(), copies[name]())
		}
	}
	slices.Sort(unshared)
	if want := slices.Sorted(slices.Values(notShared)); !slices.Equal(unshared, want) {
		t.Errorf("texts that are not shared: %q, want %q", unshared, want)
	}
}

// fill sets every text of v to a copy of "x", and returns functions that read them.
func fill(t *testing.T, name string, v reflect.Value) map[string]func() string {
	t.Helper()
	texts := make(map[string]func() string)
	switch v.Kind() {
	case reflect.String:
		v.SetString(strings.Clone("x"))
		texts[name] = v.String
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return fill(t, name, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		return fill(t, name, v.Index(0))
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				maps.Copy(texts, fill(t, name+"."+f.Name, v.Field(i)))
			}
		}
	}
	return texts
}
