package headers

import "net/http"

// A Header is a header of every response, whatever its status.
type Header struct {
	Name      string   // in canonical form
	Values    []string // one; a slice, so that it can be put into an [http.Header]
	Preflight bool     // only in responses to OPTIONS
	Nginx     string   // name of its variable in the printed configuration
}

// Value returns the value of the header.
func (h Header) Value() string { return h.Values[0] }

// every has the headers of every response. Pages of all origins may read responses, because editors
// run in browsers, and desktop editors are pages too. Browsers must not guess media types. The
// response to a preflight request names the headers that editors send, because a wildcard does not
// cover Authorization, and older browsers do not support it.
var every = []Header{
	{Name: "Access-Control-Allow-Origin", Values: []string{"*"}, Nginx: "origin"},
	{Name: "Access-Control-Expose-Headers", Values: []string{"activityid"}, Nginx: "expose"},
	{Name: "Access-Control-Allow-Methods", Values: []string{"GET, HEAD, POST, OPTIONS"}, Preflight: true, Nginx: "allow_methods"},
	{Name: "Access-Control-Allow-Headers", Values: []string{"*, Authorization, Content-Type, VSCode-SessionId, " +
		"X-Market-Client-Id, X-Market-User-Id, X-Market-Search-Activity-Id, " +
		"X-Client-Name, X-Client-Version, X-Client-Commit, X-Machine-Id"}, Preflight: true, Nginx: "allow_headers"},
	{Name: "Access-Control-Max-Age", Values: []string{"86400"}, Preflight: true, Nginx: "allow_seconds"},
	{Name: "Cross-Origin-Resource-Policy", Values: []string{"cross-origin"}, Nginx: "resource"},
	{Name: "X-Content-Type-Options", Values: []string{"nosniff"}, Nginx: "sniff"},
}

// Every returns the headers of every response. The caller must not change them.
func Every() []Header { return every }

// SetEvery adds the headers of every response to a request with that method.
func SetEvery(h http.Header, method string) {
	for i := range every {
		if x := &every[i]; !x.Preflight || method == http.MethodOptions {
			h[x.Name] = x.Values
		}
	}
}
