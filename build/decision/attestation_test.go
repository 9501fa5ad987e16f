package decision

import (
	"crypto/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"
	json2 "github.com/go-json-experiment/json"

	"galbuild/build/blob"
	"galbuild/build/catalog"
)

func generateKey(t *testing.T) (minisign.PublicKey, *minisign.PrivateKey) {
	t.Helper()
	public, private, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return public, &private
}

// attest returns a record about a package, signed unless key is nil.
func attest(t *testing.T, r catalog.Record, key *minisign.PrivateKey) catalog.Record {
	t.Helper()
	r.Subject.SHA256 = blob.Sum([]byte("package"))
	if r.When.IsZero() {
		r.When = time.Unix(0, 0).UTC()
	}
	if r.Private == nil {
		r.Private = &catalog.Private{By: "alice"}
	}
	if err := Seal(&r, key); err != nil {
		t.Fatal(err)
	}
	return r
}

func approval(counter int64) catalog.Record { return catalog.Record{Kind: Approved, Counter: counter} }

// at returns a record that was made some days later than others.
func at(days int, r catalog.Record) catalog.Record {
	r.When = time.Unix(int64(days)*86_400, 0).UTC()
	return r
}

func scanned(result string, counter int64) catalog.Record {
	return catalog.Record{Kind: Verdict, Counter: counter, Scanner: "clamav", Result: result}
}

// TestAttestations checks which approvals and verdicts count.
func TestAttestations(t *testing.T) {
	alice, aliceSecret := generateKey(t)
	bob, bobSecret := generateKey(t)
	_, eveSecret := generateKey(t)
	keys := map[string]minisign.PublicKey{"alice": alice, "bob": bob}
	other := attest(t, approval(1), aliceSecret)
	changed := func(change func(*catalog.Record)) catalog.Record {
		r := other
		change(&r)
		return r
	}
	revocation := attest(t, catalog.Record{Kind: Revoked, Counter: 2}, nil)
	for name, test := range map[string]struct {
		records   []catalog.Record
		approvals []string
		verdict   string
	}{
		"nothing":       {nil, nil, ""},
		"unsigned":      {[]catalog.Record{attest(t, approval(1), nil)}, nil, ""},
		"unknown key":   {[]catalog.Record{attest(t, approval(1), eveSecret)}, nil, ""},
		"signed":        {[]catalog.Record{attest(t, approval(1), aliceSecret)}, []string{"alice"}, ""},
		"twice":         {[]catalog.Record{attest(t, approval(1), aliceSecret), attest(t, approval(2), aliceSecret)}, []string{"alice"}, ""},
		"two people":    {[]catalog.Record{attest(t, approval(1), bobSecret), attest(t, approval(1), aliceSecret)}, []string{"alice", "bob"}, ""},
		"subject":       {[]catalog.Record{changed(func(r *catalog.Record) { r.Kind = Verdict })}, nil, ""},
		"by":            {[]catalog.Record{changed(func(r *catalog.Record) { r.Private = &catalog.Private{By: "eve"} })}, nil, ""},
		"public part":   {[]catalog.Record{changed(func(r *catalog.Record) { r.Private = nil })}, []string{"alice"}, ""},
		"forged public": {[]catalog.Record{changed(func(r *catalog.Record) { r.Private, r.Counter = nil, 9 })}, nil, ""},
		"signature":     {[]catalog.Record{changed(func(r *catalog.Record) { r.Signature = "x" })}, nil, ""},
		"revoked":       {[]catalog.Record{attest(t, approval(2), aliceSecret), revocation}, nil, ""},
		"again":         {[]catalog.Record{attest(t, approval(3), aliceSecret), revocation}, []string{"alice"}, ""},
		// Records next to a package have counters that know nothing of those of a gallery.
		"revoked elsewhere": {[]catalog.Record{attest(t, at(1, approval(57)), aliceSecret), attest(t, at(2, catalog.Record{Kind: Revoked, Counter: 1}), nil)}, nil, ""},
		"again elsewhere":   {[]catalog.Record{attest(t, at(3, approval(57)), aliceSecret), attest(t, at(2, catalog.Record{Kind: Revoked, Counter: 1}), nil)}, []string{"alice"}, ""},
		"scanned elsewhere": {[]catalog.Record{attest(t, at(1, scanned(Clean, 9)), aliceSecret), attest(t, at(2, scanned(Found, 1)), bobSecret)}, nil, Found},
		"clean":             {[]catalog.Record{attest(t, scanned(Clean, 1), aliceSecret)}, nil, Clean},
		"unsigned scan":     {[]catalog.Record{attest(t, scanned(Clean, 1), nil)}, nil, ""},
		"found wins":        {[]catalog.Record{attest(t, scanned(Clean, 1), aliceSecret), attest(t, scanned(Found, 1), bobSecret), attest(t, scanned(Failed, 1), bobSecret)}, nil, Found},
		"scanned again":     {[]catalog.Record{attest(t, scanned(Found, 1), aliceSecret), attest(t, scanned(Clean, 2), aliceSecret)}, nil, Clean},
		"submitted":         {[]catalog.Record{attest(t, catalog.Record{Kind: Submitted, Counter: 1}, aliceSecret)}, nil, ""},
		"later program":     {[]catalog.Record{attest(t, scanned("unsure", 1), aliceSecret), attest(t, scanned(Failed, 1), aliceSecret)}, nil, "unsure"},
	} {
		v := NewAttestations(Merge(test.records, nil), keys)
		if got := v.Approvals(blob.Sum([]byte("package"))); !slices.Equal(got, test.approvals) {
			t.Errorf("%s: approvals %q, want %q", name, got, test.approvals)
		}
		if got := v.Verdict(blob.Sum([]byte("package")), "clamav"); got != test.verdict {
			t.Errorf("%s: verdict %q, want %q", name, got, test.verdict)
		}
		if len(v.Approvals(blob.Sum(nil))) > 0 {
			t.Errorf("%s: another package is approved", name)
		}
	}
}

// TestSignature checks that minisign can verify a signature, that it is always the same, and that a
// record keeps it in JSON.
func TestSignature(t *testing.T) {
	public, secret := generateKey(t)
	r := attest(t, approval(1), secret)
	text, err := r.SignedText()
	if err != nil || !minisign.Verify(public, text, []byte(r.Signature)) {
		t.Errorf("%v, %q", err, r.Signature)
	}
	if !strings.HasPrefix(string(text), "galbuild record\n{\"counter\":1,\"id\":\"") || strings.Contains(string(text), "signature") {
		t.Errorf("%s", text)
	}
	if again := attest(t, approval(1), secret); again.ID != r.ID || again.Signature != r.Signature {
		t.Errorf("%+v", again)
	}
	encoded, _ := r.MarshalJSON()
	var read catalog.Record
	if err := json2.Unmarshal(encoded, &read); err != nil || read.Signature != r.Signature {
		t.Errorf("%v, %s", err, encoded)
	}
}

// TestMergeSigned checks that merging keeps the signature and the private part, whichever copy has
// them, and that the order does not matter.
func TestMergeSigned(t *testing.T) {
	_, secret := generateKey(t)
	_, other := generateKey(t)
	full := attest(t, approval(1), secret)
	unsigned, public, twice := full, full, full
	unsigned.Signature, public.Private = "", nil
	if err := sign(&twice, other); err != nil {
		t.Fatal(err)
	}
	copies := []catalog.Record{full, unsigned, public, twice}
	for _, a := range copies {
		for _, b := range copies {
			ab := Merge([]catalog.Record{a}, []catalog.Record{b})
			if ba := Merge([]catalog.Record{b}, []catalog.Record{a}); ab[0].Signature != ba[0].Signature || (ab[0].Private == nil) != (ba[0].Private == nil) {
				t.Error("not commutative")
			}
			if (ab[0].Private == nil) != (a.Private == nil && b.Private == nil) || (ab[0].Signature == "") != (a.Signature == "" && b.Signature == "") {
				t.Errorf("a part is lost: %+v", ab[0])
			}
			if !Includes(ab, []catalog.Record{a}) || !Includes(ab, []catalog.Record{b}) {
				t.Error("the union does not include both")
			}
			if Includes([]catalog.Record{a}, []catalog.Record{b}) != (ab[0].Signature == a.Signature && (ab[0].Private == nil) == (a.Private == nil)) {
				t.Error("Includes is wrong")
			}
		}
	}
}
