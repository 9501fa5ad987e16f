package galbuild

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestReadmeNamesKeys finds every key of a bucket and every flag for one in the README,
// and can read its example.
func TestReadmeNamesKeys(t *testing.T) {
	b, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(b)
	for _, kind := range []string{"s3", "oss", "dropbox", "artifactory", "folder"} {
		for key := range (&backend{Kind: kind}).keys() {
			if !strings.Contains(readme, "`"+key+"`") && !strings.Contains(readme, `"`+key+`"`) && key != "prefix" {
				t.Errorf("the README does not name %s of %s", key, kind)
			}
		}
	}
	flags := reflect.TypeFor[s3Flags]()
	for i := range flags.NumField() {
		if name := "`--" + flags.Field(i).Tag.Get("name"); !strings.Contains(readme, name) {
			t.Errorf("the README does not name %s", name)
		}
	}
	_, example, _ := strings.Cut(readme, "```json\n{\"backends\"")
	example, _, found := strings.Cut(`{"backends"`+example, "```")
	if !found {
		t.Fatal("the README has no example of a config file")
	}
	for _, name := range []string{"s3", "mirror", "oss", "dropbox", "artifactory", "folder"} {
		if _, err := parseBackend([]byte(example), name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
