package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	json2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"galbuild/build/blob"
)

func sampleRecord(t *testing.T) Record {
	t.Helper()
	subject, err := ParseSubject("Acme.Notes@1.0.0-RC")
	if err != nil {
		t.Fatal(err)
	}
	r := Record{Kind: "removed", Subject: subject, Counter: 3, When: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Private: &Private{By: "alice", Reason: "licence <expired>"}}
	if r.ID, err = r.Identity(); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRecordOfLaterProgram checks that a record with a kind and keys that this program does not
// know stays as it is, in both parts, and keeps its identity.
func TestRecordOfLaterProgram(t *testing.T) {
	r := sampleRecord(t)
	r.Kind, r.Other = "approval", map[string]jsontext.Value{"scope": jsontext.Value(`{"b":1,"a":[]}`), "also": jsontext.Value(`"x"`)}
	r.Private.Other = map[string]jsontext.Value{"ticket": jsontext.Value(`17`)}
	known := r.ID
	var err error
	if r.ID, err = r.Identity(); err != nil || r.ID == known {
		t.Fatalf("identity %s, %v", r.ID, err)
	}
	public, err1 := json.Marshal(r)
	private, err2 := json.Marshal(r.Private)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if want := `{"id":"` + r.ID.String() + `","kind":"approval","subject":"acme.notes@1.0.0-rc","counter":3,"when":"2026-01-02T03:04:05Z","also":"x","scope":{"b":1,"a":[]}}`; string(public) != want {
		t.Errorf("public part\n%s, want\n%s", public, want)
	}
	got := Record{Private: new(Private)}
	if err := json2.Unmarshal(public, &got); err != nil {
		t.Fatal(err)
	}
	if err := json2.Unmarshal(private, got.Private); err != nil {
		t.Fatal(err)
	}
	if id, err := got.Identity(); err != nil || id != r.ID || got.Check() != nil {
		t.Errorf("identity %s, %v, check %v; want %s", id, err, got.Check(), r.ID)
	}
}

// TestIdentity checks that the identity depends on every part of a record.
func TestIdentity(t *testing.T) {
	base := sampleRecord(t)
	seen := map[blob.Ref]string{base.ID: "the record"}
	for name, change := range map[string]func(*Record){
		"kind":    func(r *Record) { r.Kind = "blocked" },
		"subject": func(r *Record) { r.Subject.Version = "1.0.1" },
		"counter": func(r *Record) { r.Counter++ },
		"when":    func(r *Record) { r.When = r.When.Add(time.Second) },
		"use":     func(r *Record) { r.Use = "acme.other" },
		"scanner": func(r *Record) { r.Scanner = "clamav" },
		"result":  func(r *Record) { r.Result = "clean" },
		"key":     func(r *Record) { r.Key = "0123456789ABCDEF" },
		"by":      func(r *Record) { r.Private = &Private{By: "bob", Reason: r.Private.Reason} },
		"reason":  func(r *Record) { r.Private = &Private{By: r.Private.By} },
		"other":   func(r *Record) { r.Other = map[string]jsontext.Value{"x": jsontext.Value("1")} },
	} {
		r := base
		change(&r)
		id, err := r.Identity()
		if other, ok := seen[id]; ok || err != nil {
			t.Errorf("%s: identity of %s, %v", name, other, err)
		}
		seen[id] = name
	}
	moved := base
	moved.ID, moved.Signature = blob.Sum(nil), "signed"
	if id, _ := moved.Identity(); id != base.ID {
		t.Error("the identity depends on the id or the signature")
	}
}

func TestRecordCheck(t *testing.T) {
	for want, change := range map[string]func(*Record){
		"id is missing":      func(r *Record) { r.ID = blob.Ref{} },
		"kind":               func(r *Record) { r.Kind = "Removed" },
		"subject is missing": func(r *Record) { r.Subject = Subject{} },
		"counter":            func(r *Record) { r.Counter = 0 },
		"counter: want":      func(r *Record) { r.Counter = maxCounter },
		"use":                func(r *Record) { r.Use = "Acme.Other" },
		"use: want":          func(r *Record) { r.Use = "acme.other@1.0.0" },
		"four digits":        func(r *Record) { r.When = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"by":                 func(r *Record) { r.Private = &Private{By: "a\x1b[2J"} },
		"reason":             func(r *Record) { r.Private = &Private{Reason: strings.Repeat("x", maxReason+1)} },
	} {
		r := sampleRecord(t)
		if err := r.Check(); err != nil {
			t.Fatal(err)
		}
		change(&r)
		if err := r.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestSubject(t *testing.T) {
	hash := strings.Repeat("0a", 32)
	for text, want := range map[string]string{
		"acme.notes":                      "acme.notes",
		"Acme.Notes@1.0.0-RC@Linux-X64":   "acme.notes@1.0.0-rc@linux-x64",
		"acme.notes@universal":            "acme.notes@universal",
		"SHA256:" + strings.ToUpper(hash): "sha256:" + hash,
	} {
		s, err := ParseSubject(text)
		if err != nil || s.String() != want {
			t.Errorf("%s: %q, %v, want %q", text, s, err, want)
		}
		var back Subject
		if err := back.UnmarshalText([]byte(want)); err != nil || back != s {
			t.Errorf("%s: %+v, %v", want, back, err)
		}
		if err := back.UnmarshalText([]byte(text)); (err == nil) != (text == want) {
			t.Errorf("%s is read as a subject: %v", text, err)
		}
	}
	for _, text := range []string{"", "notes", "sha256:12", "sha256:", "acme.notes@"} {
		if s, err := ParseSubject(text); err == nil {
			t.Errorf("%q is the subject %s", text, s)
		}
	}
}

// TestRecordsInCatalog checks that both parts of records are read as they were written, and that
// each half alone is valid too.
func TestRecordsInCatalog(t *testing.T) {
	first, second := sampleRecord(t), sampleRecord(t)
	second.Kind, second.Private = "blocked", &Private{By: "bob"}
	var err error
	if second.ID, err = second.Identity(); err != nil {
		t.Fatal(err)
	}
	c := &Catalog{Records: []Record{first, second}}
	slices.SortFunc(c.Records, func(a, b Record) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	var public, private bytes.Buffer
	if err := errors.Join(c.Write(&public), c.WritePrivate(&private, nil)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(public.String(), "alice") || strings.Contains(public.String(), "licence") || !strings.Contains(private.String(), "licence <expired>") {
		t.Errorf("public:\n%sprivate:\n%s", &public, &private)
	}
	got, err := Read(&public)
	if err != nil || got.HasPrivate() || len(got.Records) != 2 {
		t.Fatalf("without the private parts: %+v, %v", got, err)
	}
	text := private.String()
	if _, err := got.ReadPrivate(&private); err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("got %+v, %v", got, err)
	}
	lines := strings.SplitAfter(text, "\n")
	for want, bad := range map[string]string{
		"do not match its id":                      strings.Replace(text, "alice", "mallory", 1),
		"is not in the catalogue, or out of order": lines[1] + lines[0],
		"private file, line 2":                     lines[0] + lines[0],
		"unexpected EOF":                           text[:len(text)-4],
	} {
		if _, err := got.ReadPrivate(strings.NewReader(bad)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", bad, err, want)
		}
	}
}

// TestReadRecords has catalogues whose records are refused.
func TestReadRecords(t *testing.T) {
	r := sampleRecord(t)
	line, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	head := func(n int) string { return fmt.Sprintf(`{"galbuild":4,"records":%d,"render":1}`+"\n", n) }
	for text, want := range map[string]string{
		head(1): "catalogue line 2",
		head(2) + string(line) + "\n" + string(line) + "\n": "catalogue line 3: record " + r.ID.String() + " follows",
		head(-1): "records: want 0 to",
		head(1) + strings.Replace(string(line), "acme.notes", "Acme.notes", 1) + "\n":        "catalogue line 2",
		head(1) + strings.Replace(string(line), `"removed"`, `""`, 1) + "\n":                 "kind",
		head(0) + string(line) + "\n":                                                        "catalogue line 2",
		head(1) + strings.Replace(string(line), `"counter":3`, `"counter":"3"`, 1) + "\n":    "counter",
		head(1) + strings.Replace(string(line), `"counter":3`, `"counter":-3`, 1) + "\n":     "counter: want",
		head(1) + strings.Replace(string(line), r.ID.String(), r.ID.String()[:60], 1) + "\n": "catalogue line 2",
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
	if c, err := Read(strings.NewReader(head(1) + string(line) + "\n")); err != nil || len(c.Records) != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}
