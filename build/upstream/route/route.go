// Package route decides where the requests of a collection are sent, and with which credentials.
//
//	request ─ mirror ▶ another address ─ credentials of its origin ▶ server
//
// An origin is the scheme, the host and the port of an address. Credentials are sent to the origin
// to which they belong and to no other: not to a mirror of it, not to where a redirect leads, and
// not over http if they belong to https. Only this package adds them, so the addresses in clients,
// in the lock and in sidecar files have none.
//
// A mirror changes only where a request is sent. Clients, the lock and sidecar files have the
// original address.
package route

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// Config has the settings of a [Transport].
type Config struct {
	// Next sends the requests.
	Next http.RoundTripper
	// Mirrors are tried in this order. The first one for an address is used.
	Mirrors []Mirror
	// Tokens has bearer tokens: ORIGIN=TOKEN, separated by white space, such as
	// https://gallery.example=s3cret. An origin without a scheme is one of https.
	Tokens string
}

// Transport sends requests to mirrors, and adds credentials. It may be used by several goroutines
// at once.
type Transport struct {
	next    http.RoundTripper
	mirrors []Mirror

	lock        sync.RWMutex
	credentials map[string]string // the header Authorization by origin
}

// New returns a transport.
func New(c Config) (*Transport, error) {
	t := &Transport{next: c.Next, mirrors: c.Mirrors, credentials: map[string]string{}}
	for entry := range strings.FieldsSeq(c.Tokens) {
		if err := t.addToken(entry); err != nil {
			return nil, err
		}
	}
	for _, m := range c.Mirrors {
		t.SetLogin(m.base, m.login)
	}
	return t, nil
}

// addToken adds ORIGIN=TOKEN. Errors do not contain the entry, which may be a token alone.
func (t *Transport) addToken(entry string) error {
	const want = "want https://HOST=TOKEN"
	text, token, ok := strings.Cut(entry, "=")
	if !ok || token == "" {
		return fmt.Errorf("a token without an address; %s", want)
	}
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || !isWeb(u) || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery+u.Fragment != "" {
		return fmt.Errorf("a token with an address that is not that of a host; %s", want)
	}
	t.SetToken(u, token)
	return nil
}

// SetToken sets the bearer token for the origin of an address.
func (t *Transport) SetToken(u *url.URL, token string) { t.set(u, "Bearer "+token) }

// SetLogin sets the user and password for the origin of an address. nil changes nothing.
func (t *Transport) SetLogin(u *url.URL, login *url.Userinfo) {
	if login == nil {
		return
	}
	password, _ := login.Password()
	t.set(u, "Basic "+base64.StdEncoding.EncodeToString([]byte(login.Username()+":"+password)))
}

func (t *Transport) set(u *url.URL, authorization string) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.credentials[originOf(u)] = authorization
}

// RoundTrip implements [http.RoundTripper]. The response has the request that was sent, so that
// errors name the host that has responded.
func (t *Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	to := t.mirrorOf(request.URL)
	sent := request.Clone(request.Context())
	if to != nil {
		sent.URL, sent.Host = to, ""
		if originOf(to) != originOf(request.URL) {
			sent.Header.Del("Authorization")
		}
	}
	t.lock.RLock()
	authorization := t.credentials[originOf(sent.URL)]
	t.lock.RUnlock()
	if authorization != "" && sent.Header.Get("Authorization") == "" {
		sent.Header.Set("Authorization", authorization)
	}
	response, err := t.next.RoundTrip(sent)
	if err == nil && to != nil {
		resolveLocation(response, to)
	}
	return response, err
}

// resolveLocation makes the address of a redirect absolute. It is relative to the mirror, but the
// client only knows the original address.
func resolveLocation(response *http.Response, base *url.URL) {
	if location := response.Header.Get("Location"); location != "" {
		if u, err := base.Parse(location); err == nil {
			response.Header.Set("Location", u.String())
		}
	}
}

func (t *Transport) mirrorOf(u *url.URL) *url.URL {
	for i := range t.mirrors {
		if to := t.mirrors[i].address(u); to != nil {
			return to
		}
	}
	return nil
}

func isWeb(u *url.URL) bool { return (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" }

// originOf returns the scheme, the host and the port of an address in one form: in lower case, and
// without the port of the scheme.
func originOf(u *url.URL) string {
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	host = strings.TrimSuffix(host, map[string]string{"https": ":443", "http": ":80"}[scheme])
	return scheme + "://" + host
}
