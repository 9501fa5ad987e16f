package openvsx

import (
	"archive/zip"
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
)

// makeArchive returns a zip with one file.
func makeArchive(t testing.TB, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	if err == nil {
		_, err = w.Write([]byte(text))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func makePEM(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func TestVerifyRefuses(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	another, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkg := []byte("the bytes of a package")
	signature := string(ed25519.Sign(private, pkg))
	good, key := makeArchive(t, signatureName, signature), makePEM(t, public)
	for name, test := range map[string]struct {
		archive, key, pkg []byte
		want              string
	}{
		"right":              {good, key, pkg, ""},
		"other bytes":        {good, key, pkg[1:], "is not that of this package"},
		"another key":        {good, makePEM(t, another), pkg, "is not that of this package"},
		"another kind":       {good, makePEM(t, ec.Public()), pkg, "want an Ed25519 key"},
		"no PEM":             {good, []byte("<html>"), pkg, "is not in PEM"},
		"no key":             {good, []byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), pkg, "cannot be read"},
		"no zip":             {[]byte(signature), key, pkg, "the signature archive"},
		"no signature":       {makeArchive(t, ".signature.p7s", signature), key, pkg, "it has no .signature.sig"},
		"empty signature":    {makeArchive(t, signatureName, ""), key, pkg, "has not the 64 bytes"},
		"long signature":     {makeArchive(t, signatureName, signature+"x"), key, pkg, "has not the 64 bytes"},
		"signature of bombs": {makeArchive(t, signatureName, strings.Repeat("x", 1<<20)), key, pkg, "has not the 64 bytes"},
	} {
		err := Verify(test.archive, test.key, test.pkg)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: error %v, want %q", name, err, test.want)
		}
	}
}

// FuzzVerify verifies archives and keys with any bytes. None of them can be right.
func FuzzVerify(f *testing.F) {
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(makeArchive(f, signatureName, strings.Repeat("x", ed25519.SignatureSize)), makePEM(f, public))
	f.Fuzz(func(t *testing.T, archive, key []byte) {
		if err := Verify(archive, makePEM(t, public), []byte("package")); err == nil {
			t.Error("an archive without a signature is accepted")
		}
		_, _ = parseKey(key)
	})
}
