package bundle

import (
	"os"
	"path/filepath"
	"testing"

	"aead.dev/minisign"

	"galbuild/build/signkey"
)

// FuzzTrust checks that arbitrary bytes as a public key or a signature are not trusted.
func FuzzTrust(f *testing.F) {
	key, file := newKey(f)
	public, err := os.ReadFile(file)
	if err != nil {
		f.Fatal(err)
	}
	sums := []byte("the listing\n")
	other, _ := newKey(f)
	f.Add(public, minisign.Sign(*key, []byte("another listing\n")))
	f.Add(public, minisign.Sign(*other, sums))
	f.Add([]byte(""), []byte(""))
	f.Add([]byte("untrusted comment: x\n\n"), []byte("untrusted comment: x\nAAAA\ntrusted comment: y\nAAAA\n"))
	f.Fuzz(func(t *testing.T, public, signature []byte) {
		dir := t.TempDir()
		pub, sig := filepath.Join(dir, "key.pub"), filepath.Join(dir, "sums.minisig")
		if os.WriteFile(pub, public, 0o644) != nil || os.WriteFile(sig, signature, 0o644) != nil {
			t.Fatal("cannot write")
		}
		trusted, err := signkey.ReadPublic([]string{pub})
		if err != nil {
			return
		}
		if by, err := checkSignature(sums, sig, trusted); err == nil {
			t.Errorf("signed by %s", by)
		}
	})
}
