package gallery

import (
	"archive/zip"
	"bytes"
	"io"
	"testing"
)

// TestIsEmptySignature tells archives without a signature from those with one.
func TestIsEmptySignature(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		want  bool
	}{
		{"made up", map[string]string{".signature.manifest": "", ".signature.p7s": ""}, true},
		{"made up with a manifest", map[string]string{".signature.manifest": "{}", ".signature.p7s": ""}, true},
		{"without files", nil, true},
		{"Microsoft", map[string]string{".signature.manifest": "{}", ".signature.p7s": "signed"}, false},
		{"Open VSX", map[string]string{".signature.manifest": "{}", ".signature.p7s": "", ".signature.sig": "signed"}, false},
	} {
		var archive bytes.Buffer
		z := zip.NewWriter(&archive)
		for name, text := range test.files {
			w, err := z.Create(name)
			if err == nil {
				_, err = io.WriteString(w, text)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if got := IsEmptySignature(archive.Bytes()); got != test.want {
			t.Errorf("%s: got %t", test.name, got)
		}
	}
	if IsEmptySignature([]byte("<html>")) {
		t.Error("what is not an archive is taken for an empty one")
	}
}
