// Package retry sends HTTP requests, and defines which of those that fail are sent again, how often
// and after which pauses. The HTTP clients of galbuild follow these rules:
//
//   - What is retried: a connection that breaks; a stall, in which no data is transferred for two
//     minutes; and a response with status 429, or with status 500 or higher except 501. A service
//     can add to these with [Temporary], for example because its status 409 means that it is busy.
//   - What fails at once: every other status; a certificate that is not trusted; a server that does
//     not speak TLS; a proxy that refuses the connection or requires credentials; a redirect that
//     is not followed; and a host to which no connection can be established. The last is retried
//     if the same client has received a response from the host: before that, the address or the
//     proxy variable is more likely wrong than the server down.
//   - How often: [Retries] times after the first attempt, but once after a stall, because a server
//     that does not respond takes minutes for each attempt. Transfers that continue where they were
//     interrupted count anew after each attempt that makes progress.
//   - How long: the first pause takes 0.2 seconds, and each takes twice as long as the one before,
//     but at most 30 seconds. A random time of up to half of that is added, so that requests that
//     failed together are not repeated together. All pauses take about a minute in total.
//   - What a server can set: with status 429 or 503, the header Retry-After sets the pause, in
//     seconds or as a date. If it is longer than five minutes, the request fails at once.
//   - Redirects: at most ten in a row are followed, and none from https to http. The header
//     Authorization is sent to the host of the first request only.
//
// Errors contain a hint at the likely cause: the proxy variables, the certificate authority, the
// clock, or http:// instead of https://. They do not contain the URL, which may contain secrets.
//
// Two clients differ. galshim sends each request once, and waits for data for 30 seconds: it polls
// a site again anyway. The clients of S3 wait five minutes for a response, and without a limit for
// the data that follows.
//
// [Client.Send] makes one attempt. The caller makes the loop, because only it can continue a
// transfer: after an attempt that failed, it calls [Pause] and [Client.Sleep].
package retry

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Retries is how often a request is repeated after its first attempt.
const Retries = 8

// stallRetries is how often a request is repeated if its last attempt stalled.
const stallRetries = 1

// Limits of the pauses between attempts.
const (
	firstPause = 200 * time.Millisecond
	longPause  = 30 * time.Second
	maxPause   = 5 * time.Minute // the longest pause that a server can set
)

// A temporary error may not occur again when the request is repeated.
type temporary struct {
	error
	response *http.Response // nil if there was none
}

func (t temporary) Unwrap() error { return t.error }

// Temporary marks err as an error that may not occur again when the request is repeated. response
// is the response that is the error, for its header Retry-After, or nil.
func Temporary(err error, response *http.Response) error { return temporary{err, response} }

// IsTemporary reports whether err is marked with [Temporary].
func IsTemporary(err error) bool {
	_, ok := errors.AsType[temporary](err)
	return ok
}

// IsTemporaryStatus reports whether a response is one that is retried, whatever the service.
func IsTemporaryStatus(response *http.Response) bool {
	retried, _ := retryablehttp.ErrorPropagatedRetryPolicy(context.Background(), response, nil)
	return retried
}

// Pause returns how long to wait before the next attempt of a request that failed with err and has
// been retried this many times. It returns err if there must be no further attempt.
func Pause(retries int, err error) (time.Duration, error) {
	failure, ok := errors.AsType[temporary](err)
	if !ok || retries >= Retries || retries >= stallRetries && errors.Is(err, errStalled) {
		return 0, err
	}
	pause := retryablehttp.DefaultBackoff(firstPause, longPause, retries, failure.response)
	if pause < 0 || pause > maxPause { // negative if the number of seconds is too large
		return 0, fmt.Errorf("%w; the server requests a pause of more than %s", err, maxPause)
	}
	return pause + rand.N(pause/2+1).Round(time.Millisecond), nil
}

// Sleep waits for a duration, or returns the context's error once the context is done.
type Sleep = func(context.Context, time.Duration) error

// Wait is a [Sleep] that uses the clock.
func Wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
