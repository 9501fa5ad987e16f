// Package repository reads files of a folder of a generic repository of JFrog Artifactory. It is
// the half of package artifactory that galshim links too: the configuration, one GET for each file,
// and the hints in errors.
package repository

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"galbuild/build/retry"
	"galbuild/publish/target"
	"galbuild/publish/target/internal/rest"
	"galbuild/publish/target/internal/weburl"
)

// Config names a folder of a repository and has the credentials for it.
type Config struct {
	// URL is the address of the service, such as https://repo.example.com/artifactory.
	URL string
	// Repo is the key of a local generic repository.
	Repo string
	// Prefix is the folder in it. "" is its root.
	Prefix string
	// Token is the bearer token. The default is the variable ARTIFACTORY_TOKEN. Without either,
	// requests have no token, which is enough to read a public repository.
	Token string
	// CA is a file of PEM certificates that are trusted in addition to the system's.
	CA string
	// Transport sends the requests. The default honours CA and the variables HTTP_PROXY,
	// HTTPS_PROXY and NO_PROXY.
	Transport http.RoundTripper
	// Once sends each request once: the caller repeats it.
	Once bool
	// Stall is how long no data may be transferred; 0 is the default of package retry.
	Stall time.Duration
	// Agent is the header User-Agent. The default is Go's.
	Agent string
	// Sleep waits between attempts. The default uses the clock.
	Sleep retry.Sleep
}

// Repository is a folder of a repository. It implements [target.Reader].
type Repository struct {
	client *rest.Client
	base   string // URL of the service, without a trailing slash
	repo   string
	prefix string // "", or a path with a trailing slash
	token  string
}

// New returns a repository. It sends no request.
func New(c Config) (*Repository, error) {
	base, err := weburl.Parse(c.URL, "https://host/artifactory")
	switch {
	case err != nil:
		return nil, fmt.Errorf("artifactory: %w", err)
	case base.User != nil:
		return nil, errors.New("artifactory: the address contains a user; set ARTIFACTORY_TOKEN instead")
	case c.Repo == "" || strings.Contains(c.Repo, "/"):
		return nil, fmt.Errorf("artifactory: %q is not the key of a repository", c.Repo)
	}
	client, err := rest.New(rest.Config{CA: c.CA, Transport: c.Transport, Once: c.Once, Stall: c.Stall, Agent: c.Agent, Sleep: c.Sleep})
	if err != nil {
		return nil, fmt.Errorf("artifactory: %w", err)
	}
	r := &Repository{client: client, base: strings.TrimRight(c.URL, "/"), repo: c.Repo, token: c.Token}
	if r.token == "" {
		r.token = strings.TrimSpace(os.Getenv("ARTIFACTORY_TOKEN"))
	}
	if prefix := strings.Trim(c.Prefix, "/"); prefix != "" {
		r.prefix = prefix + "/"
	}
	return r, nil
}

// String implements [target.Reader].
func (r *Repository) String() string {
	return strings.TrimRight(r.base+"/"+r.repo+"/"+r.prefix, "/")
}

// Request returns a request about a file. api is the path of the API, or "" for the file itself.
func (r *Repository) Request(method, api, key string) rest.Request {
	request := rest.Request{Method: method, URL: r.base + api + "/" + rest.EscapePath(r.repo+"/"+r.prefix+key), Header: http.Header{}}
	if r.token != "" {
		request.Header.Set("Authorization", "Bearer "+r.token)
	}
	return request
}

// Do sends a request, see [rest.Client.Do].
func (r *Repository) Do(ctx context.Context, request rest.Request, handle func(*http.Response) error) error {
	return r.client.Do(ctx, request, handle)
}

// Get implements [target.Reader].
func (r *Repository) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	section, err := r.client.Open(ctx, r.Request(http.MethodGet, "", key), offset, length, identify)
	if err != nil {
		return nil, r.Failed("get", key, err)
	}
	return section, nil
}

// identify returns the entity tag of an object. For a folder, the server redirects to a page at
// the folder's name with a slash; this is ErrNotExist.
func identify(response *http.Response) (string, error) {
	if strings.HasSuffix(response.Request.URL.Path, "/") {
		return "", target.ErrNotExist
	}
	return response.Header.Get("Etag"), nil
}

// Failed returns err with the operation, the key and a hint.
func (r *Repository) Failed(operation, key string, err error) error {
	if err == nil {
		return nil
	}
	if status, ok := errors.AsType[*rest.StatusError](err); ok {
		err = r.explain(operation, status)
	}
	return fmt.Errorf("%s: %s %s: %w", r, operation, key, err)
}

// explain returns the error response with a hint and the server's message.
func (r *Repository) explain(operation string, e *rest.StatusError) error {
	switch e.Status {
	case http.StatusUnauthorized:
		if r.token == "" {
			return errors.New("the server requires a token: set ARTIFACTORY_TOKEN")
		}
		return fmt.Errorf("the server does not accept the token: set ARTIFACTORY_TOKEN to one that is valid%s", serverMessage(e))
	case http.StatusForbidden:
		needs := "read, deploy and delete"
		if operation == "get" {
			needs = "read"
		}
		return fmt.Errorf("the token lacks a permission: it needs %s in %s%s", needs, r.repo, serverMessage(e))
	case http.StatusNotFound:
		if operation == "get" || operation == "copy" {
			return target.ErrNotExist
		}
		return fmt.Errorf("there is no repository %q, or the URL is not that of the service, which often ends in /artifactory%s", r.repo, serverMessage(e))
	}
	return fmt.Errorf("%w%s", e, serverMessage(e))
}

// serverMessage returns the server's message in parentheses, or "" if there is none.
func serverMessage(e *rest.StatusError) string {
	var body struct{ Errors []struct{ Message string } }
	if json.Unmarshal(e.Body, &body) != nil || len(body.Errors) == 0 {
		return ""
	}
	return fmt.Sprintf(" (the server's message: %q)", body.Errors[0].Message)
}
