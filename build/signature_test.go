package build

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"galbuild/build/blob"
)

func archive(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func manifestFor(ref blob.Ref) string {
	return `{"package":{"size":1,"digests":{"sha256":"` + base64.StdEncoding.EncodeToString(ref[:]) + `"}},"entries":{}}`
}

func TestCheckSignature(t *testing.T) {
	this, other := blob.Sum([]byte("this")), blob.Sum([]byte("other"))
	for name, test := range map[string]struct {
		archive []byte
		want    string // in the error; "" is none
	}{
		"genuine":          {archive(t, map[string]string{".signature.manifest": manifestFor(this), ".signature.p7s": "x"}), ""},
		"another package":  {archive(t, map[string]string{".signature.manifest": manifestFor(other), ".signature.p7s": "x"}), "it is for a package with SHA-256"},
		"empty signature":  {archive(t, map[string]string{".signature.manifest": manifestFor(this), ".signature.p7s": ""}), ".signature.p7s is empty"},
		"of Open VSX":      {archive(t, map[string]string{".signature.manifest": "{}", ".signature.p7s": "", ".signature.sig": "x"}), errOpenVSX.Error()},
		"no signature":     {archive(t, map[string]string{".signature.manifest": manifestFor(this)}), ".signature.p7s is missing in it"},
		"no manifest":      {archive(t, map[string]string{".signature.p7s": "x"}), ".signature.manifest is missing in it"},
		"no digest":        {archive(t, map[string]string{".signature.manifest": "{}", ".signature.p7s": "x"}), "the SHA-256 of the package is missing"},
		"manifest no JSON": {archive(t, map[string]string{".signature.manifest": "?", ".signature.p7s": "x"}), ".signature.manifest is not JSON from line 1, column 1 on"},
		"manifest a list":  {archive(t, map[string]string{".signature.manifest": "[]", ".signature.p7s": "x"}), "the SHA-256 of the package is missing"},
		"not a zip":        {[]byte("garbage"), "it is not a complete zip archive"},
		"our empty one":    {emptySignature(), ".signature.p7s is empty"},
	} {
		err := checkSignature(test.archive, this, 1<<20)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func TestEmptySignatureIsAlwaysTheSame(t *testing.T) {
	if a, b := blob.Sum(emptySignature()), blob.Sum(emptySignature()); a != b {
		t.Errorf("%v, then %v", a, b)
	}
}
