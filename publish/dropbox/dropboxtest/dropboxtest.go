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
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"maps"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
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

// hasher makes the content hash.
type hasher struct {
	all, block hash.Hash
	n          int
}

func newHasher() *hasher { return &hasher{all: sha256.New(), block: sha256.New()} }

func (h *hasher) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		n := min(len(rest), 4<<20-h.n)
		h.block.Write(rest[:n])
		if h.n += n; h.n == 4<<20 {
			h.flush()
		}
		rest = rest[n:]
	}
	return len(b), nil
}

func (h *hasher) flush() {
	h.all.Write(h.block.Sum(nil))
	h.block.Reset()
	h.n = 0
}

func (h *hasher) String() string {
	if h.n > 0 {
		h.flush()
	}
	return hex.EncodeToString(h.all.Sum(nil))
}

// receive appends a body to a content; want is the body's content hash, or "".
func (s *Server) receive(r *http.Request, c *content, want string) (*refusal, error) {
	part, err := os.CreateTemp(s.dir, "body-")
	if err != nil {
		return nil, err
	}
	defer os.Remove(part.Name())
	defer part.Close()
	h := newHasher()
	s.mu.Unlock() // others are served while the bytes come
	n, err := io.Copy(io.MultiWriter(part, h), r.Body)
	s.mu.Lock()
	switch {
	case err != nil:
		return nil, err
	case n > most:
		return refuse("payload_too_large"), nil
	case want != "" && want != h.String():
		return refuse("content_hash_mismatch"), nil
	}
	return nil, s.join(c, part)
}

func (s *Server) join(c *content, part *os.File) error {
	if _, err := part.Seek(0, io.SeekStart); err != nil {
		return err
	}
	f, err := os.OpenFile(path.Join(s.dir, c.name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := io.Copy(f, part)
	c.size += n
	return err
}

func (s *Server) rehash(c *content) error {
	f, err := os.Open(path.Join(s.dir, c.name))
	if err != nil {
		return err
	}
	defer f.Close()
	h := newHasher()
	_, err = io.Copy(h, f)
	c.hash = h.String()
	return err
}

type commit struct {
	Path   string          `json:"path"`
	Mode   json.RawMessage `json:"mode"`
	Rename bool            `json:"autorename"`
	Mute   bool            `json:"mute"`
	Strict bool            `json:"strict_conflict"`
}

// mode returns add, overwrite or update, and the revision of the last.
func (c commit) mode() (tag, rev string) {
	if json.Unmarshal(c.Mode, &tag) == nil {
		return tag, ""
	}
	var update struct {
		Tag string `json:".tag"`
		Rev string `json:"update"`
	}
	_ = json.Unmarshal(c.Mode, &update)
	return update.Tag, update.Rev
}

func (s *Server) upload(_ http.ResponseWriter, r *http.Request, arg []byte) (any, *refusal, error) {
	var a struct {
		commit
		Hash string `json:"content_hash"`
	}
	if err := decode(arg, &a); err != nil {
		return nil, nil, err
	}
	id := s.id("session-")
	c := &content{name: id}
	refused, err := s.receive(r, c, a.Hash)
	if refused != nil || err != nil {
		return nil, refused, err
	}
	s.sessions[id] = c
	made, refused, err := s.write(c, a.commit)
	if refused != nil { // flat, and with a reason
		why := refused.body()["error"].(map[string]any)["path"]
		refused.more = map[string]any{"reason": why, "upload_session_id": id}
		return nil, refused, nil
	}
	return made, nil, err
}

func (s *Server) start(_ http.ResponseWriter, r *http.Request, arg []byte) (any, *refusal, error) {
	var a struct {
		Close bool   `json:"close"`
		Hash  string `json:"content_hash"`
	}
	if err := decode(arg, &a); err != nil {
		return nil, nil, err
	}
	id := s.id("session-")
	c := &content{name: id}
	if refused, err := s.receive(r, c, a.Hash); refused != nil || err != nil {
		return nil, refused, err
	}
	s.sessions[id] = c
	return map[string]any{"session_id": id}, nil, nil
}

type cursor struct {
	ID     string `json:"session_id"`
	Offset int64  `json:"offset"`
}

// session returns what a cursor is at the end of, or the tag of what is wrong.
func (s *Server) session(at cursor) (*content, string, map[string]any) {
	c := s.sessions[at.ID]
	switch {
	case c == nil:
		return nil, "not_found", nil
	case c.closed:
		return nil, "closed", nil
	case c.size != at.Offset:
		return nil, "incorrect_offset", map[string]any{"correct_offset": c.size}
	}
	return c, "", nil
}

func (s *Server) append(w http.ResponseWriter, r *http.Request, arg []byte) (any, *refusal, error) {
	var a struct {
		Cursor cursor `json:"cursor"`
		Close  bool   `json:"close"`
		Hash   string `json:"content_hash"`
	}
	if err := decode(arg, &a); err != nil {
		return nil, nil, err
	}
	c, wrong, more := s.session(a.Cursor)
	if wrong != "" {
		return nil, &refusal{wrong, more}, nil
	}
	refused, err := s.receive(r, c, a.Hash)
	if refused == nil && err == nil {
		fmt.Fprint(w, "null")
	}
	return nil, refused, err
}

func (s *Server) finish(_ http.ResponseWriter, r *http.Request, arg []byte) (any, *refusal, error) {
	var a struct {
		Cursor cursor `json:"cursor"`
		Commit commit `json:"commit"`
	}
	if err := decode(arg, &a); err != nil {
		return nil, nil, err
	}
	c, wrong, more := s.session(a.Cursor)
	if wrong != "" {
		return nil, &refusal{"lookup_failed/" + wrong, map[string]any{"lookup_failed": more}}, nil
	}
	if refused, err := s.receive(r, c, ""); refused != nil || err != nil {
		return nil, refused, err
	}
	return s.write(c, a.Commit)
}

// write makes a file of what a session holds.
func (s *Server) write(c *content, how commit) (any, *refusal, error) {
	if err := s.rehash(c); err != nil {
		return nil, nil, err
	}
	lower := strings.ToLower(how.Path)
	if refused := s.fits(lower); refused != nil {
		return nil, refused, nil
	}
	display := how.Path
	if is, ok := s.items[lower]; ok {
		if is.folder {
			return nil, refuse("path/conflict/folder"), nil
		}
		if is.hash == c.hash && !how.Strict {
			return s.describe(is), nil, nil
		}
		if tag, rev := how.mode(); tag == "add" || tag == "update" && rev != is.rev {
			return nil, refuse("path/conflict/file"), nil
		}
		display = is.display
	} else if tag, _ := how.mode(); tag == "update" && how.Strict {
		return nil, refuse("path/conflict/file"), nil
	}
	c.closed = true
	return s.describe(s.put(display, c)), nil, nil
}

// fits tells whether a file can be made at a path.
func (s *Server) fits(lower string) *refusal {
	for _, name := range strings.Split(strings.TrimPrefix(lower, "/"), "/") {
		if name == "" || strings.ContainsAny(name, "\\\x00") || len(utf16.Encode([]rune(name))) > 255 || strings.TrimRight(name, " ") != name {
			return refuse("path/malformed_path")
		}
		if slices.Contains([]string{".ds_store", "thumbs.db", "desktop.ini", ".dropbox"}, name) {
			return refuse("path/disallowed_name")
		}
	}
	for dir := path.Dir(lower); dir != "/"; dir = path.Dir(dir) {
		if is, ok := s.items[dir]; ok && !is.folder {
			return refuse("path/conflict/file_ancestor")
		}
	}
	return nil
}

func (s *Server) put(display string, c *content) item {
	for dir := path.Dir(display); dir != "/"; dir = path.Dir(dir) {
		if _, ok := s.items[strings.ToLower(dir)]; !ok {
			s.items[strings.ToLower(dir)] = item{display: dir, folder: true}
		}
	}
	made := item{display: s.spell(display), rev: s.id("rev"), modified: time.Now(), content: c}
	s.items[strings.ToLower(display)] = made
	return made
}

// spell returns a path with its folders as they are spelled already.
func (s *Server) spell(display string) string {
	dir := path.Dir(display)
	if is, ok := s.items[strings.ToLower(dir)]; ok {
		dir = s.spell(is.display)
	}
	return path.Join(dir, path.Base(display))
}

func (s *Server) describe(i item) map[string]any {
	m := map[string]any{".tag": "folder", "name": path.Base(i.display), "path_lower": strings.ToLower(i.display), "path_display": i.display}
	if !i.folder {
		now := i.modified.UTC().Format(time.RFC3339)
		maps.Copy(m, map[string]any{".tag": "file", "rev": i.rev, "size": i.size, "content_hash": i.hash, "server_modified": now, "client_modified": now})
	}
	return m
}

type pathArg struct {
	Path string `json:"path"`
}

func (s *Server) download(w http.ResponseWriter, r *http.Request, arg []byte) (any, *refusal, error) {
	var a pathArg
	if err := decode(arg, &a); err != nil {
		return nil, nil, err
	}
	is, ok := s.items[strings.ToLower(a.Path)]
	switch {
	case !ok:
		return nil, refuse("path/not_found"), nil
	case is.folder:
		return nil, refuse("path/not_file"), nil
	}
	about, err := json.Marshal(s.describe(is))
	if err != nil {
		return nil, nil, err
	}
	f, err := os.Open(path.Join(s.dir, is.name))
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Dropbox-API-Result", strings.ToValidUTF8(string(about), ""))
	s.mu.Unlock() // others are served meanwhile
	defer s.mu.Lock()
	get := r.Clone(r.Context())
	get.Method = http.MethodGet // POST has no ranges elsewhere
	http.ServeContent(w, get, "", is.modified, f)
	return nil, nil, nil
}

func (s *Server) getMetadata(_ http.ResponseWriter, _ *http.Request, arg []byte) (any, *refusal, error) {
	var a pathArg
	if err := decode(arg, &a); err != nil {
		return nil, nil, err
	}
	is, ok := s.items[strings.ToLower(a.Path)]
	if !ok {
		return nil, refuse("path/not_found"), nil
	}
	return s.describe(is), nil, nil
}

func (s *Server) listFolder(_ http.ResponseWriter, _ *http.Request, arg []byte) (any, *refusal, error) {
	var a struct {
		Path      string `json:"path"`
		Recursive bool   `json:"recursive"`
		Limit     int    `json:"limit"`
	}
	err := decode(arg, &a)
	lower := strings.ToLower(a.Path)
	is, ok := s.items[lower]
	switch {
	case err != nil || a.Path == "/" || a.Limit > 2000 || !a.Recursive:
		return nil, nil, fmt.Errorf("request body: %s", arg)
	case !ok && lower != "":
		return nil, refuse("path/not_found"), nil
	case lower != "" && !is.folder:
		return nil, refuse("path/not_folder"), nil
	}
	var all []item
	for _, p := range slices.Sorted(maps.Keys(s.items)) {
		if p == lower || strings.HasPrefix(p, lower+"/") {
			all = append(all, s.items[p])
		}
	}
	return s.pageOf(all), nil, nil
}

func (s *Server) pageOf(all []item) map[string]any {
	n := min(page, len(all))
	entries := []any{}
	for _, i := range all[:n] {
		entries = append(entries, s.describe(i))
	}
	cursor := s.id("cursor-")
	s.lists[cursor] = all[n:]
	return map[string]any{"entries": entries, "cursor": cursor, "has_more": n < len(all)}
}

func (s *Server) listContinue(_ http.ResponseWriter, _ *http.Request, arg []byte) (any, *refusal, error) {
	var a struct {
		Cursor string `json:"cursor"`
	}
	if err := decode(arg, &a); err != nil {
		return nil, nil, err
	}
	all, ok := s.lists[a.Cursor]
	if !ok {
		return nil, refuse("reset"), nil
	}
	return s.pageOf(all), nil, nil
}

func (s *Server) copy(_ http.ResponseWriter, _ *http.Request, arg []byte) (any, *refusal, error) {
	var a struct {
		From   string `json:"from_path"`
		To     string `json:"to_path"`
		Rename bool   `json:"autorename"`
	}
	if err := decode(arg, &a); err != nil {
		return nil, nil, err
	}
	from, ok := s.items[strings.ToLower(a.From)]
	if !ok {
		return nil, refuse("from_lookup/not_found"), nil
	}
	lower := strings.ToLower(a.To)
	if refused := s.fits(lower); refused != nil {
		refused.summary = strings.Replace(refused.summary, "path/", "to/", 1)
		return nil, refused, nil
	}
	if to, ok := s.items[lower]; ok {
		kind := map[bool]string{true: "folder", false: "file"}[to.folder]
		return nil, refuse("to/conflict/" + kind), nil
	}
	return map[string]any{"metadata": s.describe(s.put(a.To, from.content))}, nil, nil
}

func (s *Server) deleteBatch(_ http.ResponseWriter, _ *http.Request, arg []byte) (any, *refusal, error) {
	var a struct {
		Entries []struct {
			Path string `json:"path"`
			Rev  string `json:"parent_rev"`
		} `json:"entries"`
	}
	if err := decode(arg, &a); err != nil || len(a.Entries) > 1000 {
		return nil, nil, fmt.Errorf("request body: %d entries, %w", len(a.Entries), err)
	}
	entries := []any{}
	for i, e := range a.Entries {
		lower := strings.ToLower(e.Path)
		is, ok := s.items[lower]
		switch {
		case i > 0 && s.count%2 == 0: // as on a busy day
			s.count++
			entries = append(entries, map[string]any{".tag": "failure", "failure": map[string]any{".tag": "too_many_write_operations"}})
		case !ok:
			entries = append(entries, failure("path_lookup", "not_found"))
		case e.Rev != "" && e.Rev != is.rev:
			entries = append(entries, failure("path_write", "conflict"))
		default:
			maps.DeleteFunc(s.items, func(p string, _ item) bool { return p == lower || strings.HasPrefix(p, lower+"/") })
			entries = append(entries, map[string]any{".tag": "success", "metadata": s.describe(is)})
		}
	}
	id := s.id("job-")
	s.jobs[id] = &job{answer: map[string]any{".tag": "complete", "entries": entries}}
	return map[string]any{".tag": "async_job_id", "async_job_id": id}, nil, nil
}

func failure(tag, why string) any {
	return map[string]any{".tag": "failure", "failure": map[string]any{".tag": tag, tag: map[string]any{".tag": why}}}
}

func (s *Server) deleteCheck(_ http.ResponseWriter, _ *http.Request, arg []byte) (any, *refusal, error) {
	var a struct {
		ID string `json:"async_job_id"`
	}
	if err := decode(arg, &a); err != nil {
		return nil, nil, err
	}
	j := s.jobs[a.ID]
	if j == nil {
		return nil, refuse("invalid_async_job_id"), nil
	}
	if j.looks++; j.looks == 1 {
		return map[string]any{".tag": "in_progress"}, nil, nil
	}
	return j.answer, nil, nil
}
