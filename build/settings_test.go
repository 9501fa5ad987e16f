package build

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"galbuild/build/blob"
	"galbuild/build/catalog"
)

// TestSettings changes one field after the other, and checks that it stays, is replaced, and is
// dropped by its name. A field that is added to the settings fails until it does.
func TestSettings(t *testing.T) {
	all := catalog.Settings{
		Render: 1, BaseURL: "https://a.example", ContentURL: "https://b.example", Unpack: "all", Sign: "empty",
		Featured: []string{"acme.a"}, Control: json.RawMessage("{}"), Policy: "{}", NoPages: true, View: true,
		Companions: []catalog.Companion{{Path: "cli/code.tar.gz", SHA256: blob.Sum(nil)}},
	}
	names := map[string]string{"BaseURL": "base-url", "ContentURL": "content-url", "Sign": "sign", "Featured": "featured", "Control": "control", "Policy": "policy", "NoPages": "no-pages", "View": "view", "Companions": "with"}
	fields := reflect.TypeFor[catalog.Settings]()
	for i := range fields.NumField() {
		field := fields.Field(i).Name
		var one, others catalog.Settings
		others = all
		reflect.ValueOf(&one).Elem().Field(i).Set(reflect.ValueOf(all).Field(i))
		reflect.ValueOf(&others).Elem().Field(i).SetZero()
		if got := Over(one, others); !reflect.DeepEqual(got, Over(catalog.Settings{Render: one.Render}, all)) {
			t.Errorf("%s is not taken: %+v", field, got)
		}
		if field == "Render" {
			continue
		}
		if got := Over(catalog.Settings{Render: 1}, all); !reflect.DeepEqual(got, all) {
			t.Errorf("%s does not stay: %+v", field, got)
		}
		if field == "Unpack" { // has always a value
			continue
		}
		name := names[field]
		if got := Drop(all, []string{name}); !reflect.DeepEqual(got, others) {
			t.Errorf("%s is not dropped as %q: %+v", field, name, got)
		}
		if got := Changed(all, others); !slices.Equal(got, []string{name}) {
			t.Errorf("without %s, %q is changed", field, got)
		}
		if got := Dropped(all, others); !slices.Equal(got, []string{name}) {
			t.Errorf("without %s, %q is dropped", field, got)
		}
	}
	if got := Dropped(catalog.Settings{}, catalog.Settings{}); len(got) > 0 {
		t.Errorf("%q is dropped without having been there", got)
	}
}

func TestCheckOrigins(t *testing.T) {
	c := Config{Settings: catalog.Settings{ContentURL: "https://a.example/files"}}
	if err := c.keepSettings(catalog.Settings{BaseURL: "https://a.example/gallery"}); err == nil {
		t.Error("a content URL with the host of the base URL of the site is accepted")
	}
	c = Config{Settings: catalog.Settings{ContentURL: "https://b.example"}}
	if err := c.keepSettings(catalog.Settings{BaseURL: "https://a.example/gallery"}); err != nil || c.Settings.BaseURL == "" || c.Settings.Unpack != "web" {
		t.Errorf("%+v, %v", c.Settings, err)
	}
}
