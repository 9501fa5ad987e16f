package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// credentials returns who the requests come from. Those of roles are asked for through
// base.
func (c *Config) credentials(base http.RoundTripper) *credentials.Credentials {
	switch {
	case c.Anonymous:
		return credentials.NewStatic("", "", "", credentials.SignatureAnonymous)
	case c.AccessKey != "" || c.SecretKey != "":
		return credentials.New(&chain{sources: []source{{"the configuration", pair{func() (string, string, string) {
			return c.AccessKey, c.SecretKey, c.SessionToken
		}}}}})
	}
	var sources []source
	if c.oss {
		sources = append(sources,
			source{"OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET", environment("OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN")},
			source{"ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET", environment("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN")})
	}
	sources = append(sources,
		source{"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", environment("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")},
		source{fmt.Sprintf("profile %q of the shared files", cmp.Or(os.Getenv("AWS_PROFILE"), "default")), &credentials.FileAWSCredentials{}})
	if !c.oss {
		sources = append(sources, source{"a role", &credentials.IAM{Client: &http.Client{Transport: base, Timeout: roleTimeout}}})
	}
	return credentials.New(&chain{sources: sources})
}

// roleTimeout is how long a metadata service is waited for, which there may not be.
const roleTimeout = 5 * time.Second

// A source is where credentials may be found.
type source struct {
	name string
	credentials.Provider
}

// A chain is the first source that has credentials. Unlike the one of minio-go it says
// what it has tried, and does not go on as nobody.
type chain struct {
	sources []source
	found   credentials.Provider
}

// RetrieveWithCredContext implements [credentials.Provider].
func (c *chain) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	var tried []string
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
		}
		tried = append(tried, fmt.Sprintf("%s: %v", s.name, err))
	}
	return credentials.Value{}, errCredentials(strings.Join(tried, "; "))
}

// Retrieve implements [credentials.Provider].
func (c *chain) Retrieve() (credentials.Value, error) {
	return c.RetrieveWithCredContext(&credentials.CredContext{Client: http.DefaultClient, Context: context.Background()})
}

// IsExpired implements [credentials.Provider].
func (c *chain) IsExpired() bool { return c.found == nil || c.found.IsExpired() }

// errCredentials tells of each source why it has none.
type errCredentials string

func (e errCredentials) Error() string { return "no credentials: " + string(e) }

// A pair is what get returns: a key, its secret and a token.
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
