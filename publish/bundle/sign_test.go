package bundle

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"
)

var testTime = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// newKey makes a key pair and writes the public key to a file.
func newKey(t testing.TB) (*minisign.PrivateKey, string) {
	t.Helper()
	public, private, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := public.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.pub")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return &private, file
}

func TestTrust(t *testing.T) {
	root, target, dir := newSite(t, "one"), filepath.Join(t.TempDir(), "target"), t.TempDir()
	key, public := newKey(t)
	_, stranger := newKey(t)
	file := filepath.Join(dir, "g.tar")
	report := mustExport(t, ExportConfig{Site: root, Output: file, SignKey: key})
	signature, err := os.ReadFile(report.Signature)
	if err != nil {
		t.Fatal(err)
	}
	if again := mustExport(t, ExportConfig{Site: root, Output: file, SignKey: key}); again.Signature != report.Signature {
		t.Errorf("signature at %s and %s", report.Signature, again.Signature)
	}
	if again, err := os.ReadFile(report.Signature); err != nil || string(again) != string(signature) {
		t.Errorf("the same site and key give another signature (%v)", err)
	}
	distrusted := func(what string, keys ...string) {
		t.Helper()
		if _, err := Import(t.Context(), ImportConfig{Archive: file, Site: target, Trust: keys}); !errors.Is(err, ErrUntrusted) {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := os.Stat(target); err == nil {
			t.Fatalf("%s: something was written", what)
		}
	}
	distrusted("an unknown signer", stranger)
	if err := os.WriteFile(report.Sums, []byte(strings.Replace(string(listParts(report.Parts)), "a", "b", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	distrusted("other sums", public)
	mustExport(t, ExportConfig{Site: root, Output: file})
	distrusted("no signature", public)
	if err := os.WriteFile(report.Signature, []byte("evil"), 0o644); err != nil {
		t.Fatal(err)
	}
	distrusted("no signature but a file", public)
	if err := errors.Join(os.Remove(report.Signature), os.Remove(report.Sums)); err != nil {
		t.Fatal(err)
	}
	distrusted("no sums", public)

	mustExport(t, ExportConfig{Site: root, Output: file, SignKey: key})
	for _, keys := range [][]string{{stranger, public}, {filepath.Dir(public)}} {
		if got := mustImport(t, ImportConfig{Archive: file, Site: target, Trust: keys}); got.Signer != public || !got.Signed {
			t.Errorf("signed by %q", got.Signer)
		}
	}
	if got := mustImport(t, ImportConfig{Archive: file, Site: target}); got.Signer != "" || !got.Signed {
		t.Errorf("without --trust: %+v", got)
	}
	for _, bad := range []string{t.TempDir(), file, filepath.Join(dir, "none")} {
		if _, err := Import(t.Context(), ImportConfig{Archive: file, Site: target, Trust: []string{bad}}); err == nil {
			t.Errorf("%s was accepted as a key", bad)
		}
	}
}
