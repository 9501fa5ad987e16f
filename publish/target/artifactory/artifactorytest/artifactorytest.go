// Package artifactorytest is a fake Artifactory server for tests, because the real one cannot be
// installed for tests. It has one generic repository and follows the documentation of the REST API
// (https://jfrog.com/help/r/jfrog-rest-apis).
//
// It requires the bearer token, checks checksums, deploys content by its SHA-256, and refuses
// requests with unescaped characters, as the servlet container does.
package artifactorytest

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// The repository and the token that the server accepts.
const (
	Token = "s3cret-token"
	Repo  = "generic-local"
)

// Server serves paths below /artifactory/. It stores the content of files in a folder.
type Server struct {
	// Unchecked makes the server accept content that does not match its checksum, as
	// repositories can be configured.
	Unchecked bool

	dir     string
	mu      sync.Mutex
	files   map[string]file
	folders map[string]bool
	sent    int64
}

type file struct {
	sums     map[string]string
	size     int64
	modified time.Time
}

// New returns a server that stores content in dir.
func New(dir string) *Server {
	return &Server{dir: dir, files: map[string]file{}, folders: map[string]bool{"": true}}
}

// Sent returns how many bytes of content were sent.
func (s *Server) Sent() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/artifactory/")
	if !ok || strings.ContainsFunc(r.RequestURI, mustEscape) {
		w.WriteHeader(http.StatusBadRequest) // from the servlet container, without JSON
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+Token {
		Refuse(w, http.StatusUnauthorized, "Bad credentials")
		return
	}
	api, storage := strings.CutPrefix(rest, "api/storage/")
	rest, _, _ = strings.Cut(api, ";") // a semicolon begins parameters
	rest, err := url.PathUnescape(rest)
	repo, item, _ := strings.Cut(rest, "/")
	if err != nil || repo != Repo {
		Refuse(w, http.StatusNotFound, "Repository "+repo+" not found")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case storage && r.Method == http.MethodGet && r.URL.Query().Has("list"):
		s.list(w, strings.TrimRight(item, "/"), r.URL.Query())
	case storage && r.Method == http.MethodGet:
		s.stat(w, strings.TrimRight(item, "/"))
	case storage:
		Refuse(w, http.StatusMethodNotAllowed, "Method Not Allowed")
	case r.Method == http.MethodGet:
		s.get(w, r, item)
	case r.Method == http.MethodPut:
		s.put(w, r, item)
	case r.Method == http.MethodDelete:
		s.delete(w, strings.TrimRight(item, "/"))
	}
}

// mustEscape reports whether a character must be escaped in a request.
func mustEscape(c rune) bool {
	return c <= ' ' || c >= 0x7f || strings.ContainsRune("\"<>\\^`{|}", c)
}

// Refuse responds with an error in Artifactory's format.
func Refuse(w http.ResponseWriter, status int, message string) {
	respond(w, status, "", map[string]any{"errors": []any{map[string]any{"status": status, "message": message}}})
}

func respond(w http.ResponseWriter, status int, kind string, v any) {
	mediaType := "application/json"
	if kind != "" {
		mediaType = "application/vnd.org.jfrog.artifactory.storage." + kind + "+json"
	}
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func (s *Server) list(w http.ResponseWriter, folder string, query url.Values) {
	if _, ok := s.files[folder]; ok {
		Refuse(w, http.StatusBadRequest, "Expected a folder but found a file, at: "+Repo+":"+folder)
		return
	}
	if !s.folders[folder] {
		Refuse(w, http.StatusNotFound, "Unable to find item")
		return
	}
	all := []any{}
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		rest, ok := strings.CutPrefix("/"+name, strings.TrimRight("/"+folder, "/"))
		if !ok || rest[0] != '/' || query.Get("deep") != "1" && strings.Count(rest, "/") > 1 {
			continue
		}
		f := s.files[name]
		all = append(all, map[string]any{"uri": rest, "size": f.size, "lastModified": stamp(f.modified), "folder": false, "sha1": f.sums["sha1"], "sha2": f.sums["sha256"]})
	}
	respond(w, http.StatusOK, "FileList", map[string]any{"uri": "http://localhost/artifactory/api/storage/" + Repo + "/" + folder, "created": stamp(time.Now()), "files": all})
}

func (s *Server) stat(w http.ResponseWriter, item string) {
	if f, ok := s.files[item]; ok {
		respond(w, http.StatusOK, "FileInfo", s.info(item, f))
		return
	}
	if s.folders[item] {
		respond(w, http.StatusOK, "FolderInfo", map[string]any{"repo": Repo, "path": "/" + item, "children": []any{}})
		return
	}
	Refuse(w, http.StatusNotFound, "Unable to find item")
}

func (s *Server) info(item string, f file) map[string]any {
	return map[string]any{"repo": Repo, "path": "/" + item, "lastModified": stamp(f.modified), "size": fmt.Sprint(f.size), "checksums": f.sums}
}

func (s *Server) get(w http.ResponseWriter, r *http.Request, item string) {
	f, ok := s.files[item]
	switch {
	case ok:
	case s.folders[item]:
		http.Redirect(w, r, r.URL.EscapedPath()+"/", http.StatusFound)
		return
	case s.folders[strings.TrimRight(item, "/")]:
		fmt.Fprint(w, "<!DOCTYPE html><title>Index of it</title>")
		return
	default:
		Refuse(w, http.StatusNotFound, "File not found.")
		return
	}
	w.Header().Set("X-Artifactory-Filename", path.Base(item))
	w.Header().Set("Etag", `"`+f.sums["sha1"]+`"`)
	for kind, sum := range f.sums {
		w.Header().Set("X-Checksum-"+kind, sum)
	}
	content, err := os.Open(s.content(f.sums["sha256"]))
	if err != nil {
		Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	defer content.Close()
	s.mu.Unlock() // serve other requests meanwhile
	defer s.mu.Lock()
	http.ServeContent(w, r, path.Base(item), f.modified, content)
}

func (s *Server) content(sum string) string { return path.Join(s.dir, sum) }

func (s *Server) put(w http.ResponseWriter, r *http.Request, item string) {
	if s.folders[item] || item == "" || strings.HasSuffix(item, "/") {
		Refuse(w, http.StatusBadRequest, "Parent path is a folder: "+item)
		return
	}
	f, status, message := s.receive(r, item)
	if message != "" {
		Refuse(w, status, message)
		return
	}
	f.modified = time.Now()
	s.files[item] = f
	for dir := path.Dir(item); dir != "."; dir = path.Dir(dir) {
		s.folders[dir] = true
	}
	respond(w, http.StatusCreated, "ItemCreated", s.info(item, f))
}

func (s *Server) receive(r *http.Request, item string) (f file, status int, message string) {
	want := r.Header.Get("X-Checksum-Sha256")
	if r.Header.Get("X-Checksum-Deploy") == "true" {
		for _, f := range s.files {
			if f.sums["sha256"] == want {
				return f, 0, ""
			}
		}
		return f, http.StatusNotFound, "Checksum deploy failed. No existing file with SHA256: " + want
	}
	temp, err := os.CreateTemp(s.dir, "upload-")
	if err != nil {
		return f, http.StatusInternalServerError, err.Error()
	}
	defer os.Remove(temp.Name()) // has no effect after the rename
	defer temp.Close()
	md, sha, sha2 := md5.New(), sha1.New(), sha256.New()
	s.mu.Unlock() // serve other requests while the body is received
	f.size, err = io.Copy(io.MultiWriter(temp, md, sha, sha2), r.Body)
	s.mu.Lock()
	s.sent += f.size
	if err != nil {
		return f, http.StatusBadRequest, err.Error()
	}
	f.sums = map[string]string{"md5": hex.EncodeToString(md.Sum(nil)), "sha1": hex.EncodeToString(sha.Sum(nil)), "sha256": hex.EncodeToString(sha2.Sum(nil))}
	if got := f.sums["sha256"]; want != "" && got != want && !s.Unchecked {
		return f, http.StatusConflict, fmt.Sprintf("Checksum error for '%s': received '%s' but actual is '%s'", item, want, got)
	}
	if err := os.Rename(temp.Name(), s.content(f.sums["sha256"])); err != nil {
		return f, http.StatusInternalServerError, err.Error()
	}
	return f, 0, ""
}

// delete removes a file, or a folder with everything in it. Parent folders stay.
func (s *Server) delete(w http.ResponseWriter, item string) {
	below := func(name string) bool { return name == item || strings.HasPrefix(name, item+"/") }
	before := len(s.files) + len(s.folders)
	maps.DeleteFunc(s.files, func(name string, _ file) bool { return below(name) })
	maps.DeleteFunc(s.folders, func(name string, _ bool) bool { return below(name) })
	if len(s.files)+len(s.folders) == before {
		Refuse(w, http.StatusNotFound, "Could not locate artifact '"+Repo+":"+item+"'.")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
