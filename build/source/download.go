package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"

	"golang.org/x/sync/errgroup"

	"galbuild/build/errmsg"
	"galbuild/build/retry"
	"galbuild/build/vsix"
)

// parallel is the number of simultaneous downloads. More would hardly be faster, and would burden
// the server.
const parallel = 4

// A download is a URL to be downloaded into the cache.
type download struct {
	Config
	spec
	name  string        // URL for messages, without secrets
	url   *url.URL      // without credentials
	login *url.Userinfo // credentials, or nil
	base  string        // path of its files without their suffixes
	err   error
}

// download downloads the URLs, and adds the packages.
func (x *expansion) download() {
	downloads := x.downloads()
	group := errgroup.Group{}
	group.SetLimit(parallel)
	for _, d := range downloads {
		group.Go(func() error {
			defer vsix.RecoverPanic(&d.err) // other downloads continue
			d.err = d.run(x.ctx)
			return nil
		})
	}
	group.Wait()
	for _, d := range downloads {
		if d.err == nil {
			d.err = x.addDownloaded(d.name, originOf(d.url), d.base+suffix)
		}
		if d.err != nil {
			x.problem(d.name, d.withOrigin(withoutPath(d.err)))
		}
	}
}

// downloads returns a download for each URL. Each URL is downloaded once.
func (x *expansion) downloads() []*download {
	var all []*download
	seen := map[string]bool{}
	for _, s := range x.urls {
		d, err := x.parse(s)
		if err != nil {
			shown := withoutSecrets(unparsed.ReplaceAllString(s.text, "$1"))
			x.problem(shown, s.withOrigin(withoutPath(err)))
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
		return nil, errors.New("the URL is malformed")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("want a URL that begins with http://HOST/ or https://HOST/, found %s://%s",
			u.Scheme, u.Host)
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
	// unparsed is the userinfo of a malformed URL, such as one with a slash in the password.
	unparsed = regexp.MustCompile(`(://).*@`)
	secrets  = regexp.MustCompile(
		`(?i)([?&][^&=]*(?:sig|token|key|secret|passw|credential)[^&=]*=)[^&#]*`)
)

// withoutSecrets returns a URL for messages: without credentials, and without the values of
// parameters that sign a download.
func withoutSecrets(address string) string {
	return secrets.ReplaceAllString(userinfo.ReplaceAllString(address, "$1"), "$1…")
}

// run repeats attempts, by the rules of package retry, until the package is in the cache. Retries
// are counted anew when an attempt receives more of the package than all earlier ones. If a
// download cannot be resumed because its part is damaged, it starts from the beginning, once and
// without a pause, even if no retries are left, because a damaged cache must not make a build fail.
func (d *download) run(ctx context.Context) error {
	farthest, restarted := int64(0), false
	for retries := 0; ; retries++ {
		err := d.try(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if _, damaged := errors.AsType[damagedPart](err); damaged && !restarted {
			d.Log.Warn("download starts from the beginning", "source", d.name, "err", err)
			restarted, farthest, retries = true, 0, -1
			continue
		}
		if size := d.part().done; size > farthest {
			farthest, retries = size, 0
		}
		pause, final := retry.Pause(retries, err)
		if final != nil {
			return final
		}
		d.Log.Warn("download is tried again", "source", d.name, "wait", pause, "error", errmsg.Text(err))
		if err := d.Client.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}
