package openvsxtest

import (
	"bytes"
	"crypto/ed25519"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// storage serves the files of packages, with ETag and Range. Files of packages that were removed
// remain, as they do in a storage with caches.
func (s *Server) storage(w http.ResponseWriter, r *http.Request) {
	dir, name := path.Split(r.URL.Path)
	for _, p := range s.packages {
		file, ok := p.files[name]
		if !ok || p.storagePath() != dir {
			continue
		}
		file = s.damaged(p, name, file)
		if strings.HasSuffix(name, ".vsix") && r.Method == http.MethodGet && s.fails(Cut, p) && !s.cut[name] {
			s.cut[name] = true
			abort(w, file)
		}
		w.Header().Set("ETag", `"`+hash(file)[:32]+`"`)
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", p.extra.LastUpdated, bytes.NewReader(file))
		return
	}
	s.problem(w, r, "the storage has no such file")
}

// damaged returns a file with the faults of the server.
func (s *Server) damaged(p *pkg, name string, file []byte) []byte {
	switch path.Ext(name) {
	case ".sha256":
		if s.fails(WrongHash, p) {
			return []byte(hash([]byte("other bytes")))
		}
	case ".vsix":
		if s.fails(Other, p) {
			file = bytes.Clone(file)
			file[len(file)/2] ^= 1
		}
	case ".sigzip":
		if s.fails(WrongSignature, p) {
			wrong, err := signatureArchive(file, ed25519.Sign(s.key, file))
			if err == nil {
				return wrong
			}
		}
	}
	return file
}

// abort sends half of a file, and ends the connection.
func abort(w http.ResponseWriter, file []byte) {
	w.Header().Set("ETag", `"`+hash(file)[:32]+`"`)
	w.Header().Set("Accept-Ranges", "bytes")
	w.Header().Set("Content-Length", strconv.Itoa(len(file)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(file[:len(file)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}
