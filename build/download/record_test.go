package download

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// FuzzCache puts any bytes into the files of the folder. Get must return the package of the
// server without a retry.
func FuzzCache(f *testing.F) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		http.ServeContent(w, r, "x.vsix", time.Time{}, strings.NewReader(packageText))
	}))
	f.Cleanup(server.Close)
	address := server.URL + "/x.vsix"
	key := sha256.Sum256([]byte(address))
	half := packageText[:len(packageText)/2]
	f.Add([]byte(packageText), []byte(`{"url":"u","etag":"\"v1\"","size":26}`), []byte{}, []byte{})
	f.Add([]byte(nil), []byte("null"), []byte(half), []byte(`{"etag":"\"v1\"","size":26}`))
	f.Add([]byte("other"), []byte(`{"etag":"\"v1\"","size":5}`), []byte(half), []byte(`{"etag":"\"v2\"","size":-1}`))
	f.Add([]byte("x"), []byte(`{"etag":"a\nb","size":1}`), []byte(half), []byte(`{"etag":"\"a\r\nHost: b\"","size":26}`))
	f.Add([]byte("x"), []byte(`{"size":`), []byte(half), []byte(`{"etag":"\"v1\"","size":9223372036854775807,"contentEncoding":"br"}`))
	f.Add([]byte("x"), []byte(`[]`), []byte(packageText+packageText), []byte(`{"lastModified":"never","size":26}`))
	f.Fuzz(func(t *testing.T, text, stored, part, partRecord []byte) {
		dir := t.TempDir()
		base := filepath.Join(dir, hex.EncodeToString(key[:]))
		for suffix, content := range map[string][]byte{".vsix": text, ".json": stored, ".part": part, ".part.json": partRecord} {
			if err := os.WriteFile(base+suffix, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		items, problems := fetch(t, Config{Dir: dir, MaxBytes: 1 << 20, Client: withoutRetries(t)}, address)
		if len(items) != 1 || len(problems) != 0 {
			t.Fatalf("items %v, problems %v", items, problems)
		}
		got, err := os.ReadFile(items[0].Path)
		if err != nil {
			t.Fatal(err)
		}
		// A package whose record has the validator of the server is not downloaded again.
		if string(got) != packageText && !(IsPackage(got) && bytes.Equal(got, text) && strings.Contains(string(stored), `v1`)) {
			t.Errorf("got %q", got)
		}
	})
}

// TestEncodedRatio has a compressed response that expands to more than the limit.
func TestEncodedRatio(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(gzipped(packageText + strings.Repeat("\x00", 4<<20)))
	})
	_, problems := fetch(t, Config{}, s.URL+"/x.vsix")
	if len(problems) != 1 || !strings.Contains(problems[0], "expand to more than the limit of 200 times") {
		t.Errorf("problems %q", problems)
	}
}

// TestDamagedEncoding has compressed responses that are damaged. What Go's own gzip refuses is
// refused.
func TestDamagedEncoding(t *testing.T) {
	whole := string(gzipped(packageText))
	end := len(whole)
	for name, body := range map[string]string{
		"cut short":                     whole[:end-1],
		"cut in the data":               whole[:end/2],
		"a wrong checksum":              whole[:end-5] + string(whole[end-5]^1) + whole[end-4:],
		"a wrong size":                  whole[:end-1] + string(whole[end-1]^1),
		"wrong data":                    whole[:15] + string(whole[15]^1) + whole[16:],
		"followed by something":         whole + "more",
		"followed by an incomplete one": whole + whole[:20],
	} {
		t.Run(name, func(t *testing.T) {
			z, err := gzip.NewReader(strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, z); err == nil {
				t.Fatal("Go's own gzip accepts it")
			}
			s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = io.WriteString(w, body)
			})
			dir := t.TempDir()
			items, problems := fetch(t, Config{Dir: dir}, s.URL)
			if len(items) != 0 || len(problems) != 1 || !strings.Contains(problems[0], "decode the response: ") {
				t.Errorf("items %v, problems %q", items, problems)
			}
			wantFiles(t, dir)
		})
	}
}
