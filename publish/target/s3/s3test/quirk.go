package s3test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/minio/minio-go/v7/pkg/signer"
)

// A Quirk is a behaviour of another server that a proxy in front of versitygw imitates. Each field
// may be nil.
type Quirk struct {
	// Refuse sends a response instead of the server, and reports whether it did.
	Refuse func(w http.ResponseWriter, r *http.Request) bool
	// Request changes a request, which is then signed again, and reports whether it did.
	Request func(r *http.Request) bool
	// Response changes a response, and reports whether it did.
	Response func(r *http.Response) bool
}

// Quirky is a server with a quirk: a proxy to versitygw.
type Quirky struct {
	URL  string
	Host string
	Met  atomic.Int64 // how often the quirk was applied
}

// Behind starts the proxy and stops it when the test ends.
func (s *Server) Behind(t testing.TB, q Quirk) *Quirky {
	t.Helper()
	to, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	quirky := &Quirky{}
	gateway := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host // the signature covers it
			if q.Request != nil && q.Request(r.Out) {
				quirky.Met.Add(1)
				s.sign(r.Out)
			}
		},
		ModifyResponse: func(r *http.Response) error {
			if q.Response != nil && q.Response(r) {
				quirky.Met.Add(1)
			}
			return nil
		},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if q.Refuse != nil && q.Refuse(w, r) {
			quirky.Met.Add(1)
			return
		}
		gateway.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	quirky.URL, quirky.Host = proxy.URL, proxy.Listener.Addr().String()
	return quirky
}

// sign signs a request again.
func (s *Server) sign(r *http.Request) {
	r.Header.Del("Authorization")
	host := r.Host
	if r.Header.Get("X-Amz-Content-Sha256") == "" {
		r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	}
	*r = *signer.SignV4(*r, s.AccessKey, s.SecretKey, "", "us-east-1")
	r.Host = host
}

// Refuse sends an S3 error response. Without a code, its body is empty.
func Refuse(w http.ResponseWriter, status int, code, message string) {
	if code == "" {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
}
