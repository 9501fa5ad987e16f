package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"

	"github.com/dustin/go-humanize"

	"galbuild/build/errmsg"
	"galbuild/build/retry"
)

// MaxBody is the limit of the body of a response, in bytes, after it has been decompressed. The
// largest known one, that of an extension with 3,866 versions, has 8.9 MB.
const MaxBody = 32 << 20

// Requests sends requests whose responses fit into memory, such as lists. Its methods repeat
// requests by the rules of package retry, and may be called by several goroutines at once. Their
// errors name the host, but not the URL, which may contain secrets. For status 404 and 410, they
// wrap ErrNotFound.
type Requests struct {
	Client *retry.Client
	// Cache is a folder in which responses of Get are stored, so that the upstream need not
	// send what has not changed. It is made if it does not exist. "" is none.
	Cache string
	// Header is sent with each request, such as Accept. It may be nil.
	Header http.Header
	// Log gets a message about each request that is repeated. It may be nil.
	Log *slog.Logger
}

// Get returns the body of a response. If the cache has it, the request asks only for what has
// changed.
func (r Requests) Get(ctx context.Context, address string) ([]byte, error) {
	stored := r.load(address)
	var body []byte
	err := r.send(ctx, http.MethodGet, address, nil, stored.conditions(), func(response *http.Response) error {
		if response.StatusCode == http.StatusNotModified && stored != nil {
			body = stored.body
			return nil
		}
		if err := checkStatus(response); err != nil {
			return err
		}
		var err error
		if body, err = readBody(response); err != nil {
			return err
		}
		// The cache only saves requests. If the disk is full, the download is what fails.
		_ = r.store(address, response, body)
		return nil
	})
	return body, err
}

// Post sends a body of a type, and returns the body of the response.
func (r Requests) Post(ctx context.Context, address, mediaType string, body []byte) ([]byte, error) {
	var received []byte
	header := http.Header{"Content-Type": {mediaType}}
	err := r.send(ctx, http.MethodPost, address, body, header, func(response *http.Response) error {
		err := checkStatus(response)
		if err == nil {
			received, err = readBody(response)
		}
		return err
	})
	return received, err
}

// Size returns the size in bytes of what is at an address, without downloading it. It is -1 if the
// server does not say, for example because it refuses the method HEAD, as storage does with an
// address that is signed for GET.
func (r Requests) Size(ctx context.Context, address string) (int64, error) {
	size := int64(-1)
	header := http.Header{"Accept-Encoding": {"identity"}}
	err := r.send(ctx, http.MethodHead, address, nil, header, func(response *http.Response) error {
		switch response.StatusCode {
		case http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusNotImplemented:
			return nil
		}
		size = response.ContentLength
		return checkStatus(response)
	})
	if err != nil {
		return -1, err
	}
	return size, nil
}

// send repeats a request until handle returns nil or an error that is not temporary.
func (r Requests) send(
	ctx context.Context, method, address string, body []byte, header http.Header,
	handle func(*http.Response) error,
) error {
	host := hostOf(address)
	for retries := 0; ; retries++ {
		err := r.try(ctx, method, address, body, header, handle)
		if err == nil {
			r.Client.Succeeded(host)
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		pause, final := r.Client.Pause(host, retries, err)
		if final != nil {
			return final
		}
		if r.Log != nil {
			r.Log.Warn("request is tried again", "wait", pause, "error", errmsg.Text(err))
		}
		if err := r.Client.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// hostOf returns the host of an address, "" if that is malformed.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// try makes one attempt.
func (r Requests) try(
	ctx context.Context, method, address string, body []byte, header http.Header,
	handle func(*http.Response) error,
) error {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return errors.New("the address of a request is malformed") // err contains the address
	}
	maps.Copy(request.Header, r.Header)
	maps.Copy(request.Header, header)
	response, err := r.Client.Send(request)
	if err != nil {
		return unreachable{fmt.Errorf("%s: %w", request.URL.Host, err)}
	}
	defer response.Body.Close()
	return handle(response)
}

// checkStatus returns an error unless the status is 200.
func checkStatus(response *http.Response) error {
	host := response.Request.URL.Host
	var err error
	switch response.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusNotFound, http.StatusGone:
		return fmt.Errorf("%s: %w (%s)", host, ErrNotFound, response.Status)
	case http.StatusUnauthorized:
		err = fmt.Errorf("%s does not accept the request without credentials, or not with these", host)
	case http.StatusForbidden:
		err = fmt.Errorf("%s does not allow the request", host)
	case http.StatusProxyAuthRequired:
		err = errors.New("the proxy requires credentials; " + retry.ProxyLogin)
	case http.StatusTooManyRequests:
		err = fmt.Errorf("%s has received too many requests", host)
	default:
		err = fmt.Errorf("%s cannot respond to the request", host)
	}
	err = fmt.Errorf("%w (%s)", err, response.Status)
	if retry.IsTemporaryStatus(response) {
		return retry.Temporary(err, response)
	}
	return err
}

// readBody reads the body of a response, up to its limit.
func readBody(response *http.Response) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(response.Body, MaxBody+1))
	switch host := response.Request.URL.Host; {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", host, err)
	case len(body) > MaxBody:
		return nil, fmt.Errorf("%s sends more than %s, which is the limit of a response",
			host, humanize.IBytes(MaxBody))
	}
	return body, nil
}
