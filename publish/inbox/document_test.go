package inbox

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
)

var clock = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newKey(t testing.TB) (minisign.PublicKey, minisign.PrivateKey) {
	t.Helper()
	public, secret, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return public, secret
}

// TestParseKey checks which keys belong to submissions.
func TestParseKey(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	for key, want := range map[string]bool{
		"inbox/acme/" + hash + ".vsix":                  true,
		"inbox/a_b-1/" + hash + ".json":                 true,
		"inbox/Acme/" + hash + ".vsix":                  false,
		"inbox/acme/" + strings.ToUpper(hash) + ".vsix": false,
		"inbox/acme/" + hash + ".VSIX":                  false,
		"inbox/acme/" + hash + ".sigzip":                false,
		"inbox/acme/" + hash:                            false,
		"inbox/acme/" + hash[2:] + ".vsix":              false,
		"inbox/acme/x/" + hash + ".vsix":                false,
		"inbox//" + hash + ".vsix":                      false,
		"inbox/" + hash + ".vsix":                       false,
		"inbox/../" + hash + ".vsix":                    false,
		"inbox/a\x1b[2J/" + hash + ".vsix":              false,
		"inbox/a\\b/" + hash + ".vsix":                  false,
		"index/acme/" + hash + ".vsix":                  false,
	} {
		n, suffix, err := parseKey(key)
		if (err == nil) != want || want && (n.SHA256.String() != hash || !strings.HasSuffix(key, suffix)) {
			t.Errorf("%q: got %+v, %q, %v", key, n, suffix, err)
		}
	}
}

// TestDocument changes parts of a valid document, each of which makes it invalid.
func TestDocument(t *testing.T) {
	_, secret := newKey(t)
	n := Name{"acme", blob.Sum([]byte("package"))}
	sealed := func(change func(*catalog.Record)) func(*Document) {
		return func(d *Document) {
			r := *d.record()
			change(&r)
			if err := decision.Seal(&r, &secret); err != nil {
				t.Fatal(err)
			}
			d.Public, d.Private = &r, r.Private
		}
	}
	for name, test := range map[string]struct {
		change func(*Document)
		want   string
	}{
		"valid":             {func(*Document) {}, ""},
		"no record":         {func(d *Document) { d.Public = nil }, "want the keys public and private"},
		"no private part":   {func(d *Document) { d.Private = nil }, "want the keys public and private"},
		"size":              {func(d *Document) { d.Size = 0 }, "size: want a number of bytes"},
		"no version":        {func(d *Document) { d.Package = "acme.notes" }, "want publisher.name@version"},
		"upper case":        {func(d *Document) { d.Package = "Acme.notes@1.0.0" }, "in lower case"},
		"other publisher":   {func(d *Document) { d.Package = "globex.notes@1.0.0" }, "is not of the publisher acme"},
		"control character": {func(d *Document) { d.Package = "acme.\x1b@1.0.0" }, "package: "},
		"changed note":      {func(d *Document) { d.Private.Reason = "other" }, "was changed"},
		"changed public":    {func(d *Document) { d.Public.When = clock.Add(time.Hour) }, "was changed"},
		"another package":   {sealed(func(r *catalog.Record) { r.Subject.SHA256 = blob.Sum(nil) }), "the name is about the package"},
		"approval":          {sealed(func(r *catalog.Record) { r.Kind = decision.Approved }), "want a record of the kind submitted"},
		"block":             {sealed(func(r *catalog.Record) { r.Kind = decision.Blocked }), "want a record of the kind submitted"},
		"counter":           {sealed(func(r *catalog.Record) { r.Counter = 1 << 40 }), "with the counter 1"},
		"other keys":        {sealed(func(r *catalog.Record) { r.Scanner = "x" }), "keys that a submission does not have"},
		"unsigned":          {func(d *Document) { d.Public.Signature = "" }, "is not signed"},
	} {
		d, err := NewDocument(n, "acme.notes@1.0.0", 7, decision.Author{By: "alice", Reason: "note", When: clock}, &secret)
		if err != nil {
			t.Fatal(err)
		}
		test.change(d)
		text, err := d.Encode()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		d, err = Decode(text)
		if err == nil {
			err = d.check(n)
		}
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

// TestDecode checks what is not a document at all.
func TestDecode(t *testing.T) {
	for text, want := range map[string]string{
		``:                          "",
		`[]`:                        "",
		`{"format": 2}`:             "format 2: this program knows only format 1",
		`{"format": 1, "extra": 1}`: "extra",
		`{"format": 1, "package": "` + strings.Repeat("x", maxDocument) + `"}`: "more than the limit",
		`{"format": 1} {}`: "",
	} {
		if _, err := Decode([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %q", text, err, want)
		}
	}
}

// FuzzDecode checks that no document panics, and that one that is accepted stays the same.
func FuzzDecode(f *testing.F) {
	_, secret := newKey(f)
	n := Name{"acme", blob.Sum([]byte("package"))}
	d, err := NewDocument(n, "acme.notes@1.0.0", 7, decision.Author{By: "alice", When: clock}, &secret)
	if err != nil {
		f.Fatal(err)
	}
	d.Result = &Result{State: Waiting, Reason: "young", When: clock, Until: clock}
	text, _ := d.Encode()
	for _, seed := range []string{string(text), `{"format":1,"result":{"state":"refused","reason":"x","when":"2026-01-01T00:00:00Z"}}`, `{"format":1,"public":{},"private":{}}`, `{"format":1,"public":null}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Decode(text)
		if err != nil {
			return
		}
		d.Result.isFinal()
		if d.check(n) != nil {
			return
		}
		encoded, err := d.Encode()
		if err != nil {
			t.Fatalf("%v: %q", err, text)
		}
		again, err := Decode(encoded)
		if err != nil || again.check(n) != nil {
			t.Fatalf("%v: %q", err, encoded)
		}
		if second, _ := again.Encode(); !bytes.Equal(encoded, second) {
			t.Errorf("%q becomes %q", encoded, second)
		}
	})
}
