package artifactory

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

type roundTrip func(r *http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body.Close()
	}
	return f(r)
}

// FuzzResponse sends responses that no server should send. The result is an error, or
// entries below the requested prefix.
func FuzzResponse(f *testing.F) {
	for _, seed := range []string{
		`{"uri":"http://host/artifactory/api/storage/vsix","files":[{"uri":"/CURRENT","size":120,"lastModified":"2026-01-01T00:00:00.000Z","folder":false}]}`,
		`{"files":[{"uri":"/../../x","size":"-1","lastModified":"2026-01-01T00:00:00Z"}]}`,
		`{"errors":[{"status":404,"message":"Unable to find item"}]}`, `null`, `{"files":null}`, `{"files":[null]}`, `[]`,
	} {
		f.Add(200, []byte(seed))
		f.Add(409, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 599 {
			return
		}
		requests := 0
		target, err := New(Config{
			URL: "http://host/artifactory", Repo: "vsix", Token: "t",
			sleep: func(context.Context, time.Duration) error { return context.Canceled },
			Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				if requests++; requests > 8 {
					return nil, errors.New("enough")
				}
				return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		const prefix = "index/"
		for e, err := range target.List(t.Context(), prefix) {
			if err == nil && !strings.HasPrefix(e.Key, prefix) {
				t.Errorf("%q is listed below %q", e.Key, prefix)
			}
		}
		if r, err := target.Get(t.Context(), "index/CURRENT", 0, -1); err == nil {
			io.Copy(io.Discard, r)
			r.Close()
		}
		_ = target.Delete(t.Context(), []string{"index/x"})
	})
}
