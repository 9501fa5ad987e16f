package signkey_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"aead.dev/minisign"

	"galbuild/build/signkey"
)

func TestReadSecret(t *testing.T) {
	_, key, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := key.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key")
	for want, text := range map[bool][]byte{true: plain, false: []byte("evil")} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := signkey.ReadSecret(file, func() (string, error) { return "", errors.New("ReadSecret has requested a password") })
		if (err == nil) != want || want && !got.Equal(key) {
			t.Errorf("key %.10q: %v", text, err)
		}
	}
}
