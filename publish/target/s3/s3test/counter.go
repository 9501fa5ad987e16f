package s3test

import (
	"cmp"
	"net/http"
	"sync"
)

// Counter is a transport that counts requests.
type Counter struct {
	Base http.RoundTripper // nil is http.DefaultTransport

	mu    sync.Mutex
	count map[string]int
}

// RoundTrip implements [http.RoundTripper].
func (c *Counter) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	if c.count == nil {
		c.count = map[string]int{}
	}
	c.count[r.Method]++
	c.mu.Unlock()
	return cmp.Or[http.RoundTripper](c.Base, http.DefaultTransport).RoundTrip(r)
}

// Take returns how many requests there were since the last Take, by method, and in all.
func (c *Counter) Take() (byMethod map[string]int, all int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	byMethod, c.count = c.count, nil
	for _, n := range byMethod {
		all += n
	}
	return byMethod, all
}
