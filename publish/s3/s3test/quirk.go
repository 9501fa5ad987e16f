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

// A Quirk is what a server does otherwise than versitygw, which stands behind it and
// does everything else. Each part may be nil.
type Quirk struct {
	// Refuse answers a request in the server's place, and tells whether it has.
	Refuse func(w http.ResponseWriter, r *http.Request) bool
	// Request changes what is passed on, which is then signed anew, and tells whether it
	// has.
	Request func(r *http.Request) bool
	// Response changes what comes back, and tells whether it has.
	Response func(r *http.Response) bool
}

// Quirky is a proxy in front of a server that has a quirk.
type Quirky struct {
	URL  string
	Host string
	Met  atomic.Int64 // how often the quirk has shown
}

// Behind starts the proxy, until the test is over.
func (s *Server) Behind(t testing.TB, q Quirk) *Quirky {
	t.Helper()
	to, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	quirky := &Quirky{}
	real := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host // which is signed
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
		real.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	quirky.URL, quirky.Host = proxy.URL, proxy.Listener.Addr().String()
	return quirky
}

// sign signs a request anew.
func (s *Server) sign(r *http.Request) {
	r.Header.Del("Authorization")
	host := r.Host
	if r.Header.Get("X-Amz-Content-Sha256") == "" {
		r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	}
	*r = *signer.SignV4(*r, s.AccessKey, s.SecretKey, "", "us-east-1")
	r.Host = host
}

// Refuse answers with an error of S3; without a code, with an empty body.
func Refuse(w http.ResponseWriter, status int, code, message string) {
	if code == "" {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
}
