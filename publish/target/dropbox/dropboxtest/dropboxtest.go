// Package dropboxtest is a fake Dropbox server for tests, because there is no server to run
// locally. It has the files of one user and follows the documentation of the HTTP API
// (https://www.dropbox.com/developers/documentation/http and github.com/dropbox/dropbox-api-spec).
//
// It requires the bearer token, the right host and media type of each call, arguments without
// unknown fields, and headers in ASCII. It checks content hashes, revisions and offsets, ignores
// the case of paths, has upload sessions and batch jobs, and returns lists in small pages.
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

// Credentials that the server accepts.
const (
	Token        = "s3cret-token"
	RefreshToken = "s3cret-refresh-token"
	AppKey       = "app-key"
)

// page is the number of entries in a page of a list.
const page = 7

// maxBody is the maximum size of a request body, in bytes.
const maxBody = 150 << 20

// Server stands for api.dropboxapi.com and content.dropboxapi.com. [Transport] sends the requests
// for them to it. It stores the content of files in a folder.
type Server struct {
	dir      string
	mu       sync.Mutex
	items    map[string]item // by path in lower case
	sessions map[string]*content
	jobs     map[string]*job
	lists    map[string][]item // the remaining entries of a list, by cursor
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

// content is the content of an upload session or of files, stored in a local file.
type content struct {
	name   string
	size   int64
	hash   string
	closed bool
}

type job struct {
	polls    int
	response any
}

// New returns a server that stores content in dir.
func New(dir string) *Server {
	return &Server{
		dir: dir, items: map[string]item{}, sessions: map[string]*content{}, jobs: map[string]*job{}, lists: map[string][]item{}, calls: map[string]int{},
	}
}

// Calls returns how often an API function was called, such as files/upload.
func (s *Server) Calls(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[name]
}

// Transport returns a transport that sends requests for Dropbox to the server at an address.
func Transport(address string) http.RoundTripper { return transport(address) }

type transport string

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host = r.URL.Host
	r.URL.Scheme, r.URL.Host = "http", strings.TrimPrefix(string(t), "http://")
	return http.DefaultTransport.RoundTrip(r)
}

// apiError is a response with status 409.
type apiError struct {
	summary string
	more    map[string]any
}

func refuse(summary string) *apiError { return &apiError{summary: summary} }

// A call is an API function. On the host "api" its argument is the body, on the host "content" it
// is a header.
type call struct {
	host string
	run  func(s *Server, w http.ResponseWriter, r *http.Request, arg []byte) (any, *apiError, error)
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
	result, apiErr, err := c.run(s, w, r, arg)
	switch {
	case err != nil:
		bad(w, "Error in call to API function %q: %v", name, err)
	case apiErr != nil:
		respond(w, http.StatusConflict, apiErr.body())
	case result != nil:
		respond(w, http.StatusOK, result)
	}
}

func bad(w http.ResponseWriter, format string, args ...any) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, format, args...)
}

func respond(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// body returns the response body. Like Dropbox, it appends dots to the summary, because clients
// must not compare the whole of it.
func (r *apiError) body() map[string]any {
	tags := strings.Split(r.summary, "/")
	detail := map[string]any{".tag": tags[0]}
	if len(tags) > 1 {
		detail[tags[0]] = map[string]any{".tag": tags[1]}
	}
	maps.Copy(detail, r.more)
	return map[string]any{"error_summary": r.summary + "/...", "error": detail}
}

// grant responds with an access token.
func grant(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("grant_type") != "refresh_token" || r.FormValue("refresh_token") != RefreshToken || r.FormValue("client_id") != AppKey {
		respond(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "refresh token is invalid or revoked"})
		return
	}
	respond(w, http.StatusOK, map[string]any{"access_token": Token, "expires_in": 14400, "token_type": "bearer"})
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
