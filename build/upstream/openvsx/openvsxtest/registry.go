package openvsxtest

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// keyID is the public id of the key of the registry.
const keyID = "92dea4de-80b5-4577-b27d-44cdcda82c63"

// registry returns the handler of the interface.
func (s *Server) registry() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v2/-/query", s.query)
	mux.HandleFunc("/api/-/search", s.search)
	mux.HandleFunc("/api/-/version-changes", s.feed)
	mux.HandleFunc("/api/-/public-key/{id}", s.publicKey)
	mux.HandleFunc("/api/{namespace}", s.namespace)
	mux.HandleFunc("/api/{namespace}/{extension}/{version}/file/{name}", s.file)
	mux.HandleFunc("/api/{namespace}/{extension}/{platform}/{version}/file/{name}", s.file)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.problem(w, r, "the interface, or this stand-in, does not have the path")
	})
	return mux
}

// respond responds with JSON, and with an ETag, as the filter of Open VSX does.
func respond(w http.ResponseWriter, r *http.Request, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		respondError(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("ETag", `"0`+hash(text)[:32]+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
}

func respondError(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": text})
}

// parameters checks the parameters of a request, and returns size and offset.
func (s *Server) parameters(w http.ResponseWriter, r *http.Request, size, smallest int, allowed ...string) (url.Values, int, int, bool) {
	q := r.URL.Query()
	for key := range q {
		if !slices.Contains(allowed, key) {
			s.problem(w, r, "the interface has no parameter %q here", key)
			return nil, 0, 0, false
		}
	}
	numbers := map[string]int{"size": size, "offset": 0}
	for key, lowest := range map[string]int{"size": smallest, "offset": 0} {
		text := q.Get(key)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < lowest || key == "size" && n > 1000 {
			s.problem(w, r, "%s: parameter must be a number, not negative, and not exceed 1000", key)
			return nil, 0, 0, false
		}
		numbers[key] = n
	}
	return q, numbers["size"], numbers["offset"], true
}

// queryResult is a page of a query or a search.
type queryResult struct {
	Offset     int   `json:"offset"`
	TotalSize  int   `json:"totalSize"`
	Extensions []any `json:"extensions"`
}

// paged returns a page of all.
func (s *Server) paged(all []any, size, offset int) queryResult {
	from := min(offset, len(all))
	size = s.pageSize(size)
	return queryResult{offset, len(all), append([]any{}, all[from:min(from+size, len(all))]...)}
}

// pageSize returns how many entries a page has if a request asks for size.
func (s *Server) pageSize(size int) int {
	if s.config.Page > 0 {
		return min(size, s.config.Page)
	}
	return size
}

// query responds to /api/v2/-/query.
func (s *Server) query(w http.ResponseWriter, r *http.Request) {
	q, size, offset, ok := s.parameters(w, r, 100, 0, "namespaceName", "extensionName", "extensionVersion",
		"extensionId", "includeAllVersions", "targetPlatform", "size", "offset")
	if !ok {
		return
	}
	if id := q.Get("extensionId"); id != "" {
		parts := strings.Split(id, ".")
		if len(parts) != 2 || parts[0] == "" || parts[1] == "" {
			s.problem(w, r, "The 'extensionId' parameter must have the format 'namespace.extension'.")
			return
		}
		q.Set("namespaceName", parts[0])
		q.Set("extensionName", parts[1])
	}
	everything := cmp.Or(q.Get("includeAllVersions"), "links")
	if !slices.Contains([]string{"true", "false", "links"}, everything) {
		s.problem(w, r, "Invalid includeAllVersions value: %s.", everything)
		return
	}
	var all []any
	newest := map[string]bool{}
	for _, p := range s.packages {
		if p.inactive || !matches(p, q) {
			continue
		}
		if key := p.id() + "@" + p.platform; everything == "true" || !newest[key] {
			newest[key] = true
			all = append(all, s.extension(p))
		}
	}
	w.Header().Set("Cache-Control", "max-age=300, must-revalidate, public")
	respond(w, r, s.paged(all, size, offset))
}

// matches reports whether a package is one of a query.
func matches(p *pkg, q url.Values) bool {
	for key, value := range map[string]string{
		"namespaceName": p.manifest.Publisher, "extensionName": p.manifest.Name,
		"extensionVersion": p.manifest.Version, "targetPlatform": p.platform,
	} {
		if want := q.Get(key); want != "" && !strings.EqualFold(want, value) {
			return false
		}
	}
	return true
}

// search responds to /api/-/search.
func (s *Server) search(w http.ResponseWriter, r *http.Request) {
	q, size, offset, ok := s.parameters(w, r, 18, 0,
		"query", "category", "targetPlatform", "size", "offset", "sortOrder", "sortBy", "includeAllVersions")
	if !ok {
		return
	}
	sortBy := cmp.Or(q.Get("sortBy"), "relevance")
	if !slices.Contains([]string{"relevance", "timestamp", "rating", "downloadCount"}, sortBy) {
		s.problem(w, r, "sortBy parameter must be 'relevance', 'timestamp', 'rating' or 'downloadCount'")
		return
	}
	var found []*pkg
	seen := map[string]bool{}
	for _, p := range s.packages {
		if p.inactive || seen[p.id()] {
			continue
		}
		seen[p.id()] = true // only the newest version is in the search index
		if p.isFoundBy(q.Get("query"), q.Get("category")) {
			found = append(found, p)
		}
	}
	slices.SortStableFunc(found, func(a, b *pkg) int { return sortKey(b, sortBy) - sortKey(a, sortBy) })
	all := make([]any, len(found))
	for i, p := range found {
		all[i] = s.entry(p)
	}
	if size+offset > 10_000 { // the window of the search index
		all = nil
	}
	w.Header().Set("Cache-Control", "no-cache, public")
	respond(w, r, s.paged(all, size, offset))
}

func sortKey(p *pkg, sortBy string) int {
	switch sortBy {
	case "timestamp":
		return int(p.extra.LastUpdated.Unix())
	case "rating":
		return int(p.extra.Statistics.AverageRating * 100)
	}
	return int(p.extra.Statistics.Install) // a part of the relevance
}

// isFoundBy reports whether a package has a text and a category.
func (p *pkg) isFoundBy(text, category string) bool {
	m := &p.manifest
	fields := strings.ToLower(strings.Join(append([]string{m.Publisher, m.Name, m.DisplayName, m.Description}, m.Keywords...), " "))
	return strings.Contains(fields, strings.ToLower(text)) && (category == "" || slices.Contains(m.Categories, category))
}

// namespace responds to /api/{namespace}.
func (s *Server) namespace(w http.ResponseWriter, r *http.Request) {
	wanted := r.PathValue("namespace")
	extensions, name := map[string]string{}, ""
	verified := false
	for _, p := range s.packages {
		if !p.inactive && strings.EqualFold(p.manifest.Publisher, wanted) {
			name, verified = p.manifest.Publisher, !p.extra.Unverified
			extensions[p.manifest.Name] = s.URL + "/api/" + name + "/" + p.manifest.Name
		}
	}
	if name == "" {
		respondError(w, http.StatusNotFound, "Namespace not found: "+wanted)
		return
	}
	respond(w, r, map[string]any{"name": name, "extensions": extensions, "verified": verified})
}

// publicKey responds to /api/-/public-key/{id}.
func (s *Server) publicKey(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("id") != keyID {
		http.NotFound(w, r)
		return
	}
	key, err := x509.MarshalPKIXPublicKey(s.key.Public())
	if err != nil {
		respondError(w, http.StatusInternalServerError, err.Error())
		return
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: key})
	w.Header().Set("Cache-Control", "max-age=86400, public")
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("ETag", `"0`+hash(text)[:32]+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
}

// file redirects to the storage, as the registry does for its files. As there, a request with HEAD
// also gets the address.
func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	p := s.find(r.PathValue("namespace"), r.PathValue("extension"), cmp.Or(r.PathValue("platform"), universal), r.PathValue("version"))
	name := r.PathValue("name")
	if p == nil || p.files[name] == nil || strings.HasSuffix(name, ".sha256") && s.fails(NoHash, p) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "max-age=604800, public")
	http.Redirect(w, r, s.Storage+p.storagePath()+url.PathEscape(name), http.StatusFound)
}

// find returns the active package of an address, or nil.
func (s *Server) find(namespace, name, platform, version string) *pkg {
	for _, p := range s.packages {
		if !p.inactive && p.platform == platform && strings.EqualFold(p.manifest.Publisher, namespace) &&
			strings.EqualFold(p.manifest.Name, name) && p.manifest.Version == version {
			return p
		}
	}
	return nil
}

// path returns the path of a package below an address, with a slash at the end.
func (p *pkg) path(withUniversal bool) string {
	path := "/" + p.manifest.Publisher + "/" + p.manifest.Name + "/"
	if withUniversal || p.platform != universal {
		path += p.platform + "/"
	}
	return path + p.manifest.Version + "/"
}

func (p *pkg) storagePath() string { return p.path(false) }

// extension returns the ExtensionJson of a package.
func (s *Server) extension(p *pkg) any {
	m := &p.manifest
	base := s.URL + "/api/" + m.Publisher + "/" + m.Name
	aliases := []string{}
	if s.isLatest(p) {
		aliases = append(aliases, map[bool]string{false: "latest", true: "pre-release"}[p.preRelease])
	}
	e := map[string]any{
		"namespaceUrl": s.URL + "/api/" + m.Publisher, "reviewsUrl": base + "/reviews",
		"allVersionsUrl": base + "/versions", "url": s.URL + "/api" + strings.TrimSuffix(p.path(true), "/"),
		"files": s.fileURLs(p), "namespace": m.Publisher, "name": m.Name, "version": m.Version,
		"targetPlatform": p.platform, "preRelease": p.preRelease, "versionAlias": aliases,
		"publishedBy":                    map[string]string{"loginName": "somebody", "provider": "github"},
		"publishedWithTrustedPublishing": false,
		"verified":                       !p.extra.Unverified, "timestamp": javaTime(p.extra.LastUpdated), "preview": m.Preview,
		"displayName": m.DisplayName, "namespaceDisplayName": cmp.Or(p.extra.Publisher.DisplayName, m.Publisher),
		"description": m.Description, "engines": m.Engines, "categories": m.Categories, "tags": m.Keywords,
		"dependencies": s.references(m.Dependencies), "bundledExtensions": s.references(m.Pack),
		"downloadCount": p.extra.Statistics.Install, "reviewCount": p.extra.Statistics.RatingCount,
		"deprecated": p.extra.Deprecated, "downloadable": !p.extra.Undownloaded,
	}
	if m.License != "" {
		e["license"] = m.License
	}
	if p.extra.Statistics.RatingCount > 0 {
		e["averageRating"] = p.extra.Statistics.AverageRating
	}
	if publisher, name, ok := strings.Cut(p.extra.Replacement, "."); ok {
		e["replacement"] = map[string]string{"url": s.URL + "/api/" + publisher + "/" + name, "displayName": name}
	}
	return e
}

// isLatest reports whether a package has the newest version of its channel and platform.
func (s *Server) isLatest(p *pkg) bool {
	i := slices.IndexFunc(s.packages, func(q *pkg) bool {
		return !q.inactive && q.id() == p.id() && q.platform == p.platform && q.preRelease == p.preRelease
	})
	return i >= 0 && s.packages[i] == p
}

// fileURLs returns the addresses of the files of a package.
func (s *Server) fileURLs(p *pkg) map[string]string {
	base := s.URL + "/api" + p.path(false) + "file/"
	urls := map[string]string{
		"download": base + url.PathEscape(p.name()+".vsix"), "manifest": base + "package.json",
		"sha256": base + url.PathEscape(p.name()+".sha256"), "signature": base + url.PathEscape(p.name()+".sigzip"),
		"publicKey": s.URL + "/api/-/public-key/" + keyID,
	}
	return urls
}

// references returns extensions that another refers to.
func (s *Server) references(ids []string) []any {
	all := []any{}
	for _, id := range ids {
		publisher, name, _ := strings.Cut(id, ".")
		all = append(all, map[string]string{
			"namespace": publisher, "extension": name, "url": s.URL + "/api/" + publisher + "/" + name,
		})
	}
	return all
}

// entry returns the SearchEntryJson of a package.
func (s *Server) entry(p *pkg) any {
	m := &p.manifest
	return map[string]any{
		"url": s.URL + "/api/" + m.Publisher + "/" + m.Name, "files": s.fileURLs(p),
		"name": m.Name, "namespace": m.Publisher, "version": m.Version, "timestamp": javaTime(p.extra.LastUpdated),
		"verified": !p.extra.Unverified, "downloadCount": p.extra.Statistics.Install,
		"displayName": m.DisplayName, "description": m.Description, "deprecated": p.extra.Deprecated,
	}
}

// javaTime writes a time as Java's LocalDateTime does, in UTC: without seconds if they are zero.
func javaTime(t time.Time) string {
	t = t.UTC()
	if t.Second() == 0 && t.Nanosecond() == 0 {
		return t.Format("2006-01-02T15:04Z")
	}
	return fmt.Sprint(t.Format("2006-01-02T15:04:05.999999"), "Z")
}
