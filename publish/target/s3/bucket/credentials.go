package bucket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// credentials returns the sources of credentials, or nil for none. Credentials of roles are
// requested through base.
func (c *Config) credentials(base http.RoundTripper) *chain {
	switch {
	case c.Anonymous:
		return nil
	case c.AccessKey != "" || c.SecretKey != "":
		return &chain{sources: []source{{"the configuration", pair{func() (string, string, string) {
			return c.AccessKey, c.SecretKey, c.SessionToken
		}}}}}
	case c.Profile != "":
		return &chain{sources: []source{c.profile(base)}}
	}
	var sources []source
	if c.oss {
		sources = append(sources,
			source{"OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET", environment("OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN")},
			source{"ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET", environment("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN")})
	}
	sources = append(sources,
		source{"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", environment("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")},
		c.profile(base))
	if !c.oss && (roleNamed() || !strings.EqualFold(os.Getenv("AWS_EC2_METADATA_DISABLED"), "true")) {
		sources = append(sources, source{"a role", &credentials.IAM{Client: &http.Client{Transport: base, Timeout: roleTimeout}}})
	}
	return &chain{sources: sources, orAnonymous: os.Getenv("AWS_PROFILE") == "" && !roleNamed() && c.role == nil}
}

func (c *Config) profile(base http.RoundTripper) source {
	s := source{fmt.Sprintf("profile %q of the shared files", cmp.Or(c.Profile, os.Getenv("AWS_PROFILE"), "default")), &credentials.FileAWSCredentials{Profile: c.Profile}}
	if c.role != nil {
		s.Provider = c.role.provider(base)
	}
	return s
}

// roleNamed reports whether the environment names a role other than the machine's own.
func roleNamed() bool {
	return slices.ContainsFunc([]string{
		"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
	}, func(name string) bool { return os.Getenv(name) != "" })
}

// roleTimeout limits the wait for a metadata service, which may not exist.
const roleTimeout = 5 * time.Second

// A source is a place to look for credentials.
type source struct {
	name string
	credentials.Provider
}

// A chain uses the first source that has credentials. Unlike the chain of minio-go, it reports
// which sources it has tried. If no source is configured, requests are anonymous, which is enough
// to read a public bucket. If a source is configured but fails, that is an error.
type chain struct {
	sources     []source
	orAnonymous bool
	found       credentials.Provider   // the source that is in use; nil before the first request
	tried       atomic.Pointer[string] // each source with its error, if there are no credentials
}

// missing returns each source with its error, or "" if there are credentials.
func (c *chain) missing() string {
	if c == nil || c.tried.Load() == nil {
		return ""
	}
	return *c.tried.Load()
}

// RetrieveWithCredContext implements [credentials.Provider].
func (c *chain) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	var tried []string
	absent := c.orAnonymous
	for _, s := range c.sources {
		value, err := s.RetrieveWithCredContext(cc)
		if cc != nil && cc.Context != nil && cc.Context.Err() != nil {
			return credentials.Value{}, cc.Context.Err()
		}
		if err == nil && value.AccessKeyID != "" && value.SecretAccessKey != "" {
			c.found = s
			return value, nil
		}
		if err == nil {
			err = errors.New("not set")
		} else {
			absent = absent && isAbsent(s, err)
		}
		tried = append(tried, fmt.Sprintf("%s: %v", s.name, err))
	}
	all := strings.Join(tried, "; ")
	if absent {
		c.tried.Store(&all)
		c.found = anonymous{}
		return credentials.Value{SignerType: credentials.SignatureAnonymous}, nil
	}
	return credentials.Value{}, errCredentials(all)
}

// isAbsent reports whether a source has no credentials because none were configured there.
func isAbsent(s source, err error) bool {
	switch s.Provider.(type) {
	case *credentials.IAM:
		return true // the machine's role: there is no metadata service
	case *credentials.FileAWSCredentials:
		return errors.Is(err, os.ErrNotExist) || strings.Contains(err.Error(), "does not exist") // no file, or no such profile
	}
	return false
}

// An anonymous provider has no credentials and never expires.
type anonymous struct{ pair }

// Retrieve implements [credentials.Provider].
func (c *chain) Retrieve() (credentials.Value, error) {
	return c.RetrieveWithCredContext(&credentials.CredContext{Client: http.DefaultClient, Context: context.Background()})
}

// IsExpired implements [credentials.Provider].
func (c *chain) IsExpired() bool { return c.found == nil || c.found.IsExpired() }

// errCredentials names each source and why it has no credentials.
type errCredentials string

func (e errCredentials) Error() string { return "no credentials: " + string(e) }

// A pair is a provider of the credentials that get returns, which never expire.
type pair struct {
	get func() (key, secret, token string)
}

func environment(key, secret, token string) pair {
	return pair{func() (string, string, string) { return os.Getenv(key), os.Getenv(secret), os.Getenv(token) }}
}

// RetrieveWithCredContext implements [credentials.Provider].
func (p pair) RetrieveWithCredContext(*credentials.CredContext) (credentials.Value, error) {
	key, secret, token := p.get()
	if (key == "") != (secret == "") {
		return credentials.Value{}, errors.New("only one of the two is set")
	}
	return credentials.Value{AccessKeyID: key, SecretAccessKey: secret, SessionToken: token, SignerType: credentials.SignatureV4}, nil
}

// Retrieve implements [credentials.Provider].
func (p pair) Retrieve() (credentials.Value, error) { return p.RetrieveWithCredContext(nil) }

// IsExpired implements [credentials.Provider].
func (p pair) IsExpired() bool { return false }
