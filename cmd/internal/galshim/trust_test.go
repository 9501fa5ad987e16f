package galshim

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"
	"golang.org/x/mod/sumdb/note"

	"galbuild/build/blob"
	"galbuild/build/history"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
)

// A signedSite is the folder of a site whose heads are signed, and its log.
type signedSite struct {
	dir     string
	public  string // file of the public key
	signer  note.Signer
	entries []*history.Entry
}

func newSignedSite(t testing.TB) *signedSite {
	t.Helper()
	public, private, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := public.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	s := &signedSite{dir: t.TempDir(), public: filepath.Join(t.TempDir(), "key.pub")}
	if s.signer, err = history.NewSigner(private); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.public, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return s
}

// add makes a sample current, with a signed head. It returns the text of CURRENT.
func (s *signedSite) add(t testing.TB, content sample, when time.Time) []byte {
	t.Helper()
	c := content.write(t, s.dir)
	var last *history.Entry
	if n := len(s.entries); n > 0 {
		last = s.entries[n-1]
	}
	e, _, err := history.Append(last, history.Entry{When: when, Generation: c.Generation, Catalog: c.Catalog, Index: c.Index, Command: "build"})
	if err != nil {
		t.Fatal(err)
	}
	s.entries = append(s.entries, e)
	return s.sign(t, c, e.Head(), s.signer)
}

// sign makes a generation current with a head that the signers sign.
func (s *signedSite) sign(t testing.TB, c site.Current, head history.Head, signers ...note.Signer) []byte {
	t.Helper()
	head, err := head.Sign(signers...)
	if err != nil {
		t.Fatal(err)
	}
	named := site.Head{Number: head.Number, SHA256: blob.Sum(head.File())}
	file := filepath.Join(s.dir, filepath.FromSlash(named.Path()))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	overwrite(t, file, string(head.File()))
	text := site.FormatCurrent(c, named)
	s.current(t, text)
	return text
}

func (s *signedSite) current(t testing.TB, text []byte) {
	t.Helper()
	overwrite(t, filepath.Join(s.dir, filepath.FromSlash(site.CurrentPath)), string(text))
}

// follow returns a live that serves the site from a source with these flags, and the log of it.
func (s *signedSite) follow(t testing.TB, from source, c commandLine) (*live, *bytes.Buffer) {
	t.Helper()
	if c.Trust == nil {
		c.Trust = []string{s.public}
	}
	var printed bytes.Buffer
	log := slog.New(slog.NewTextHandler(&printed, nil))
	trusted, err := c.newTrust(log)
	if err != nil {
		t.Fatal(err)
	}
	l := newLive(from, trusted, log)
	t.Cleanup(l.close)
	return l, &printed
}

// wantServed polls, and checks how many extensions are served, and why nothing newer is: the error
// contains refused, or there is none if that is "".
func wantServed(t *testing.T, l *live, extensions int, refused string) {
	t.Helper()
	err := l.poll(t.Context())
	if refused == "" && err != nil || refused != "" && (err == nil || !strings.Contains(err.Error(), refused)) {
		t.Errorf("got error %v, want %q", err, refused)
	}
	if g := l.now.Load(); g == nil && extensions > 0 || g != nil && g.ix.Len() != extensions {
		t.Errorf("serves %v, want %d extensions", g, extensions)
	}
}

// TestTrust serves generations from a folder and from a URL, and then older, forked, unsigned and
// forged ones, which must be refused.
func TestTrust(t *testing.T) {
	for name, source := range map[string]func(*testing.T, *signedSite) source{
		"folder": func(_ *testing.T, s *signedSite) source { return folder{s.dir} },
		"URL": func(t *testing.T, s *signedSite) source {
			p := publish(t, sample{})
			p.dir = s.dir
			return remoteAt(t, p.URL, t.TempDir())
		},
	} {
		t.Run(name, func(t *testing.T) { testTrust(t, source) })
	}
}

func testTrust(t *testing.T, from func(*testing.T, *signedSite) source) {
	s, state := newSignedSite(t), filepath.Join(t.TempDir(), "state")
	first := s.add(t, sample{more: 1}, testTime)
	second := s.add(t, sample{more: 2}, testTime.Add(time.Hour))
	l, printed := s.follow(t, from(t, s), commandLine{State: state})
	wantServed(t, l, 3, "")
	if printed.Len() > 0 {
		t.Errorf("logged %s", printed)
	}

	s.current(t, first)
	wantServed(t, l, 3, "head 1 of 2026-02-03T04:05:06Z is older than head 2 of 2026-02-03T05:05:06Z, which was served before")
	l, _ = s.follow(t, from(t, s), commandLine{State: state}) // after a restart
	wantServed(t, l, 0, "is older than head 2")
	l, printed = s.follow(t, from(t, s), commandLine{}) // without a state file
	wantServed(t, l, 2, "")
	if !strings.Contains(printed.String(), "without --state FILE, older heads are refused only until galshim ends") {
		t.Errorf("logged %s", printed)
	}
	l, _ = s.follow(t, from(t, s), commandLine{AtLeast: 2})
	wantServed(t, l, 0, "head 1 of 2026-02-03T04:05:06Z is older than --at-least 2")
	s.current(t, second)
	wantServed(t, l, 3, "")
	l, _ = s.follow(t, from(t, s), commandLine{State: state})
	wantServed(t, l, 3, "")

	fork, other := *s, newSignedSite(t)
	fork.entries = s.entries[:1:1]
	fork.add(t, sample{more: 5}, testTime.Add(2*time.Hour))
	wantServed(t, l, 3, "head 2 of 2026-02-03T06:05:06Z is another one than head 2 of 2026-02-03T05:05:06Z, which was served before: the history has been forked")
	restarted := *s
	restarted.entries = nil
	for range 3 {
		restarted.add(t, sample{more: 6}, testTime)
	}
	wantServed(t, l, 3, "is of another history")
	if _, way := hint.Text(l.poll(t.Context())); way != "if that is meant, such as after a restore from a backup, move "+state+" away and restart galshim" {
		t.Errorf("hint %q", way)
	}

	third := *s
	c := sample{more: 4}.write(t, s.dir)
	third.add(t, sample{more: 4}, testTime)
	head := third.entries[2].Head()
	s.sign(t, c, head)
	wantServed(t, l, 3, history.ErrUnsigned.Error())
	s.sign(t, c, head, other.signer)
	wantServed(t, l, 3, history.ErrUntrusted.Error())
	head.Index = blob.Sum(nil)
	s.sign(t, c, head, s.signer)
	wantServed(t, l, 3, site.CurrentPath+" names")

	third.sign(t, c, third.entries[2].Head(), s.signer, other.signer)
	wantServed(t, l, 5, "")
	head = third.entries[2].Head()
	head.When = head.When.Add(time.Hour) // signed again
	third.sign(t, c, head, s.signer)
	wantServed(t, l, 5, "")
	if saved, err := os.ReadFile(state); err != nil || !strings.Contains(string(saved), "\n3\n") || !strings.Contains(string(saved), "T05:05:06Z") {
		t.Errorf("state: %s, %v", saved, err)
	}
}

// TestTrustIndex serves a folder whose index is not the one that the head names.
func TestTrustIndex(t *testing.T) {
	s := newSignedSite(t)
	s.add(t, sample{more: 1}, testTime)
	c, err := site.ReadCurrent(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := t.TempDir()
	forged := sample{more: 2}.write(t, elsewhere)
	text, err := os.ReadFile(filepath.Join(elsewhere, filepath.FromSlash(forged.IndexPath())))
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, filepath.Join(s.dir, filepath.FromSlash(c.IndexPath())), string(text))
	l, _ := s.follow(t, folder{s.dir}, commandLine{})
	wantServed(t, l, 0, "its SHA-256 is")
}

// TestTrustCache starts while the site cannot be reached.
func TestTrustCache(t *testing.T) {
	s, cache := newSignedSite(t), t.TempDir()
	s.add(t, sample{more: 1}, testTime)
	p := publish(t, sample{})
	p.dir = s.dir
	l, _ := s.follow(t, remoteAt(t, p.URL, cache), commandLine{})
	wantServed(t, l, 2, "")
	p.Close()
	l, _ = s.follow(t, remoteAt(t, p.URL, cache), commandLine{})
	wantServed(t, l, 2, "")
	l, _ = s.follow(t, remoteAt(t, p.URL, cache), commandLine{AtLeast: 2})
	wantServed(t, l, 0, "and in the cache: generation "+s.entries[0].Generation+" is not trusted: head 1 of 2026-02-03T04:05:06Z is older than --at-least 2")
	l, _ = s.follow(t, remoteAt(t, p.URL, cache), commandLine{Trust: []string{newSignedSite(t).public}})
	wantServed(t, l, 0, history.ErrUntrusted.Error())
}

// TestMaxAge serves a head that becomes too old, until it is signed again.
func TestMaxAge(t *testing.T) {
	s := newSignedSite(t)
	s.add(t, sample{more: 1}, testTime)
	g := open(t, s.dir, folder{s.dir})
	l, _ := s.follow(t, folder{s.dir}, commandLine{MaxAge: time.Hour})
	now := testTime.Add(time.Minute)
	l.trust.now = func() time.Time { return now }
	wantServed(t, l, 2, "")
	g.main.live = l
	health := func(status int, want string) {
		t.Helper()
		response := g.request("GET", "/healthz", "")
		if body := text(t, response); response.StatusCode != status || !strings.Contains(body, want) {
			t.Errorf("%d %s, want %d with %s", response.StatusCode, body, status, want)
		}
	}
	health(200, `"status":"ok"`)
	health(200, `"head":{"number":1,"when":"2026-02-03T04:05:06Z"}`)
	now = testTime.Add(2 * time.Hour)
	health(503, `"status":"frozen"`)
	wantServed(t, l, 2, "the head of the history is too old: head 1 of 2026-02-03T04:05:06Z is older than --max-age 1h0m0s")
	if response := g.request("GET", "/", ""); response.StatusCode == 503 {
		t.Error("requests are refused")
	}
	fresh, _ := s.follow(t, folder{s.dir}, commandLine{MaxAge: time.Hour})
	fresh.trust.now = l.trust.now
	if err := fresh.poll(t.Context()); !errors.Is(err, errFrozen) {
		t.Errorf("at the start: %v", err)
	}
	now = testTime.Add(-2 * time.Hour)
	wantServed(t, fresh, 0, "the head of the history is in the future: head 1 of 2026-02-03T04:05:06Z, by more than --max-age 1h0m0s")
	now = testTime.Add(2 * time.Hour)
	c, err := site.ReadCurrent(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	head := s.entries[0].Head()
	head.When = now
	s.sign(t, c, head, s.signer)
	wantServed(t, l, 2, "")
	health(200, `"status":"ok"`)
}

// TestTrustState starts with state files that cannot be used.
func TestTrustState(t *testing.T) {
	s := newSignedSite(t)
	s.add(t, sample{more: 1}, testTime)
	bad := filepath.Join(t.TempDir(), "state")
	overwrite(t, bad, "evil")
	c := commandLine{Trust: []string{s.public}, State: bad}
	if _, err := c.newTrust(slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "--state: "+bad) {
		t.Errorf("a damaged state file: %v", err)
	}
	l, _ := s.follow(t, folder{s.dir}, commandLine{State: filepath.Join(t.TempDir(), "missing", "state")})
	wantServed(t, l, 0, "--state: ")
}

func TestTrustFlags(t *testing.T) {
	for want, c := range map[string]commandLine{
		"--state needs --trust":               {State: "x"},
		"--at-least needs --trust":            {AtLeast: 1},
		"--max-age needs --trust":             {MaxAge: time.Hour},
		"--at-least=-1: must not be negative": {Trust: []string{"x"}, AtLeast: -1},
		"--max-age -1s: must not be negative": {Trust: []string{"x"}, MaxAge: -time.Second},
	} {
		if err := c.validateTrust(); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for _, c := range []commandLine{{}, {Trust: []string{"x"}, State: "y", AtLeast: 3, MaxAge: time.Hour}} {
		if err := c.validateTrust(); err != nil {
			t.Error(err)
		}
	}
}
