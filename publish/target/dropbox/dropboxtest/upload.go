package dropboxtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

type commit struct {
	Path   string          `json:"path"`
	Mode   json.RawMessage `json:"mode"`
	Rename bool            `json:"autorename"`
	Mute   bool            `json:"mute"`
	Strict bool            `json:"strict_conflict"`
}

// mode returns add, overwrite or update, and for update the revision to replace.
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

func (s *Server) upload(_ http.ResponseWriter, r *http.Request, arg []byte) (any, *apiError, error) {
	var a struct {
		commit
		Hash string `json:"content_hash"`
	}
	if err := decode(arg, &a); err != nil {
		return nil, nil, err
	}
	id := s.id("session-")
	c := &content{name: id}
	apiErr, err := s.receive(r, c, a.Hash)
	if apiErr != nil || err != nil {
		return nil, apiErr, err
	}
	s.sessions[id] = c
	created, apiErr, err := s.write(c, a.commit)
	if apiErr != nil { // unlike other calls, upload has the reason in a field of its own
		why := apiErr.body()["error"].(map[string]any)["path"]
		apiErr.more = map[string]any{"reason": why, "upload_session_id": id}
		return nil, apiErr, nil
	}
	return created, nil, err
}

func (s *Server) start(_ http.ResponseWriter, r *http.Request, arg []byte) (any, *apiError, error) {
	var a struct {
		Close bool   `json:"close"`
		Hash  string `json:"content_hash"`
	}
	if err := decode(arg, &a); err != nil {
		return nil, nil, err
	}
	id := s.id("session-")
	c := &content{name: id}
	if apiErr, err := s.receive(r, c, a.Hash); apiErr != nil || err != nil {
		return nil, apiErr, err
	}
	s.sessions[id] = c
	return map[string]any{"session_id": id}, nil, nil
}

type cursor struct {
	ID     string `json:"session_id"`
	Offset int64  `json:"offset"`
}

// session returns the content that a cursor is at the end of, or the tag of an error.
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

func (s *Server) append(w http.ResponseWriter, r *http.Request, arg []byte) (any, *apiError, error) {
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
		return nil, &apiError{wrong, more}, nil
	}
	apiErr, err := s.receive(r, c, a.Hash)
	if apiErr == nil && err == nil {
		fmt.Fprint(w, "null")
	}
	return nil, apiErr, err
}

func (s *Server) finish(_ http.ResponseWriter, r *http.Request, arg []byte) (any, *apiError, error) {
	var a struct {
		Cursor cursor `json:"cursor"`
		Commit commit `json:"commit"`
	}
	if err := decode(arg, &a); err != nil {
		return nil, nil, err
	}
	c, wrong, more := s.session(a.Cursor)
	if wrong != "" {
		return nil, &apiError{"lookup_failed/" + wrong, map[string]any{"lookup_failed": more}}, nil
	}
	if apiErr, err := s.receive(r, c, ""); apiErr != nil || err != nil {
		return nil, apiErr, err
	}
	return s.write(c, a.Commit)
}

// write creates a file from the content of a session.
func (s *Server) write(c *content, to commit) (any, *apiError, error) {
	if err := s.rehash(c); err != nil {
		return nil, nil, err
	}
	lower := strings.ToLower(to.Path)
	if apiErr := s.checkPath(lower); apiErr != nil {
		return nil, apiErr, nil
	}
	display := to.Path
	if existing, ok := s.items[lower]; ok {
		if existing.folder {
			return nil, refuse("path/conflict/folder"), nil
		}
		if existing.hash == c.hash && !to.Strict {
			return s.describe(existing), nil, nil
		}
		if tag, rev := to.mode(); tag == "add" || tag == "update" && rev != existing.rev {
			return nil, refuse("path/conflict/file"), nil
		}
		display = existing.display
	} else if tag, _ := to.mode(); tag == "update" && to.Strict {
		return nil, refuse("path/conflict/file"), nil
	}
	c.closed = true
	return s.describe(s.put(display, c)), nil, nil
}

// checkPath returns an error if no file can be created at a path.
func (s *Server) checkPath(lower string) *apiError {
	for _, name := range strings.Split(strings.TrimPrefix(lower, "/"), "/") {
		if name == "" || strings.ContainsAny(name, "\\\x00") || len(utf16.Encode([]rune(name))) > 255 || strings.TrimRight(name, " ") != name {
			return refuse("path/malformed_path")
		}
		if slices.Contains([]string{".ds_store", "thumbs.db", "desktop.ini", ".dropbox"}, name) {
			return refuse("path/disallowed_name")
		}
	}
	for dir := path.Dir(lower); dir != "/"; dir = path.Dir(dir) {
		if existing, ok := s.items[dir]; ok && !existing.folder {
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
	created := item{display: s.spell(display), rev: s.id("rev"), modified: time.Now(), content: c}
	s.items[strings.ToLower(display)] = created
	return created
}

// spell returns a path with the case of the folders that exist already.
func (s *Server) spell(display string) string {
	dir := path.Dir(display)
	if existing, ok := s.items[strings.ToLower(dir)]; ok {
		dir = s.spell(existing.display)
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
