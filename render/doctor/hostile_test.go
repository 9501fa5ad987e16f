package doctor

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"galbuild/build/tokens"
)

// endless writes a text until the client has gone.
func endless(w http.ResponseWriter, text string) {
	for {
		if _, err := io.WriteString(w, text); err != nil {
			return
		}
	}
}

// bomb is 128 MiB of JSON, compressed.
func bomb(t *testing.T) []byte {
	t.Helper()
	var text bytes.Buffer
	z := gzip.NewWriter(&text)
	part := bytes.Repeat([]byte("["), 1<<20)
	for range 128 {
		if _, err := z.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// TestHostile examines galleries that try to use up the time and the memory of doctor, to make it
// send its secrets elsewhere, and to write to the terminal.
func TestHostile(t *testing.T) {
	token := tokens.New()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.String()+r.Header.Get("Authorization")+r.Header.Get("Referer")+r.Header.Get("Cookie"), "gal_") {
			t.Errorf("another host gets a token: %s %s %v", r.Method, r.URL, r.Header)
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(elsewhere.Close)
	zipped := bomb(t)
	extensions := func(versions int) string {
		one := `{"version":"1.0.0\u001b[2J","files":[{"assetType":"Microsoft.VisualStudio.Services.VSIXPackage","source":"` + elsewhere.URL + `/x.vsix"}],"assetUri":"file:///etc","fallbackAssetUri":"` + elsewhere.URL + `/a"}`
		return `{"results":[{"extensions":[{"publisher":{"publisherName":"../..\u001b]0;x\u0007"},"extensionName":"a\nb","versions":[` +
			strings.TrimSuffix(strings.Repeat(one+",", versions), ",") + `]}]}]}`
	}
	many := extensions(10_000)
	for name, serve := range map[string]http.HandlerFunc{
		"endless":       func(w http.ResponseWriter, _ *http.Request) { endless(w, strings.Repeat("[", 1<<16)) },
		"deep":          func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat("[", 8<<20)) },
		"many versions": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, many) },
		"bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(zipped)
		},
		"redirects": func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				io.WriteString(w, extensions(1))
				return
			}
			w.Header().Set("Location", elsewhere.URL+"/login")
			w.WriteHeader(http.StatusFound)
		},
		"loop": func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				io.WriteString(w, extensions(1))
				return
			}
			w.Header().Set("Location", r.URL.Path)
			w.WriteHeader(http.StatusFound)
		},
		"files": func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				io.WriteString(w, extensions(1))
				return
			}
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		},
		"no headers": func(_ http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err == nil { // otherwise the server does not see that the client has gone
				<-r.Context().Done()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(serve)
			t.Cleanup(server.Close)
			g, err := ParseURL(server.URL + "/t/" + token + "/api")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			r, err := Examine(ctx, Config{Gallery: g, Timeout: 200 * time.Millisecond, Header: http.Header{"Authorization": {"Bearer " + token}, "Cookie": {"x=" + token}}})
			if err != nil {
				t.Fatal(err)
			}
			if r.Count(Failed) == 0 {
				t.Error("nothing is wrong")
			}
			for _, f := range r.Checks {
				if text := f.Text + strings.Join(f.Mend, " "); strings.Contains(text, token) || len(text) > 2000 || strings.Contains(text, "root:") {
					t.Errorf("%s: %.300q", f.Check, text)
				}
			}
		})
	}
}

// TestBurstMemory sends a burst to a gallery with endless responses.
func TestBurstMemory(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { endless(w, strings.Repeat("x", 1<<16)) }))
	t.Cleanup(server.Close)
	g, err := ParseURL(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	x, err := newExamination(Config{Gallery: g, Burst: 20, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer x.client.close()
	x.burst(t.Context())
	if len(x.client.requests) != 20 {
		t.Errorf("%d requests", len(x.client.requests))
	}
	for _, r := range x.client.requests {
		if r.Bytes > maxBurstBody+1 {
			t.Fatalf("a body of %d bytes is in memory, and there are up to %d", r.Bytes, maxBurst)
		}
	}
}
