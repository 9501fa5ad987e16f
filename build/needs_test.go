package build

import (
	"reflect"
	"testing"

	"galbuild/build/catalog"
)

// needing returns an extension of acme with versions that have these dependencies and packs,
// both as the comma-separated value of a property.
func needing(name string, needs ...[2]string) catalog.Extension {
	e := catalog.Extension{Publisher: catalog.Publisher{Name: "acme"}, Name: name}
	for i, n := range needs {
		e.Versions = append(e.Versions, catalog.Version{
			Version: string(rune('9'-i)) + ".0.0",
			Properties: []catalog.Property{
				{Key: "Microsoft.VisualStudio.Code.ExtensionDependencies", Value: n[0]},
				{Key: "Microsoft.VisualStudio.Code.ExtensionPack", Value: n[1]},
			},
		})
	}
	return e
}

// TestMissing reports what the newest version of an extension needs.
func TestMissing(t *testing.T) {
	for name, tt := range map[string]struct {
		extensions []catalog.Extension
		want       []Missing
	}{
		"nothing":        {[]catalog.Extension{needing("a", [2]string{"", ""})}, []Missing{}},
		"dependency":     {[]catalog.Extension{needing("a", [2]string{"Other.Thing", ""})}, []Missing{{"acme.a", "9.0.0", "other.thing", "dependency"}}},
		"pack member":    {[]catalog.Extension{needing("a", [2]string{"", "other.b, other.a"})}, []Missing{{"acme.a", "9.0.0", "other.a", "pack member"}, {"acme.a", "9.0.0", "other.b", "pack member"}}},
		"both":           {[]catalog.Extension{needing("a", [2]string{"other.a", "other.a"})}, []Missing{{"acme.a", "9.0.0", "other.a", "dependency"}}},
		"in the gallery": {[]catalog.Extension{needing("a", [2]string{"Acme.B", ""}), needing("b", [2]string{"", ""})}, []Missing{}},
		"in the editor":  {[]catalog.Extension{needing("a", [2]string{"vscode.git,ms-vscode.js-debug", ""})}, []Missing{}},
		"older version":  {[]catalog.Extension{needing("a", [2]string{"", ""}, [2]string{"other.a", ""})}, []Missing{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := missing(&catalog.Catalog{Extensions: tt.extensions}); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
