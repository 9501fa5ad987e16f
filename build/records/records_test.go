package records

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
)

var pkg = blob.Sum([]byte("package"))

func approval(by string) catalog.Record {
	return catalog.Record{Kind: decision.Approved, When: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Private: &catalog.Private{By: by}}
}

// TestAppend writes records of two people, and reads them again.
func TestAppend(t *testing.T) {
	public, key, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	vsix := filepath.Join(t.TempDir(), "acme.hello-1.0.0.vsix")
	if all, err := ReadFile(vsix, pkg); len(all) > 0 || err != nil {
		t.Fatalf("without a file: %v, %v", all, err)
	}
	first, err := Append(vsix, pkg, approval("alice"), &key)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Append(vsix, pkg, approval("bob"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if first.Counter != 1 || second.Counter != 2 || second.Subject.SHA256 != pkg {
		t.Errorf("%+v, %+v", first, second)
	}
	all, err := ReadFile(vsix, pkg)
	if err != nil || !decision.Includes(all, []catalog.Record{first, second}) || len(all) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	keys := map[string]minisign.PublicKey{"a": public}
	if state, name := decision.Verify(&first, keys); state != decision.Valid || name != "a" {
		t.Errorf("the signature is %s of %q", state, name)
	}
	// What cannot be read is not replaced.
	if err := os.WriteFile(Path(vsix), []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Append(vsix, pkg, approval("alice"), nil); err == nil || !strings.Contains(err.Error(), `line 1: want the keys "public" and "private"`) {
		t.Errorf("got %v", err)
	}
}

// TestParse checks that each invalid line is an error, and that the others are read.
func TestParse(t *testing.T) {
	encode := func(change func(*catalog.Record)) string {
		r := approval("alice")
		r.Subject.SHA256, r.Counter = pkg, 1
		change(&r)
		if err := decision.Seal(&r, nil); err != nil {
			t.Fatal(err)
		}
		text, err := Encode([]catalog.Record{r})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	good := encode(func(*catalog.Record) {})
	for name, test := range map[string]struct {
		text, want string
		n          int // valid records
	}{
		"empty":             {"", "", 0},
		"good":              {good, "", 1},
		"twice":             {good + "\n" + good, "", 1},
		"without a newline": {strings.TrimSpace(good), "", 1},
		"not JSON":          {good + "approved\n", "line 2: ", 1},
		"another key":       {`{"public":{},"privat":{}}`, "line 1: ", 0},
		"public only":       {good[:strings.Index(good, `,"private"`)] + "}\n" + good, `line 1: want the keys "public" and "private"`, 1},
		"changed":           {strings.Replace(good, "alice", "eve", 1), "line 1: record ", 0},
		"other package":     {encode(func(r *catalog.Record) { r.Subject.SHA256 = blob.Sum(nil) }), "is about the package with SHA-256 e3b0c44298fc…, this one has ", 0},
		"a decision":        {encode(func(r *catalog.Record) { r.Kind = decision.Blocked }), "want a record of the kind approved, verdict, revoked or submitted about a hash, found blocked", 0},
		"a large counter":   {encode(func(r *catalog.Record) { r.Kind, r.Counter = decision.Revoked, 1<<53-1 }), "the counter 9007199254740991 is more than the limit of 4294967296", 0},
		"an id": {encode(func(r *catalog.Record) {
			r.Subject = catalog.Subject{ID: catalog.ID{Extension: "acme.hello", Version: "1.0.0"}}
		}), "found approved about acme.hello@1.0.0", 0},
	} {
		all, problems := Parse([]byte(test.text), pkg)
		text := ""
		for _, err := range problems {
			text += err.Error()
		}
		if len(all) != test.n || !strings.Contains(text, test.want) || (text == "") != (test.want == "") {
			t.Errorf("%s: got %d records and %q, want %d and %q", name, len(all), text, test.n, test.want)
		}
	}
}

// FuzzParse reads any bytes: what is read can be written and read again.
func FuzzParse(f *testing.F) {
	r := approval("alice")
	r.Subject.SHA256, r.Counter = pkg, 1
	if err := decision.Seal(&r, nil); err != nil {
		f.Fatal(err)
	}
	text, err := Encode([]catalog.Record{r})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("{\"public\":null,\"private\":{}}\n[]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		all, _ := Parse(text, pkg)
		encoded, err := Encode(all)
		if err != nil {
			t.Fatal(err)
		}
		if again, problems := Parse(encoded, pkg); len(problems) > 0 || !decision.Includes(again, all) {
			t.Errorf("%v", problems)
		}
	})
}
