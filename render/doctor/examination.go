package doctor

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"galbuild/build/jsondoc"
)

// An examination has what checks have found, for later ones.
type examination struct {
	Config
	at      Gallery
	client  *client
	results map[string]result
	host    *url.URL // of the service

	certificates []*x509.Certificate // that the server has sent
	popular      *response           // to the first query
	list         gjson.Result        // its extensions
	total        int64               // its TotalCount
	sample       extension           // the extension that most checks look at
	latest       *response           // of the sample
	unknown      *response           // latest of an extension that does not exist
	asset        *response           // the manifest of the sample
	archive      *response           // the package of the sample
	web          webSample
	webFile      *response // its package.json
	galshim      string    // the version of galshim, or ""
	generation   string    // that galshim serves
	signed       time.Time // when its head was signed, according to galshim; zero if that is not known
}

func newExamination(c Config) (*examination, error) {
	host, err := url.Parse(c.Gallery.Service)
	if err != nil {
		return nil, err
	}
	made, err := newClient(c)
	if err != nil {
		return nil, err
	}
	return &examination{Config: c, at: c.Gallery, client: made, results: make(map[string]result), host: host}, nil
}

// Types of criteria and flags of queries.
const (
	byID     = 4
	byName   = 7
	byTarget = 8
	byText   = 10
	excluded = 12

	flagsLatest = 950 // what editors ask in lists
	flagsAll    = 439 // all versions
)

// A criterion is a part of a query.
type criterion struct {
	FilterType int    `json:"filterType"`
	Value      string `json:"value"`
}

// A search is a query as editors send it.
type search struct {
	criteria               []criterion
	page, size, sort, desc int
	flags                  int
}

// body returns the JSON of the query, with the criteria that editors always add.
func (s search) body() []byte {
	type filter struct {
		Criteria   []criterion `json:"criteria"`
		PageNumber int         `json:"pageNumber"`
		PageSize   int         `json:"pageSize"`
		SortBy     int         `json:"sortBy"`
		SortOrder  int         `json:"sortOrder"`
	}
	criteria := append(s.criteria[:len(s.criteria):len(s.criteria)], criterion{byTarget, "Microsoft.VisualStudio.Code"}, criterion{excluded, "4096"})
	text, err := jsondoc.Line(struct {
		Filters    []filter `json:"filters"`
		AssetTypes []string `json:"assetTypes"`
		Flags      int      `json:"flags"`
	}{[]filter{{criteria, max(s.page, 1), s.size, s.sort, s.desc}}, []string{}, s.flags})
	if err != nil {
		panic(err) // numbers and texts
	}
	return text
}

// post sends a query, compressed or not.
func (x *examination) post(ctx context.Context, body []byte, compressed bool) *response {
	return x.client.send(ctx, x.queryRequest(body, compressed))
}

// queryRequest returns the request of a query.
func (x *examination) queryRequest(body []byte, compressed bool) request {
	return request{
		method: http.MethodPost, url: x.at.Service + "/extensionquery", body: body, gzip: compressed,
		accept: "application/json;api-version=3.0-preview.1", header: map[string]string{"Content-Type": "application/json"},
	}
}

// query sends a query and returns its extensions, and an error in the words of a finding.
func (x *examination) query(ctx context.Context, s search) (found []extension, resp *response) {
	if s.flags == 0 {
		s.flags = flagsLatest
	}
	resp = x.post(ctx, s.body(), true)
	text, err := resp.decoded()
	if resp.err == nil {
		resp.err = err
	}
	if resp.err != nil || resp.status != http.StatusOK {
		return nil, resp
	}
	return extensionsOf(gjson.GetBytes(text, "results.0.extensions")), resp
}

// get requests a file as an editor does, and follows redirects.
func (x *examination) get(ctx context.Context, address string) *response {
	return x.client.follow(ctx, request{method: http.MethodGet, url: address})
}

// getJSON requests a document as an editor does.
func (x *examination) getJSON(ctx context.Context, address string) *response {
	return x.client.follow(ctx, request{
		method: http.MethodGet, url: address, gzip: true, accept: "application/json;api-version=7.2-preview",
		header: map[string]string{"Content-Type": "application/json"},
	})
}

// document returns the JSON of a response, and false if it has none.
func (r *response) document() (gjson.Result, bool) {
	text, err := r.decoded()
	if r.err != nil || err != nil || !json.Valid(text) {
		return gjson.Result{}, false
	}
	return gjson.ParseBytes(text), true
}

// An extension is one of a response.
type extension struct{ gjson.Result }

func extensionsOf(list gjson.Result) (all []extension) {
	for _, e := range list.Array() {
		all = append(all, extension{e})
	}
	return all
}

func (e extension) publisher() string { return e.Get("publisher.publisherName").String() }
func (e extension) name() string      { return e.Get("extensionName").String() }

// id returns publisher.name as it is written.
func (e extension) id() string { return e.publisher() + "." + e.name() }

// is reports whether e is the extension with this id.
func (e extension) is(id string) bool { return strings.EqualFold(e.id(), id) }

func (e extension) versions() (all []version) {
	for _, v := range e.Get("versions").Array() {
		all = append(all, version{v})
	}
	return all
}

// A version is one of an extension, for a platform.
type version struct{ gjson.Result }

func (v version) number() string { return v.Get("version").String() }

// platform returns the target platform, or "" for all platforms.
func (v version) platform() string {
	if p := v.Get("targetPlatform").String(); p != "universal" {
		return p
	}
	return ""
}

// assetURI returns the address below which assets are, and whether it is known.
func (v version) assetURI() string { return v.Get("assetUri").String() }

// has reports whether a type is among the files.
func (v version) has(assetType string) bool {
	found := false
	v.Get("files").ForEach(func(_, f gjson.Result) bool {
		found = f.Get("assetType").String() == assetType
		return !found
	})
	return found
}

// property returns the value of a property.
func (v version) property(key string) string {
	for _, p := range v.Get("properties").Array() {
		if p.Get("key").String() == key {
			return p.Get("value").String()
		}
	}
	return ""
}

// Types of assets.
const (
	assetManifest  = "Microsoft.VisualStudio.Code.Manifest"
	assetPackage   = "Microsoft.VisualStudio.Services.VSIXPackage"
	assetIcon      = "Microsoft.VisualStudio.Services.Icons.Default"
	assetDetails   = "Microsoft.VisualStudio.Services.Content.Details"
	assetChangelog = "Microsoft.VisualStudio.Services.Content.Changelog"
	assetSignature = "Microsoft.VisualStudio.Services.VsixSignature"
)

// asset returns the address of an asset as editors make it.
func (v version) asset(kind string) string {
	address := v.assetURI() + "/" + kind
	if p := v.Get("targetPlatform").String(); p != "" {
		address += "?targetPlatform=" + url.QueryEscape(p)
	}
	return address
}

// archive returns the address of the package as editors make it, but without the parameter that
// counts an install.
func (v version) archive() string {
	base := v.Get("fallbackAssetUri").String()
	if base == "" {
		base = v.assetURI()
	}
	address := base + "/" + assetPackage + "?redirect=true"
	if p := v.Get("targetPlatform").String(); p != "" {
		address += "&targetPlatform=" + url.QueryEscape(p)
	}
	return address
}
