// Package dropboxtest is a stand-in for Dropbox, for tests: the files of one user, as
// the published HTTP API describes them
// (https://www.dropbox.com/developers/documentation/http and github.com/dropbox/dropbox-api-spec).
// There is none to be run.
//
// It wants the token as Bearer, each call at its host and with its media type, arguments
// without a field it does not know, and headers in ASCII; it checks content hashes,
// revisions and offsets, folds case, keeps sessions and jobs, and gives lists in small
// pages.
package dropboxtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// What requests must know.
const (
	Token        = "s3cret-token"
	RefreshToken = "s3cret-refresh-token"
	AppKey       = "app-key"
)

// page is how many entries a list has at a time.
const page = 7

// most is how many bytes a request may carry.
const most = 150 << 20

// Server answers as api.dropboxapi.com and content.dropboxapi.com, which [Transport]
// takes it for. It keeps contents in a folder.
type Server struct {
	dir      string
	mu       sync.Mutex
	items    map[string]item // by path in lower case
	sessions map[string]*content
	jobs     map[string]*job
	lists    map[string][]item // the rest of a list, by cursor
	count    int
	calls    map[string]int
}

type item struct {
	display  string
	folder   bool
	rev      string
	modified time.Time
	*content
}

// content is bytes in a file, of a session or of files.
type content struct {
	name   string
	size   int64
	hash   string
	closed bool
}

type job struct {
	looks  int
	answer any
}

// New returns a server that keeps contents in dir.
func New(dir string) *Server {
	return &Server{
		dir: dir, items: map[string]item{}, sessions: map[string]*content{}, jobs: map[string]*job{}, lists: map[string][]item{}, calls: map[string]int{},
	}
}

// Calls returns how often something was called, such as files/upload.
func (s *Server) Calls(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[name]
}

// Transport takes what is asked of Dropbox to the server at an address.
func Transport(address string) http.RoundTripper { return transport(address) }

type transport string

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host = r.URL.Host
	r.URL.Scheme, r.URL.Host = "http", strings.TrimPrefix(string(t), "http://")
	return http.DefaultTransport.RoundTrip(r)
}

// refusal is an answer with status 409.
type refusal struct {
	summary string
	more    map[string]any
}

func refuse(summary string) *refusal { return &refusal{summary: summary} }

// A call is at a host, and takes its argument in a header or as body.
type call struct {
	host string
	run  func(s *Server, w http.ResponseWriter, r *http.Request, arg []byte) (any, *refusal, error)
}

func calls() map[string]call {
	return map[string]call{
		"files/upload":                   {"content", (*Server).upload},
		"files/upload_session/start":     {"content", (*Server).start},
		"files/upload_session/append_v2": {"content", (*Server).append},
		"files/upload_session/finish":    {"content", (*Server).finish},
		"files/download":                 {"content", (*Server).download},
		"files/get_metadata":             {"api", (*Server).getMetadata},
		"files/list_folder":              {"api", (*Server).listFolder},
		"files/list_folder/continue":     {"api", (*Server).listContinue},
		"files/copy_v2":                  {"api", (*Server).copy},
		"files/delete_batch":             {"api", (*Server).deleteBatch},
		"files/delete_batch/check":       {"api", (*Server).deleteCheck},
	}
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Host == "api.dropboxapi.com" && r.URL.Path == "/oauth2/token" {
		grant(w, r)
		return
	}
	name, ok := strings.CutPrefix(r.URL.Path, "/2/")
	c, known := calls()[name]
	if !ok || !known || r.Host != c.host+".dropboxapi.com" || r.Method != http.MethodPost {
		bad(w, "Unknown API function: %q at %s", r.URL.Path, r.Host)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+Token {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error_summary": "invalid_access_token/..", "error": {".tag": "invalid_access_token"}}`)
		return
	}
	arg, err := argument(r, name, c.host)
	if err != nil {
		bad(w, "Error in call to API function %q: %v", name, err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[name]++
	result, refused, err := c.run(s, w, r, arg)
	switch {
	case err != nil:
		bad(w, "Error in call to API function %q: %v", name, err)
	case refused != nil:
		answer(w, http.StatusConflict, refused.body())
	case result != nil:
		answer(w, http.StatusOK, result)
	}
}

func bad(w http.ResponseWriter, format string, args ...any) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, format, args...)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// body writes a refusal: dots are added to its summary, which nobody may rely on.
func (r *refusal) body() map[string]any {
	tags := strings.Split(r.summary, "/")
	detail := map[string]any{".tag": tags[0]}
	if len(tags) > 1 {
		detail[tags[0]] = map[string]any{".tag": tags[1]}
	}
	maps.Copy(detail, r.more)
	return map[string]any{"error_summary": r.summary + "/...", "error": detail}
}

// grant gives out an access token.
func grant(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("grant_type") != "refresh_token" || r.FormValue("refresh_token") != RefreshToken || r.FormValue("client_id") != AppKey {
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "refresh token is invalid or revoked"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"access_token": Token, "expires_in": 14400, "token_type": "bearer"})
}

func argument(r *http.Request, name, host string) ([]byte, error) {
	mediaType := r.Header.Get("Content-Type")
	if host == "api" {
		if mediaType != "application/json" {
			return nil, fmt.Errorf("bad HTTP \"Content-Type\" header: %q", mediaType)
		}
		return io.ReadAll(r.Body)
	}
	if want := "application/octet-stream"; name != "files/download" && mediaType != want || name == "files/download" && mediaType != "" {
		return nil, fmt.Errorf("bad HTTP \"Content-Type\" header: %q", mediaType)
	}
	arg := r.Header.Get("Dropbox-API-Arg")
	if strings.ContainsFunc(arg, func(c rune) bool { return c >= 0x7f }) || arg == "" {
		return nil, fmt.Errorf("HTTP header \"Dropbox-API-Arg\": could not decode input as JSON")
	}
	return []byte(arg), nil
}

func decode(arg []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(arg))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

func (s *Server) id(kind string) string {
	s.count++
	return fmt.Sprintf("%s%09x", kind, s.count)
}
