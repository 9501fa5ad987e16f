package dropboxtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
)

type pathArg struct {
	Path string `json:"path"`
}

func (s *Server) download(w http.ResponseWriter, r *http.Request, arg []byte) (any, *apiError, error) {
	var a pathArg
	if err := decode(arg, &a); err != nil {
		return nil, nil, err
	}
	existing, ok := s.items[strings.ToLower(a.Path)]
	switch {
	case !ok:
		return nil, refuse("path/not_found"), nil
	case existing.folder:
		return nil, refuse("path/not_file"), nil
	}
	about, err := json.Marshal(s.describe(existing))
	if err != nil {
		return nil, nil, err
	}
	f, err := os.Open(path.Join(s.dir, existing.name))
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Dropbox-API-Result", strings.ToValidUTF8(string(about), ""))
	s.mu.Unlock() // serve other requests meanwhile
	defer s.mu.Lock()
	get := r.Clone(r.Context())
	get.Method = http.MethodGet // ServeContent supports ranges only for GET
	http.ServeContent(w, get, "", existing.modified, f)
	return nil, nil, nil
}

func (s *Server) getMetadata(_ http.ResponseWriter, _ *http.Request, arg []byte) (any, *apiError, error) {
	var a pathArg
	if err := decode(arg, &a); err != nil {
		return nil, nil, err
	}
	existing, ok := s.items[strings.ToLower(a.Path)]
	if !ok {
		return nil, refuse("path/not_found"), nil
	}
	return s.describe(existing), nil, nil
}

func (s *Server) listFolder(_ http.ResponseWriter, _ *http.Request, arg []byte) (any, *apiError, error) {
	var a struct {
		Path      string `json:"path"`
		Recursive bool   `json:"recursive"`
		Limit     int    `json:"limit"`
	}
	err := decode(arg, &a)
	lower := strings.ToLower(a.Path)
	existing, ok := s.items[lower]
	switch {
	case err != nil || a.Path == "/" || a.Limit > 2000 || !a.Recursive:
		return nil, nil, fmt.Errorf("request body: %s", arg)
	case !ok && lower != "":
		return nil, refuse("path/not_found"), nil
	case lower != "" && !existing.folder:
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

func (s *Server) listContinue(_ http.ResponseWriter, _ *http.Request, arg []byte) (any, *apiError, error) {
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

func (s *Server) copy(_ http.ResponseWriter, _ *http.Request, arg []byte) (any, *apiError, error) {
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
	if apiErr := s.checkPath(lower); apiErr != nil {
		apiErr.summary = strings.Replace(apiErr.summary, "path/", "to/", 1)
		return nil, apiErr, nil
	}
	if to, ok := s.items[lower]; ok {
		kind := map[bool]string{true: "folder", false: "file"}[to.folder]
		return nil, refuse("to/conflict/" + kind), nil
	}
	return map[string]any{"metadata": s.describe(s.put(a.To, from.content))}, nil, nil
}

func (s *Server) deleteBatch(_ http.ResponseWriter, _ *http.Request, arg []byte) (any, *apiError, error) {
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
		existing, ok := s.items[lower]
		switch {
		case i > 0 && s.count%2 == 0: // simulate contention
			s.count++
			entries = append(entries, map[string]any{".tag": "failure", "failure": map[string]any{".tag": "too_many_write_operations"}})
		case !ok:
			entries = append(entries, failure("path_lookup", "not_found"))
		case e.Rev != "" && e.Rev != existing.rev:
			entries = append(entries, failure("path_write", "conflict"))
		default:
			maps.DeleteFunc(s.items, func(p string, _ item) bool { return p == lower || strings.HasPrefix(p, lower+"/") })
			entries = append(entries, map[string]any{".tag": "success", "metadata": s.describe(existing)})
		}
	}
	id := s.id("job-")
	s.jobs[id] = &job{response: map[string]any{".tag": "complete", "entries": entries}}
	return map[string]any{".tag": "async_job_id", "async_job_id": id}, nil, nil
}

func failure(tag, why string) any {
	return map[string]any{".tag": "failure", "failure": map[string]any{".tag": tag, tag: map[string]any{".tag": why}}}
}

func (s *Server) deleteCheck(_ http.ResponseWriter, _ *http.Request, arg []byte) (any, *apiError, error) {
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
	if j.polls++; j.polls == 1 {
		return map[string]any{".tag": "in_progress"}, nil, nil
	}
	return j.response, nil, nil
}
