package tokens

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// A token, and its hash as sha256sum prints it.
const (
	sample     = "gal_0123456789abcdefghijklmnopqrstuvwxyzABC-_xY"
	sampleHash = "sha256:b6f531d42002beb1e3edf5a6db59bdf20f4d28200d680230afc77f6ca42442ed"
)

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func TestNew(t *testing.T) {
	a, b := New(), New()
	if a == b || !Is(a) || !Is(b) || !regexp.MustCompile("^"+Pattern+"$").MatchString(a) {
		t.Errorf("made %q and %q, want two different tokens", a, b)
	}
}

func TestIs(t *testing.T) {
	for text, want := range map[string]bool{
		sample:                  true,
		strings.ToUpper(sample): false,
		sample[:46]:             false,
		sample + "x":            false,
		"":                      false,
		"gal_":                  false,
		sample[:46] + "/":       false,
		sample[:46] + "\n":      false,
		sample[:46] + "é":       false,
		"GAL_" + sample[4:]:     false,
		" " + sample[:46]:       false,
	} {
		if Is(text) != want {
			t.Errorf("Is(%q) is %t", text, !want)
		}
	}
}

func TestParse(t *testing.T) {
	other := strings.Replace(sample, "0", "1", 1)
	s, err := Parse([]byte("# tokens\r\n\n  alice " + sampleHash + "\r\nbox@x.example " + hashOf(other) + " view=team-a  until=2027-01-31"))
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := s.Find(sample); !ok || got.Name != "alice" || got.View != "" || !got.Until.IsZero() {
		t.Errorf("found %v, %t, want alice", got, ok)
	}
	if got, ok := s.Find(other); !ok || got.Name != "box@x.example" || got.View != "team-a" || got.Until.Format(time.DateOnly) != "2027-01-31" {
		t.Errorf("found %v, %t, want box", got, ok)
	}
	for _, text := range []string{"", "alice", hashOf(sample), strings.ToUpper(sample), sample[:46], sample + "0"} {
		if got, ok := s.Find(text); ok {
			t.Errorf("%q is the token %s", text, got.Name)
		}
	}
}

func TestParseErrors(t *testing.T) {
	hash := hashOf(sample)
	for text, want := range map[string]string{
		"alice":                                         "line 1: alice has no hash",
		"al/ice " + hash:                                `line 1: "al/ice" is not a name`,
		"-a " + hash:                                    `line 1: "-a" is not a name`,
		strings.Repeat("a", 65) + " " + hash:            "is not a name",
		"alice " + hash[:70]:                            "is not a hash",
		"alice " + hash + "0":                           "is not a hash",
		"alice " + hash[7:]:                             "is not a hash",
		"alice sha512:" + hash[7:]:                      "is not a hash",
		"alice " + sample:                               "line 1: has a token; the file has only the hashes",
		"alice " + hash + " untill=2027-01-31":          `"untill=2027-01-31" is not known`,
		"alice " + hash + " view":                       `"view" is not known`,
		"alice " + hash + " view=":                      `"view=" is not known`,
		"alice " + hash + " view=a/b":                   `"view=a/b" is not known`,
		"alice " + hash + " view=a view=b":              "view=… is given twice",
		"alice " + hash + " until=2027-02-30":           `"2027-02-30" is not a day`,
		"alice " + hash + " until=tomorrow":             `"tomorrow" is not a day`,
		"alice " + hash + "\nalice " + hashOf("x"):      "line 2: the name alice is also in line 1",
		"alice " + hash + "\n#\nbob " + hash:            "line 3: has the hash of the token alice",
		"a " + hash + strings.Repeat("#\n", MaxBytes/2): "longer than",
		"alice " + hash + " # view=team-a":              `"#" is not known`,
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.100q: %v, want %q", text, err, want)
		} else if strings.Contains(err.Error(), sample) {
			t.Errorf("%q: the error has the token: %v", text, err)
		}
	}
}

func TestExpired(t *testing.T) {
	day, err := ParseDay("2027-01-31")
	if err != nil {
		t.Fatal(err)
	}
	token := Token{Until: day}
	for at, want := range map[string]bool{
		"2027-01-30T12:00:00Z":      false,
		"2027-01-31T23:59:59Z":      false,
		"2027-02-01T00:00:00Z":      true,
		"2027-01-31T23:30:00-01:00": true,
	} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if token.Expired(now) != want {
			t.Errorf("at %s: expired %t", at, !want)
		}
	}
	if (Token{}).Expired(day) {
		t.Error("a token without a last day has expired")
	}
}

func TestMask(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "",
		"no token":                           "no token",
		sample:                               "gal_***",
		"/t/" + sample + "/api":              "/t/gal_***/api",
		sample + " " + sample + "x":          "gal_*** gal_***",
		"a=" + sample[:20] + "\n":            "a=gal_***\n",
		"icons/gal_lery.png":                 "icons/gal_lery.png",
		"gal_gal_" + sample[4:]:              "gal_***",
		"gal_x " + sample:                    "gal_x gal_***",
		"https://h/t/" + sample[:46] + "%41": "https://h/t/gal_***%41",
	} {
		if got := string(Mask([]byte(text))); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	line := []byte("level=INFO msg=request path=/api/extensionquery status=200")
	if n := testing.AllocsPerRun(10, func() { Mask(line) }); n != 0 {
		t.Errorf("%v allocations for a line without tokens", n)
	}
}

func TestEdit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(file, []byte("# by hand\nbob "+hashOf(sample)+" until=2020-01-01"), 0o640); err != nil {
		t.Fatal(err)
	}
	day, err := ParseDay("2027-01-31")
	if err != nil {
		t.Fatal(err)
	}
	text, err := Add(t.Context(), file, Token{Name: "alice", View: "team-a", Until: day})
	if err != nil {
		t.Fatal(err)
	}
	want := "# by hand\nbob " + hashOf(sample) + " until=2020-01-01\nalice " + hashOf(text) + " until=2027-01-31 view=team-a\n"
	wantFile(t, file, want)
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o640 {
		t.Errorf("mode %v, %v, want that of before", info.Mode(), err)
	}
	if _, err := Add(t.Context(), file, Token{Name: "alice"}); !errors.Is(err, ErrExists) {
		t.Errorf("a second alice: %v", err)
	}
	if err := Revoke(t.Context(), file, "carol"); !errors.Is(err, ErrUnknown) {
		t.Errorf("revoke carol: %v", err)
	}
	wantFile(t, file, want)
	if err := Revoke(t.Context(), file, "bob"); err != nil {
		t.Fatal(err)
	}
	wantFile(t, file, "# by hand\nalice "+hashOf(text)+" until=2027-01-31 view=team-a\n")
	s, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if found, ok := s.Find(text); !ok || found.Name != "alice" {
		t.Errorf("found %v, %t, want alice", found, ok)
	}
}

func wantFile(t *testing.T, file, want string) {
	t.Helper()
	if got, err := os.ReadFile(file); err != nil || string(got) != want {
		t.Errorf("%v, the file is\n%s, want\n%s", err, got, want)
	}
}

// TestNewFile checks that only the owner can read a new file, and that a link stays a link.
func TestNewFile(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "tokens"), filepath.Join(dir, "link")
	if _, err := Add(t.Context(), file, Token{Name: "alice"}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	if err := os.Symlink("tokens", link); err != nil {
		t.Fatal(err)
	}
	if _, err := Add(t.Context(), link, Token{Name: "bob"}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().IsRegular() {
		t.Errorf("the link was replaced: %v, %v", info.Mode(), err)
	}
	if s, err := Read(file); err != nil || len(s.All()) != 2 {
		t.Errorf("%v, %v, want two tokens", s, err)
	}
}

// TestBrokenFile checks that a file with an error is not changed, because an edit could make its
// meaning another one.
func TestBrokenFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens")
	const broken = "alice\n"
	if err := os.WriteFile(file, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Add(t.Context(), file, Token{Name: "bob"}); err == nil || !strings.Contains(err.Error(), file+": line 1") {
		t.Errorf("added: %v", err)
	}
	if err := Revoke(t.Context(), file, "alice"); err == nil {
		t.Error("revoked")
	}
	wantFile(t, file, broken)
}

// TestConcurrentEdits checks that no token gets lost.
func TestConcurrentEdits(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens")
	var editors sync.WaitGroup
	for i := range 8 {
		editors.Go(func() {
			if _, err := Add(t.Context(), file, Token{Name: fmt.Sprint("t", i)}); err != nil {
				t.Error(err)
			}
		})
	}
	editors.Wait()
	if s, err := Read(file); err != nil || len(s.All()) != 8 {
		t.Errorf("%v, %v, want 8 tokens", s, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Add(ctx, file, Token{Name: "late"}); !errors.Is(err, context.Canceled) {
		t.Errorf("after it was interrupted: %v", err)
	}
}

// FuzzParse checks that each token of a file that is accepted can be written and read again.
func FuzzParse(f *testing.F) {
	f.Add([]byte("alice " + sampleHash + " view=a until=2027-01-31\n# x\n"))
	f.Add([]byte("a sha256:"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		var lines bytes.Buffer
		for _, token := range s.All() {
			lines.WriteString(token.line())
		}
		again, err := Parse(lines.Bytes())
		if err != nil || fmt.Sprint(again.All()) != fmt.Sprint(s.All()) {
			t.Errorf("%v: %v, want %v", err, again, s.All())
		}
	})
}
