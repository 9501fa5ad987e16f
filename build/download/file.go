package download

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"

	"galbuild/build/blob"
)

// File is a file to download.
type File struct {
	URL    *url.URL      // without credentials and fragment
	Login  *url.Userinfo // credentials for the host of URL, or nil
	SHA256 blob.Ref      // expected; zero if it is not known
	Size   int64         // expected, in bytes; -1 if it is not known
	Fixed  bool          // what is at URL never changes, and is requested once
	Kind   Kind
}

// Kind says what a file must be, so that a server's error page is not taken for it.
type Kind struct {
	Name   string // for messages, such as "package"
	Suffix string // of the file in the folder, such as .vsix
	Limit  string // name of the limit Config.MaxBytes in messages
	// Is reports whether a file may begin so; nil: any file may. At most 512 bytes are given.
	Is func(start []byte) bool
	// Verify reads a whole file that was downloaded in parts; nil: nothing is to be verified.
	Verify func(file *os.File, start []byte) error
}

// Parse returns the file at an address of http or https, with its credentials. No hash and no size
// are expected.
func Parse(address string, kind Kind) (File, error) {
	u, err := url.Parse(address)
	if err != nil {
		return File{}, errors.New("the URL is malformed")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return File{}, fmt.Errorf("want a URL that begins with http://HOST/ or https://HOST/, found %s://%s",
			u.Scheme, u.Host)
	}
	login := u.User
	u.User, u.Fragment = nil, ""
	return File{URL: u, Login: login, Size: -1, Kind: kind}, nil
}

// Name returns the address for messages, without secrets.
func (f File) Name() string { return WithoutSecrets(f.URL.String()) }

var (
	userinfo = regexp.MustCompile(`(://)[^/?#]*@`)
	secrets  = regexp.MustCompile(
		`(?i)([?&][^&=]*(?:sig|token|key|secret|passw|credential)[^&=]*=)[^&#]*`)
)

// WithoutSecrets returns a URL for messages: without credentials, and without the values of
// parameters that sign a download.
func WithoutSecrets(address string) string {
	return secrets.ReplaceAllString(userinfo.ReplaceAllString(address, "$1"), "$1…")
}

// wrongKindError returns the error for a file that begins with something else than its kind.
func (j *job) wrongKindError(start []byte) error {
	kind := http.DetectContentType(start)
	switch {
	case len(start) == 0:
		kind = "an empty response"
	case strings.HasPrefix(kind, "text/html"):
		return fmt.Errorf("%s sent an HTML page instead of a %s; perhaps it requires a login",
			j.URL.Host, j.Kind.Name)
	case strings.HasPrefix(kind, "text/"):
		first, _, _ := bytes.Cut(bytes.TrimSpace(start), []byte("\n"))
		kind = fmt.Sprintf("%.80q", first)
	}
	return fmt.Errorf("%s sent %s instead of a %s", j.URL.Host, kind, j.Kind.Name)
}
