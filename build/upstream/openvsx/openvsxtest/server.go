// Package openvsxtest is a stand-in for Open VSX 1.2's published interface, for tests: the real
// registry cannot be reached from them.
//
// It serves packages from files, in the form and under the addresses of the real server: queries
// and searches with pages, hashes, signature archives that are signed with a key of its own, and
// the feed of changes. Downloads are redirected to a second server, the storage. It checks what it
// is sent: parameters that the interface does not have, a size of more than 1,000, an unknown path
// and a missing User-Agent are problems, which [Server.Problems] returns. [Config] can limit the
// requests, and [Server.Fail] makes it fail in the ways in which networks and registries do. It
// records each request, and how many bytes of each file it has sent.
//
// Source: RegistryAPI.java and the classes that it calls, in
// https://github.com/eclipse-openvsx/openvsx/tree/12f5b0008465c90cba3da45cf90247dce702740c/server/src/main/java/org/eclipse/openvsx
package openvsxtest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config has the settings of a server. The zero value works.
type Config struct {
	// Packages are files of packages. Next to x.vsix, x.vsix.json may have what the registry
	// knows and the package does not; see [Extra].
	Packages []string
	// Page is how many entries a page has at most, so that tests of pages need few packages. 0
	// is as many as a request asks for.
	Page int
	// Limit is how many requests are served before one gets status 429. 0 is no limit.
	Limit int
	// RetryAfter is how many seconds that response asks to wait.
	RetryAfter int
	// Now is the time of changes in the feed. nil is [time.Now].
	Now func() time.Time
}

// Faults of [Server.Fail].
const (
	WrongHash      = "hash"      // the file with the hash has another one
	NoHash         = "no-hash"   // there is no file with the hash
	WrongSignature = "signature" // the signature is that of other bytes
	Cut            = "cut"       // the first transfer of each package ends in the middle
	Other          = "other"     // the storage has other bytes of the same size
	Down           = "down"      // all responses have status 503
	NoFeed         = "no-feed"   // there is no feed of changes, as before Open VSX 1.1
)

// Faults returns the kinds of faults.
func Faults() []string {
	return []string{WrongHash, NoHash, WrongSignature, Cut, Other, Down, NoFeed}
}

// Server is a registry. Its methods may be called while it serves.
type Server struct {
	URL     string // of the registry
	Storage string // address of the storage

	config   Config
	api, cdn *httptest.Server
	key      ed25519.PrivateKey

	lock     sync.Mutex
	packages []*pkg // newest version first, as the registry sorts them
	changes  []change
	faults   map[string]bool // KIND, or KIND and an id
	cut      map[string]bool // files whose first transfer was cut
	used     int             // requests since the last status 429
	requests []string
	problems []string
	sent     map[string]int64 // bytes of bodies, by the names of files
}

// New starts a registry with packages. The caller closes it.
func New(c Config) (*Server, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Server{
		config: c, faults: map[string]bool{}, cut: map[string]bool{}, sent: map[string]int64{},
	}
	seed := sha256.Sum256([]byte("the key of a registry for tests"))
	s.key = ed25519.NewKeyFromSeed(seed[:])
	for _, file := range c.Packages {
		if err := s.add(file, false); err != nil {
			return nil, err
		}
	}
	s.sort()
	s.lock.Lock() // the port may be one that a client of another server still knows
	defer s.lock.Unlock()
	s.api = httptest.NewServer(s.recorded("", s.limited(s.registry())))
	s.cdn = httptest.NewServer(s.recorded("storage", http.HandlerFunc(s.storage)))
	s.URL, s.Storage = s.api.URL, s.cdn.URL
	return s, nil
}

// Close stops the server.
func (s *Server) Close() {
	s.api.Close()
	s.cdn.Close()
}

// Requests returns the requests since the last call of Clear: METHOD PATH STATUS. The paths of
// requests to the storage begin with "storage/".
func (s *Server) Requests() []string {
	s.lock.Lock()
	defer s.lock.Unlock()
	return slices.Clone(s.requests)
}

// Sent returns how many bytes of each file were sent since the last call of Clear.
func (s *Server) Sent() map[string]int64 {
	s.lock.Lock()
	defer s.lock.Unlock()
	return maps.Clone(s.sent)
}

// Problems returns what was wrong with the requests: that they do not follow the interface, or that
// a file was sent more than once.
func (s *Server) Problems() []string {
	s.lock.Lock()
	defer s.lock.Unlock()
	problems := slices.Clone(s.problems)
	for _, p := range s.packages {
		for name, file := range p.files {
			sent := s.sent[name]
			if strings.HasPrefix(name, p.name()) && sent > int64(len(file)) { // not package.json, which all have
				problems = append(problems, fmt.Sprintf("%s has %d bytes, and %d were sent", name, len(file), sent))
			}
		}
	}
	return problems
}

// Clear forgets requests, problems and what was sent.
func (s *Server) Clear() {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.requests, s.problems = nil, nil
	clear(s.sent)
}

// Fail makes the server fail with the package of an id, publisher.name, or with all if id is "".
func (s *Server) Fail(fault, id string) error {
	if !slices.Contains(Faults(), fault) {
		return fmt.Errorf("there is no fault %q, only %s", fault, strings.Join(Faults(), ", "))
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	s.faults[strings.TrimSuffix(fault+" "+strings.ToLower(id), " ")] = true
	return nil
}

// Repair ends all faults.
func (s *Server) Repair() {
	s.lock.Lock()
	defer s.lock.Unlock()
	clear(s.faults)
}

// fails reports whether there is a fault. The lock is held.
func (s *Server) fails(fault string, p *pkg) bool {
	return s.faults[fault] || p != nil && s.faults[fault+" "+p.id()]
}

// problem records a problem of a request, and responds with status 400.
func (s *Server) problem(w http.ResponseWriter, r *http.Request, format string, arguments ...any) {
	text := fmt.Sprintf(format, arguments...)
	s.problems = append(s.problems, r.Method+" "+r.URL.RequestURI()+": "+text)
	respondError(w, http.StatusBadRequest, text)
}

// recorded records the requests of a handler, which the lock protects.
func (s *Server) recorded(prefix string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.lock.Lock()
		defer s.lock.Unlock()
		recorder := &recorder{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			s.requests = append(s.requests, fmt.Sprintf("%s %s%s %d", r.Method, prefix, r.URL.RequestURI(), recorder.status))
			if prefix != "" && r.Method == http.MethodGet && recorder.status/100 == 2 {
				s.sent[path.Base(r.URL.Path)] += recorder.bytes
			}
		}()
		if s.check(recorder, r) {
			next.ServeHTTP(recorder, r)
		}
	})
}

// check checks what must be right in every request.
func (s *Server) check(w http.ResponseWriter, r *http.Request) bool {
	agent := r.Header.Get("User-Agent")
	switch {
	case s.faults[Down]:
		respondError(w, http.StatusServiceUnavailable, "the registry is down")
	case agent == "" || strings.HasPrefix(agent, "Go-http-client"):
		s.problem(w, r, "the User-Agent %q does not say who sends the request", agent)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		s.problem(w, r, "the interface is only read here, with GET and HEAD")
	default:
		return true
	}
	return false
}

// limited refuses a request after a number of others, as the filter of Open VSX does.
//
// Source:
// https://github.com/eclipse-openvsx/openvsx/blob/daef4650eaa37881ce9e7a3e4154869a54f1ae38/server/src/main/java/org/eclipse/openvsx/ratelimit/filter/RateLimitServletFilter.java
func (s *Server) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.config.Limit == 0 {
			next.ServeHTTP(w, r)
			return
		}
		header := w.Header()
		header.Set("X-RateLimit-Limit", fmt.Sprint(s.config.Limit))
		header.Set("X-RateLimit-Remaining", fmt.Sprint(max(0, s.config.Limit-s.used-1)))
		if s.used++; s.used > s.config.Limit {
			s.used = 0
			header.Set("X-RateLimit-Reset", fmt.Sprint(s.config.RetryAfter))
			header.Set("Retry-After", fmt.Sprint(s.config.RetryAfter))
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// A recorder records the status and the size of a response.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap is for [http.ResponseController].
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
