package headers

import (
	"net/http"
	"testing"
)

func TestPrivate(t *testing.T) {
	for cache, want := range map[string]string{
		Immutable:  "private, max-age=31536000, immutable",
		ShortLived: "private, max-age=300",
		Private:    "private, max-age=300",
		Revalidate: "private, no-cache",
		NoStore:    "no-store",
		"":         "private",
	} {
		h := http.Header{"Cache-Control": {cache}}
		SetPrivate(h)
		if got := h.Get("Cache-Control"); got != want || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%q: %q, want %q, and no referrer", cache, h, want)
		}
	}
}
