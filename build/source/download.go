package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/sync/errgroup"

	"galbuild/build/vsix"
	"galbuild/build/wording"
)

// parallel is how many downloads run at a time: more would not be faster, and
// less polite.
const parallel = 4

// Waits between tries. A server that asks for a longer one is not waited for.
const (
	shortWait = time.Second
	longWait  = 30 * time.Second
	maxWait   = 2 * time.Minute
)

// A download is one URL on its way into the folder.
type download struct {
	Config
	spec
	name  string        // to show
	url   *url.URL      // without credentials
	login *url.Userinfo // the credentials, or nil
	base  string        // path of its files, without what tells them apart
	err   error
}

// download gets the URLs.
func (x *expansion) download() {
	downloads := x.downloads()
	group := errgroup.Group{}
	group.SetLimit(parallel)
	for _, d := range downloads {
		group.Go(func() error {
			defer vsix.Contain(&d.err) // other downloads continue
			d.err = d.run(x.ctx)
			return nil
		})
	}
	group.Wait()
	for _, d := range downloads {
		if d.err == nil {
			d.err = x.addDownloaded(d.name, d.base+suffix)
		}
		if d.err != nil {
			x.problem(d.name, d.withOrigin(withoutPath(d.err)))
		}
	}
}

// wanted returns a download for each URL, each once.
func (x *expansion) downloads() []*download {
	var all []*download
	seen := map[string]bool{}
	for _, s := range x.urls {
		d, err := x.parse(s)
		if err != nil {
			x.problem(withoutSecrets(unparsed.ReplaceAllString(s.text, "$1")), s.withOrigin(withoutPath(err)))
			continue
		}
		if !seen[d.base] {
			seen[d.base] = true
			all = append(all, d)
		}
	}
	return all
}

func (x *expansion) parse(s spec) (*download, error) {
	u, err := url.Parse(s.text)
	if err != nil {
		return nil, errors.New("the address cannot be read")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%s:// is not understood; want http:// or https:// and a host", u.Scheme)
	}
	dir, err := x.downloadFolder()
	if err != nil {
		return nil, err
	}
	login := u.User
	u.User, u.Fragment = nil, ""
	key := sha256.Sum256([]byte(u.String()))
	return &download{
		Config: x.Config, spec: s, name: withoutSecrets(u.String()),
		url: u, login: login, base: filepath.Join(dir, hex.EncodeToString(key[:])),
	}, nil
}

var (
	userinfo = regexp.MustCompile(`(://)[^/?#]*@`)
	unparsed = regexp.MustCompile(`(://).*@`) // where the address ends up wrong, for instance by a slash in a password
	secrets  = regexp.MustCompile(`(?i)([?&][^&=]*(?:sig|token|key|secret|passw|credential)[^&=]*=)[^&#]*`)
)

// withoutSecrets returns an address as it may be shown: without what stands
// before the host, and without the values that sign a download.
func withoutSecrets(address string) string {
	return secrets.ReplaceAllString(userinfo.ReplaceAllString(address, "$1"), "$1…")
}

// run tries until the package is there. A try that got farther than any before
// counts as the first. Once, a download that cannot go on with a damaged part starts from the
// beginning at once, whatever the number of retries: a damaged folder must not cost a package.
func (d *download) run(ctx context.Context) error {
	farthest, restarted := int64(0), false
	for tries := 0; ; tries++ {
		err := d.try(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if _, damaged := errors.AsType[damagedPart](err); damaged && !restarted {
			d.Log.Warn("download starts from the beginning", "source", d.name, "err", err)
			restarted, farthest, tries = true, 0, -1
			continue
		}
		if size := d.part().done; size > farthest {
			farthest, tries = size, 0
		}
		again, ok := errors.AsType[transient](err)
		if !ok || tries >= d.Retries {
			return err
		}
		wait := retryablehttp.DefaultBackoff(shortWait, longWait, tries, again.response)
		if wait > maxWait {
			return fmt.Errorf("%w; the server asks to wait %s", err, wait)
		}
		d.Log.Warn("download is tried again", "source", d.name, "wait", wait, "error", wording.Text(err))
		if err := d.sleep(ctx, wait); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// transient is an error that may be gone when the request is repeated.
type transient struct {
	error
	response *http.Response // if there was one, for its Retry-After
}

func (p transient) Unwrap() error { return p.error }
