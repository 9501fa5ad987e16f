package upstream

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRange(t *testing.T) {
	const text = "0123456789"
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(text))
	})
	for _, x := range []struct {
		from, length int64
		want         string
	}{{0, 3, "012"}, {7, 3, "789"}, {7, 9, "789"}, {-1, 4, "6789"}, {-1, 99, text}} {
		part, size, err := newRequests(t).Range(t.Context(), address, x.from, x.length)
		if err != nil || string(part) != x.want || size != 10 {
			t.Errorf("%+v: %q of %d, %v", x, part, size, err)
		}
	}
	_, _, err := newRequests(t).Range(t.Context(), address, 10, 1)
	wantError(t, err, "416")
}

// TestRangeRefused has servers that send something else than the part.
func TestRangeRefused(t *testing.T) {
	for response, want := range map[string]string{
		"":                              "sends the whole file",
		"bytes 0-3/10":                  "another part", // longer
		"bytes 1-3/10":                  "another part",
		"bytes 0-2/2":                   "another part",
		"bytes 2-0/10":                  "another part",
		"bytes -1-1/10":                 "another part",
		"bytes 0-2":                     "another part",
		"bytes 0-2/*":                   "another part",
		"bytes 4-6/10":                  "another part", // neither the beginning nor the end
		"items 0-2/10":                  "another part",
		"bytes 0-9223372036854775808/1": "another part",
	} {
		address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if response != "" {
				w.Header().Set("Content-Range", response)
				w.WriteHeader(http.StatusPartialContent)
			}
			_, _ = io.WriteString(w, "0123456789")
		})
		_, _, err := newRequests(t).Range(t.Context(), address, 0, 3)
		wantError(t, err, want)
		if response != "" {
			_, _, err := newRequests(t).Range(t.Context(), address, -1, 3) // the end
			wantError(t, err, want)
		}
		if errors.Is(err, ErrUnsupported) != (response == "") {
			t.Errorf("%s: wrong kind of error: %v", response, err)
		}
	}
}

// TestRangeBroken breaks the first connection within the part.
func TestRangeBroken(t *testing.T) {
	attempts := 0
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		attempts++
		w.Header().Set("Content-Range", "bytes 0-2/10")
		w.Header().Set("Content-Length", "3")
		w.WriteHeader(http.StatusPartialContent)
		fmt.Fprint(w, "012"[:min(attempts, 2)+attempts/2])
	})
	part, _, err := newRequests(t).Range(t.Context(), address, 0, 3)
	if err != nil || string(part) != "012" || attempts != 2 {
		t.Errorf("%q after %d attempts, %v", part, attempts, err)
	}
}
