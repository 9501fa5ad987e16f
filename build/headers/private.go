package headers

import (
	"net/http"
	"strings"
)

// PrivateCache returns the Cache-Control of a response that only its client may store, instead of
// the one that it has in a gallery that everybody may read.
func PrivateCache(cache string) string {
	rest, public := strings.CutPrefix(cache, "public")
	switch {
	case public:
		return "private" + rest
	case cache == "":
		return "private"
	case strings.HasPrefix(cache, "private"), cache == NoStore:
		return cache
	}
	return "private, " + cache
}

// SetPrivate changes the headers of a response of a gallery whose clients need a token. Shared
// caches may not store the response, and browsers send its address, which may have the token, to
// no other address.
func SetPrivate(h http.Header) {
	h["Cache-Control"] = []string{PrivateCache(h.Get("Cache-Control"))}
	h["Referrer-Policy"] = noReferrer
}

var noReferrer = []string{NoReferrer}
