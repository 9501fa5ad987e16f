package history_test

import (
	"errors"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"galbuild/build/blob"
	"galbuild/build/history"
)

var testTime = time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC)

// newEntry returns the n-th entry of a history, before it is appended.
func newEntry(n int, command string) history.Entry {
	e := history.Entry{
		When: testTime.Add(time.Duration(n) * time.Hour), Generation: fmt.Sprintf("%016x", n), Extensions: n, Versions: n, Command: command,
		Catalog: blob.Sum(fmt.Append(nil, "catalog", n)), Index: blob.Sum(fmt.Append(nil, "index", n)),
		Added: []history.Change{{Key: "acme.a@1.0.0", SHA256: blob.Sum(nil)}},
	}
	if n%2 == 0 {
		e.By, e.Reason, e.Private = "somebody", "because <this>", blob.Sum(nil)
		e.Sender = &history.Sender{History: blob.Sum(nil), Number: 3, Generation: "0123456789abcdef", When: testTime.Truncate(time.Second)}
	}
	return e
}

// newHistory returns a history of n entries. Entry number changed, if there is one, has another
// command.
func newHistory(t testing.TB, n, changed int) (all []*history.Entry) {
	t.Helper()
	var last *history.Entry
	for i := 1; i <= n; i++ {
		command := "build"
		if i == changed {
			command = "remove"
		}
		e, head, err := history.Append(last, newEntry(i, command))
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := history.ParseEntry(e.Text())
		if err != nil {
			t.Fatal(err)
		}
		if string(parsed.Text()) != string(e.Text()) || parsed.Head() != head || e.Head() != head {
			t.Fatalf("entry %d is not the same after it was parsed:\n%s", i, e.Text())
		}
		all, last = append(all, parsed), parsed
	}
	return all
}

func newKey(t testing.TB) (note.Signer, note.Verifier) {
	t.Helper()
	public, private, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := history.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := history.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

func sign(t testing.TB, h history.Head, signers ...note.Signer) history.Head {
	t.Helper()
	signed, err := h.Sign(signers...)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func sequence(entries []*history.Entry) iter.Seq2[*history.Entry, error] {
	return func(yield func(*history.Entry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// TestRoot compares the roots with those of package tlog.
func TestRoot(t *testing.T) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) (hashes []tlog.Hash, err error) {
		for _, i := range indexes {
			hashes = append(hashes, stored[i])
		}
		return hashes, nil
	})
	for i, e := range newHistory(t, 40, 0) {
		hashes, err := tlog.StoredHashes(int64(i), e.Text(), reader)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, hashes...)
		want, err := tlog.TreeHash(int64(i+1), reader)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Head().Root; got != want {
			t.Errorf("%d entries: root %s, want %s", i+1, got, want)
		}
	}
}

// TestText checks the texts that the package comment describes.
func TestText(t *testing.T) {
	entries := newHistory(t, 2, 0)
	first, second := entries[0].SHA256().String(), entries[1].SHA256().String()
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	wantEntry := `{"number":2,"previous":"` + first + `","history":"` + first + `","when":"2026-01-02T05:04:05Z","generation":"0000000000000002",` +
		`"catalog":"ca7f9fe1307481489f1fca39a47eede27829cea651138db789d13c4111ad8487",` +
		`"index":"89515c9e792505152e4f34e624dd0ec313836546ccb5a7293b1f4db32b717ea5","private":"` + empty + `",` +
		`"extensions":2,"versions":2,"command":"build","by":"somebody","reason":"because <this>",` +
		`"sender":{"history":"` + empty + `","number":3,"root":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",` +
		`"generation":"0123456789abcdef","when":"2026-01-02T03:04:05Z"},` +
		`"added":[{"version":"acme.a@1.0.0","sha256":"` + empty + `"}],"hashes":["BrgZ1UXroZyexqdwa3h8RocHmj96uzVjAHjHOSZXbkg="]}` + "\n"
	if got := string(entries[1].Text()); got != wantEntry {
		t.Errorf("entry:\n%s want\n%s", got, wantEntry)
	}
	wantHead := "galbuild/history/" + first + "\n2\nuQ3iptKzJfYm4mR7/gGQG7YtmaBZZAJPGDlb6EIqn40=\ngeneration 0000000000000002\n" +
		"catalog ca7f9fe1307481489f1fca39a47eede27829cea651138db789d13c4111ad8487\n" +
		"index 89515c9e792505152e4f34e624dd0ec313836546ccb5a7293b1f4db32b717ea5\nprivate " + empty + "\n" +
		"time 2026-01-02T05:04:05Z\nentry " + second + "\n"
	head := entries[1].Head()
	if got := string(head.File()); got != wantHead {
		t.Errorf("head:\n%s want\n%s", got, wantHead)
	}
	signer, _ := newKey(t)
	signature, ok := strings.CutPrefix(string(sign(t, head, signer).File()), wantHead)
	if !ok || !regexp.MustCompile(`^\n— minisign/[0-9A-F]{16} [A-Za-z0-9+/]{90,92}={0,2}\n$`).MatchString(signature) {
		t.Errorf("signature %q", signature)
	}
	if got, want := entries[1].Path(), "private/history/2-"+second[:16]+".json"; got != want {
		t.Errorf("path %s, want %s", got, want)
	}
	if got, want := history.HeadPath(2, blob.Sum(nil)), "index/history/2-e3b0c44298fc1c14.head"; got != want {
		t.Errorf("path %s, want %s", got, want)
	}
}

func TestSignatures(t *testing.T) {
	head := newHistory(t, 3, 0)[2].Head()
	signer, key := newKey(t)
	second, secondKey := newKey(t)
	_, stranger := newKey(t)
	for name, test := range map[string]struct {
		head history.Head
		keys []note.Verifier
		want error
	}{
		"unsigned":             {head, []note.Verifier{key}, history.ErrUnsigned},
		"signed":               {sign(t, head, signer), []note.Verifier{key}, nil},
		"one of two keys":      {sign(t, head, signer), []note.Verifier{stranger, key}, nil},
		"a key twice":          {sign(t, head, signer), []note.Verifier{key, key}, nil},
		"two signatures":       {sign(t, head, signer, second), []note.Verifier{secondKey}, nil},
		"signed again":         {sign(t, sign(t, head, signer), second), []note.Verifier{key}, history.ErrUntrusted},
		"signature taken away": {sign(t, sign(t, head, signer)), []note.Verifier{key}, history.ErrUnsigned},
		"another key":          {sign(t, head, signer), []note.Verifier{stranger}, history.ErrUntrusted},
		"no key":               {sign(t, head, signer), nil, history.ErrUntrusted},
	} {
		parsed, err := history.ParseHead(test.head.File())
		if err != nil || parsed != test.head || !parsed.Same(head) {
			t.Errorf("%s: parsed as %+v (%v)", name, parsed, err)
		}
		if err := parsed.Verify(test.keys...); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	if other := sign(t, head, second); !sign(t, head, signer).Same(other) {
		t.Error("the signature is a part of the state")
	}
	file := string(sign(t, head, signer).File())
	forged := strings.Replace(file, "\n3\n", "\n4\n", 1)
	parsed, err := history.ParseHead([]byte(forged))
	if err != nil || forged == file {
		t.Fatal(err)
	}
	if err := parsed.Verify(key); !errors.Is(err, history.ErrUntrusted) {
		t.Errorf("a changed head: %v", err)
	}
}

func TestParseHeadRefuses(t *testing.T) {
	signer, _ := newKey(t)
	entries := newHistory(t, 2, 0)
	plain, private, signed := string(entries[0].Head().File()), string(entries[1].Head().File()), string(sign(t, entries[1].Head(), signer).File())
	for name, text := range map[string]string{
		"empty":                "",
		"cut off":              plain[:len(plain)-1],
		"another line":         plain + "more\n",
		"a line is missing":    strings.Replace(private, "index ", "x ", 1),
		"number with a zero":   strings.Replace(plain, "\n1\n", "\n01\n", 1),
		"number 0":             strings.Replace(plain, "\n1\n", "\n0\n", 1),
		"number too large":     strings.Replace(plain, "\n1\n", "\n9999999999999999999\n", 1),
		"upper-case digits":    strings.Replace(plain, "entry "+entries[0].SHA256().String(), "entry "+strings.ToUpper(entries[0].SHA256().String()), 1),
		"time in no month":     strings.Replace(plain, "time 2026-01-", "time 2026-13-", 1),
		"empty signatures":     plain + "\n",
		"malformed signature":  plain + "\n— x\n",
		"cut off signature":    signed[:len(signed)-1],
		"text after signature": signed + "x\n",
		"too long":             signed + strings.Repeat("— x AAAAAAAA\n", history.MaxHead/16),
		"carriage returns":     strings.ReplaceAll(plain, "\n", "\r\n"),
	} {
		if h, err := history.ParseHead([]byte(text)); err == nil {
			t.Errorf("%s: %+v", name, h)
		}
	}
}

func TestParseEntryRefuses(t *testing.T) {
	entries := newHistory(t, 4, 0)
	first, fourth := string(entries[0].Text()), string(entries[3].Text())
	for name, text := range map[string]string{
		"empty":                     "",
		"not JSON":                  "evil",
		"number 0":                  strings.Replace(first, `"number":1`, `"number":0`, 1),
		"no predecessor":            strings.Replace(first, `"number":1`, `"number":2`, 1),
		"a predecessor of none":     strings.Replace(fourth, `"number":4`, `"number":1`, 1),
		"too few hashes":            strings.Replace(fourth, `"number":4`, `"number":8`, 1),
		"a name that is a path":     strings.Replace(first, `0000000000000001`, `../../../../../x`, 1),
		"no hash of the catalogue":  strings.Replace(first, `"catalog"`, `"x"`, 1),
		"fractions of a second":     strings.Replace(first, `:05Z`, `:05.5Z`, 1),
		"a sender without a number": strings.Replace(fourth, `"number":3`, `"number":0`, 1),
		"a key twice":               strings.Replace(first, `"number":1`, `"number":1,"number":1`, 1),
	} {
		if text == first || text == fourth {
			t.Fatalf("%s: nothing was replaced", name)
		}
		if e, err := history.ParseEntry([]byte(text)); !errors.Is(err, history.ErrEntry) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
	extended := strings.Replace(first, `"number":1`, `"number":1,"future":[1]`, 1)
	if e, err := history.ParseEntry([]byte(extended)); err != nil || string(e.Text()) != extended {
		t.Errorf("a key that is not known: %v", err)
	}
	if _, _, err := history.Append(entries[0], history.Entry{}); !errors.Is(err, history.ErrEntry) {
		t.Errorf("an empty entry: %v", err)
	}
}

func TestConsistent(t *testing.T) {
	entries := newHistory(t, 20, 0)
	forks := make([][]*history.Entry, 10)
	for i := range forks {
		forks[i] = newHistory(t, 20, i)
	}
	for m := range len(entries) + 1 {
		var older history.Head
		if m > 0 {
			older = entries[m-1].Head()
		}
		for n := max(1, m); n <= len(entries); n++ {
			newer := entries[n-1].Head()
			if err := history.Consistent(older, newer, sequence(entries[m:n])); err != nil {
				t.Errorf("from %d to %d: %v", m, n, err)
			}
			for changed := 1; changed < len(forks); changed++ {
				fork := forks[changed]
				err := history.Consistent(older, fork[n-1].Head(), sequence(fork[m:n]))
				if want := changed <= m; errors.Is(err, history.ErrInconsistent) != want {
					t.Errorf("from %d to %d of a history whose entry %d is another one: %v", m, n, changed, err)
				}
			}
		}
	}
}

// TestInconsistent gives Consistent entries that do not fit the heads.
func TestInconsistent(t *testing.T) {
	entries, fork := newHistory(t, 9, 0), newHistory(t, 9, 7)
	older, newer := entries[4].Head(), entries[8].Head()
	rootless := newer
	rootless.Root = tlog.Hash{1}
	elsewhere := older
	elsewhere.Root = tlog.Hash{1}
	forged, err := history.ParseEntry([]byte(strings.Replace(string(entries[8].Text()), `"hashes":["`, `"hashes":["AAAA`, 1)))
	if err == nil {
		t.Errorf("a hash that is too long: %+v", forged)
	}
	text := string(entries[6].Text())
	cut := strings.Index(text, `"hashes":["`) + len(`"hashes":["`)
	if forged, err = history.ParseEntry([]byte(text[:cut] + strings.Repeat("A", 43) + text[cut+43:])); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		older, newer history.Head
		entries      []*history.Entry
	}{
		"the older history is longer":  {newer, older, nil},
		"an entry is missing":          {older, newer, slices.Delete(slices.Clone(entries[5:]), 1, 2)},
		"the last entries are missing": {older, newer, entries[5:8]},
		"more entries than the head":   {older, entries[7].Head(), entries[5:]},
		"the entries begin too early":  {older, newer, entries[4:]},
		"another order":                {older, newer, []*history.Entry{entries[6], entries[5], entries[7], entries[8]}},
		"entries of another history":   {older, newer, append(slices.Clone(entries[5:8]), fork[8])},
		"wrong hashes in an entry":     {older, forged.Head(), []*history.Entry{entries[5], forged}},
		"another root at the end":      {older, rootless, entries[5:]},
		"another root at the start":    {elsewhere, newer, entries[5:]},
		"the same number, other root":  {newer, rootless, nil},
	} {
		if err := history.Consistent(test.older, test.newer, sequence(test.entries)); !errors.Is(err, history.ErrInconsistent) {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := errors.New("broken")
	failing := func(yield func(*history.Entry, error) bool) { yield(nil, broken) }
	if err := history.Consistent(older, newer, failing); !errors.Is(err, broken) || errors.Is(err, history.ErrInconsistent) {
		t.Errorf("an entry that cannot be read: %v", err)
	}
}
