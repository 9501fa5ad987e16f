package download

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"galbuild/build/blob"
	"galbuild/build/retry"
	"galbuild/build/vsix"
)

// expect returns the file at an address with a hash and a size.
func expect(t *testing.T, address, text string) File {
	t.Helper()
	file, err := Parse(address, Package(vsix.Limits{}))
	if err != nil {
		t.Fatal(err)
	}
	file.SHA256, file.Size = blob.Sum([]byte(text)), int64(len(text))
	return file
}

func open(t *testing.T, dir string, client *retry.Client) *Folder {
	t.Helper()
	folder, err := Open(Config{Dir: dir, Client: client})
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestExpected downloads a file with a known hash. It is downloaded once, also if the same bytes
// have another address, and if a download from one address is continued at another.
func TestExpected(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request, number int) {
		w.Header().Set("ETag", `"v1"`)
		if number == 0 {
			cut(w, long, 400_000)
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(long))
	})
	dir := t.TempDir()
	if _, err := open(t, dir, withoutRetries(t)).Get(t.Context(), expect(t, s.URL+"/a", long)); !errors.Is(err, errNoRetry) {
		t.Fatalf("got %v, want %v", err, errNoRetry)
	}
	for _, path := range []string{"/b", "/a", "/c"} {
		got, err := open(t, dir, withoutRetries(t)).Get(t.Context(), expect(t, s.URL+path, long))
		want := filepath.Join(dir, "sha256-"+blob.Sum([]byte(long)).String()+".vsix")
		if err != nil || got != want {
			t.Fatalf("%s: got %s, %v, want %s", path, got, err, want)
		}
	}
	s.wantRequests(t, "Range", "", "bytes=400000-")
	wantFiles(t, dir, "sha256-"+blob.Sum([]byte(long)).String()+".vsix")
}

// TestMismatch has files that are not the expected ones. They are named, and not kept.
func TestMismatch(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(packageText))
	})
	tests := map[string]struct {
		file File
		want string
	}{
		"another hash": {expect(t, s.URL, packageText[:25]+"x"), "the downloaded file has the SHA-256 " +
			blob.Sum([]byte(packageText)).String() + ", expected is " + blob.Sum([]byte(packageText[:25]+"x")).String()},
		"another size": {File{Size: 25}, "the downloaded file has the size 26 bytes, expected is 25 bytes"},
		"the same":     {expect(t, s.URL, packageText), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := expect(t, s.URL, packageText)
			file.SHA256, file.Size = tt.file.SHA256, tt.file.Size
			_, err := open(t, dir, withoutRetries(t)).Get(t.Context(), file)
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if _, mismatch := errors.AsType[*MismatchError](err); !mismatch || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			wantFiles(t, dir)
		})
	}
}

// TestDamagedExpected has a file in the folder that does not have the hash of its name.
func TestDamagedExpected(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(packageText))
	})
	folder, file := open(t, t.TempDir(), nil), expect(t, s.URL, packageText)
	write(t, folder.Path(file), packageText[:25]+"x")
	path, err := folder.Get(t.Context(), file)
	if sum, _, _ := blob.SumFile(path); err != nil || sum != file.SHA256 || len(s.requests) != 1 {
		t.Errorf("got %s, %v after %d requests", sum, err, len(s.requests))
	}
}

// TestExpectedEncoding has a file with a Content-Encoding that is that of the file itself, as some
// servers send it for archives.
func TestExpectedEncoding(t *testing.T) {
	for _, text := range []string{packageText, string(gzipped(packageText))} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(gzipped(packageText))
		})
		if _, err := open(t, t.TempDir(), nil).Get(t.Context(), expect(t, s.URL, text)); err != nil {
			t.Error(err)
		}
	}
}

// TestFixed has a file whose address always has the same content. It is requested once.
func TestFixed(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(packageText))
	})
	folder := open(t, t.TempDir(), nil)
	file := expect(t, s.URL, packageText)
	file.SHA256, file.Fixed = blob.Ref{}, true
	for range 2 {
		if _, err := folder.Get(t.Context(), file); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.requests) != 1 {
		t.Errorf("%d requests, want 1", len(s.requests))
	}
	folder.Remove(file)
	wantFiles(t, folder.Dir)
}

// TestParse has addresses that cannot be downloaded, and what is shown of one that can.
func TestParse(t *testing.T) {
	for address, want := range map[string]string{
		"ftp://host/x":  "want a URL that begins with http://HOST/ or https://HOST/, found ftp://host",
		"https:///x":    "want a URL that begins with http://HOST/ or https://HOST/, found https://",
		"https://%zz/x": "the URL is malformed",
	} {
		if _, err := Parse(address, Kind{}); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", address, err, want)
		}
	}
	file, err := Parse("https://user:password@host/x?sig=secret&v=1#part", Kind{})
	if want := "https://host/x?sig=…&v=1"; err != nil || file.Name() != want || file.Login.String() != "user:password" {
		t.Errorf("got %s, %s, %v, want %s", file.Name(), file.Login, err, want)
	}
}

// TestAtOnce downloads the same file several times at once. It is requested once.
func TestAtOnce(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(packageText))
	})
	folder, file := open(t, t.TempDir(), nil), expect(t, s.URL, packageText)
	var group errgroup.Group
	for range 8 {
		group.Go(func() error {
			_, err := folder.Get(t.Context(), file)
			return err
		})
	}
	if err := group.Wait(); err != nil || len(s.requests) != 1 {
		t.Errorf("%d requests, want 1, %v", len(s.requests), err)
	}
}
