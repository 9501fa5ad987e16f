package rest

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"galbuild/build/retry"
)

// StatusError is a response whose status is not 2xx.
type StatusError struct {
	Host   string
	Status int
	Body   []byte // its first 64 KiB
	// Attempts is the number of earlier attempts. The server may have processed each of them.
	Attempts int
}

// Error implements error.
func (r *StatusError) Error() string {
	switch r.Status {
	case http.StatusProxyAuthRequired:
		return "the proxy requires credentials; " + retry.ProxyLogin
	case http.StatusRequestEntityTooLarge:
		return fmt.Sprintf("%s does not accept bodies of this size; raise the limit of the proxy in front of it (%s)", r.Host, r.text())
	}
	return fmt.Sprintf("%s refused the request (%s)", r.Host, r.text())
}

func (r *StatusError) text() string { return fmt.Sprintf("%d %s", r.Status, http.StatusText(r.Status)) }

// IsStatus reports whether err is a [*StatusError] with that status.
func IsStatus(err error, status int) bool {
	e, ok := errors.AsType[*StatusError](err)
	return ok && e.Status == status
}

func (c *Client) statusError(response *http.Response) error {
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxErrorBody))
	if err != nil {
		return err
	}
	status := &StatusError{Host: response.Request.URL.Host, Status: response.StatusCode, Body: body}
	if retry.IsTemporaryStatus(response) || c.temporary != nil && c.temporary(status) {
		return retry.Temporary(status, response)
	}
	return status
}
