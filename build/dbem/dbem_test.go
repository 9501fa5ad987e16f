package dbem_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"galbuild/build/dbem"
)

// TestParse reads a list that dbem has written, and the sample of dbox-repo, whose dates are
// days. Format must write all that Parse has read.
func TestParse(t *testing.T) {
	for file, want := range map[string]string{
		"testdata/dbem.json":      "DTeam-Top.hello-world 0.0.2 2020-03-30T08:15:42Z 2020-04-02T10:20:30Z",
		"testdata/dbox-repo.json": "dteam.my-ext 0.0.1 2020-02-28T00:00:00Z 2020-02-29T00:00:00Z",
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := dbem.Parse(append([]byte("\xef\xbb\xbf"), text...))
		if err != nil || len(entries) != 2 {
			t.Fatalf("%s: %d entries, %v", file, len(entries), err)
		}
		e := entries[0]
		created, err := dbem.ParseDate(e.DateCreated)
		if err != nil {
			t.Error(err)
		}
		updated, err := dbem.ParseDate(e.LastUpdate)
		if err != nil {
			t.Error(err)
		}
		got := strings.Join([]string{e.ExtID, e.CurrentVersion, created.Format(time.RFC3339), updated.Format(time.RFC3339)}, " ")
		if got != want {
			t.Errorf("%s: got %s, want %s", file, got, want)
		}
		again, err := dbem.Format(entries)
		if err != nil || compact(t, again) != compact(t, text) {
			t.Errorf("%s: Format returns %s, %v", file, again, err)
		}
	}
}

func compact(t *testing.T, text []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestParseDate(t *testing.T) {
	if _, err := dbem.ParseDate("yesterday"); err == nil || !strings.Contains(err.Error(), `"yesterday": want a date`) {
		t.Errorf("got %v", err)
	}
}

func TestFormat(t *testing.T) {
	got, err := dbem.Format([]dbem.Entry{{
		ExtID: "acme.hello", CurrentVersion: "1.0.0", Describe: "<b> & “c”",
		DateCreated: dbem.FormatDate(time.Unix(1_600_000_000, 0)), LastUpdate: "2020-02-29",
	}})
	want := "[\n" + `{"extId":"acme.hello","currentVersion":"1.0.0","icon":"","describe":"<b> & “c”","dateCreated":"2020-09-13T12:26:40.000Z","lastUpdate":"2020-02-29"}` + "\n]\n"
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
	if got, err := dbem.Format(nil); err != nil || string(got) != "[]\n" {
		t.Errorf("the empty list is %q, %v", got, err)
	}
}

func TestSplitPath(t *testing.T) {
	for path, want := range map[string]string{
		"hello/1.0.0/hello-1.0.0.vsix":   "hello 1.0.0 true",
		"a/hello/1.0.0/hello-1.0.0.vsix": "false",
		"hello/1.0.0/hello-1.0.1.vsix":   "false",
		"hello/1.0.0/README.md":          "false",
		"//-.vsix":                       "false",
		"hello/../hello-...vsix":         "false",
		"metadatas":                      "false",
	} {
		name, version, ok := dbem.SplitPath(path)
		got := "false"
		if ok {
			got = name + " " + version + " true"
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestParseInvalid(t *testing.T) {
	for text, want := range map[string]string{
		`[1,2,3]`:                          "entry 1: want an object, found 1",
		`[null]`:                           "entry 1: want an object, found null",
		`null`:                             "want a list of extensions",
		`{"extId":"a.b"}`:                  "want a list of extensions, found {",
		`[{"extId":"a.b"},{"extId":1}]`:    "entry 2: ",
		``:                                 "is empty",
		`[{"extId":"acme.hello"},{}]`:      "entry 2: extId: publisher is missing",
		`[{"extId":"acme./../x"}]`:         "entry 1: extId: name",
		`[{"extId":"acme.hello"}] x`:       "unexpected text after the list",
		`[{"extId":"acme.hello"}`:          "is not complete JSON",
		`[{"extId":"acme.hello","icon":1}`: "entry 1",
	} {
		if _, err := dbem.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// FuzzParse looks for a list that is accepted but cannot be written and read again.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`[{"extId": "acme.hello", "currentVersion": "1.1.0", "icon": "data:image/png;base64,AAAA", "describe": "Says hello", "dateCreated": "2020-02-28T09:30:00.000Z", "lastUpdate": "2020-02-29"}]`,
		"[]", "[1,2,3]", "[null]", "null", `[{"extId":"acme.hello","more":[[[]]]}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		entries, err := dbem.Parse(text)
		if err != nil {
			return
		}
		written, err := dbem.Format(entries)
		if err != nil {
			t.Fatal(err)
		}
		again, err := dbem.Parse(written)
		if err != nil || len(again) != len(entries) {
			t.Fatalf("%s: %v", written, err)
		}
		for i := range again {
			if again[i].Key() != entries[i].Key() || again[i].CurrentVersion != entries[i].CurrentVersion {
				t.Errorf("%v becomes %v", entries[i], again[i])
			}
			if path := dbem.PackagePath(again[i].Folder(), "1.0.0"); !fs.ValidPath(path) {
				t.Errorf("path %q", path)
			}
		}
	})
}
