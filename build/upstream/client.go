package upstream

import (
	"cmp"
	"fmt"
	"net/http"
	"sync"

	"golang.org/x/time/rate"

	"galbuild/build/retry"
)

// Config has the settings of the client that sends requests to upstreams and downloads packages.
// The zero value works.
type Config struct {
	// CA is a file of PEM certificates that are trusted in addition to the system's.
	CA string
	// Rate is how many requests are sent to each host in a second at most. 0 is five.
	Rate float64
	// Agent is the header User-Agent, so that the operator of an upstream can see who sends
	// requests. "" is galbuild.
	Agent string
	// Transport sends the requests. nil is that of [retry.NewTransport].
	Transport http.RoundTripper
	// Sleep waits between attempts. nil is [retry.Wait].
	Sleep retry.Sleep
}

// DefaultRate is how many requests are sent to each host in a second, unless [Config] sets another
// number. It is what Gitpod's mirror of Open VSX used, and a third of what the sample configuration
// of Open VSX allows.
const DefaultRate = 5

// minRate keeps a request from waiting for its turn so long that it counts as stalled.
const minRate = 0.1

// NewClient returns a client that sends each host a limited number of requests in a second, and its
// User-Agent with each of them. Requests that redirects lead to count too.
func NewClient(c Config) (*retry.Client, error) {
	perSecond := cmp.Or(c.Rate, DefaultRate)
	if !(perSecond >= minRate) { // also if it is not a number
		return nil, fmt.Errorf("a rate of %g requests per second is not possible; it must be at least %g",
			perSecond, minRate)
	}
	if c.Transport == nil {
		transport, err := retry.NewTransport(c.CA)
		if err != nil {
			return nil, err
		}
		c.Transport = transport
	}
	polite := &limited{
		next: c.Transport, agent: cmp.Or(c.Agent, "galbuild"), rate: rate.Limit(perSecond),
		hosts: map[string]*rate.Limiter{},
	}
	return retry.New(retry.Config{Transport: polite, Sleep: c.Sleep})
}

// limited is a transport that limits the rate of requests to each host. It has no burst: requests
// are spread evenly.
type limited struct {
	next  http.RoundTripper
	agent string
	rate  rate.Limit

	lock  sync.Mutex
	hosts map[string]*rate.Limiter
}

// RoundTrip waits until it is the request's turn, and sends it.
func (l *limited) RoundTrip(request *http.Request) (*http.Response, error) {
	if err := l.host(request.URL.Host).Wait(request.Context()); err != nil {
		if request.Body != nil {
			_ = request.Body.Close()
		}
		return nil, err
	}
	request = request.Clone(request.Context())
	request.Header.Set("User-Agent", l.agent)
	return l.next.RoundTrip(request)
}

// host returns the limiter of a host.
func (l *limited) host(name string) *rate.Limiter {
	l.lock.Lock()
	defer l.lock.Unlock()
	limiter, ok := l.hosts[name]
	if !ok {
		limiter = rate.NewLimiter(l.rate, 1)
		l.hosts[name] = limiter
	}
	return limiter
}
