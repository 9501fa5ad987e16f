// Package remote downloads the pictures that readmes and change logs show and no package holds, to
// the folder of a collection. The files are named by their SHA-256:
//
//	pictures/590ac1….png
//
// The addresses come from packages, which are not trusted. So the client should be one with the
// transport of package publicnet, which reaches no private addresses; and a file is stored only if
// its content is that of a picture, by the rules of package imagefile.
package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"galbuild/build/atomicfile"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/collect/lock"
	"galbuild/build/imagefile"
	"galbuild/build/mediatype"
	"galbuild/build/pictures"
	"galbuild/build/publicnet"
	"galbuild/build/retry"
	"galbuild/build/vsix"
)

// Limits limits the pictures of one package. A gallery serves no more.
type Limits struct {
	Count int   // of pictures; 0 is 200
	Bytes int64 // of all together; 0 is 64 MiB
	// Time is how long one picture may take; 0 is a minute. A server could send a byte now and
	// then.
	Time time.Duration
}

// maxRetries is how often a request for a picture is repeated. Other files have more attempts, but
// a readme may show many pictures of a server that is down.
const maxRetries = 2

// Downloader downloads pictures to the folder of a collection. It requests each address once,
// whatever the number of packages that show it. It may be used by several goroutines at once.
type Downloader struct {
	client *retry.Client
	folder *os.Root
	limits Limits

	group singleflight.Group
	known sync.Map // of result, by address
}

// result is what a request for an address has given.
type result struct {
	picture lock.Picture
	err     error // why the picture is left out
}

// New returns a downloader to a folder.
func New(client *retry.Client, folder *os.Root, l Limits) *Downloader {
	if l.Count == 0 {
		l.Count = 200
	}
	if l.Bytes == 0 {
		l.Bytes = 64 << 20
	}
	if l.Time == 0 {
		l.Time = time.Minute
	}
	return &Downloader{client: client, folder: folder, limits: l}
}

// LeftOut is a picture that is not in the folder.
type LeftOut struct {
	Address string
	Reason  string
}

// Wanted returns the absolute addresses of the pictures that the readme and the change log of a
// package show and the package does not hold.
func Wanted(p *vsix.Package) ([]string, error) {
	var texts [][]byte
	for _, a := range p.Assets {
		if a.Type != catalog.DetailsAsset && a.Type != catalog.ChangelogAsset {
			continue
		}
		text, err := p.Read(a)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	repository := pictures.ParseRepository(p.Page.Links.Repository, p.Page.Links.Directory)
	holds := func(file string) bool {
		_, ok := p.Size("extension/" + file)
		return ok && strings.HasPrefix(mediatype.Of(file), "image/")
	}
	return pictures.Wanted(repository, holds, texts...), nil
}

// Get downloads the pictures with these addresses, which one package shows, as far as the limits
// allow, and returns them sorted by address. What cannot be had is left out with the reason. An
// error is about the folder, or that ctx is done.
func (d *Downloader) Get(ctx context.Context, addresses []string) (all []lock.Picture, left []LeftOut, err error) {
	var total int64
	for _, address := range addresses {
		if len(all) >= d.limits.Count {
			left = append(left, LeftOut{address, fmt.Sprintf("the package shows more than %d pictures", d.limits.Count)})
			continue
		}
		r, err := d.get(ctx, address)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case r.err != nil:
			left = append(left, LeftOut{address, r.err.Error()})
		case total+r.picture.Size > d.limits.Bytes:
			left = append(left, LeftOut{address, fmt.Sprintf("the pictures of the package have more than %d bytes together", d.limits.Bytes)})
		default:
			total += r.picture.Size
			all = append(all, r.picture)
		}
	}
	slices.SortFunc(all, func(a, b lock.Picture) int { return strings.Compare(a.Address, b.Address) })
	return all, left, nil
}

// GetLocked makes sure that the folder has a picture of a lock. It sends no request if it has it
// already. An error says that the address has another content now, or none.
func (d *Downloader) GetLocked(ctx context.Context, p lock.Picture) error {
	if d.has(fileOf(p)) {
		return nil
	}
	r, err := d.get(ctx, p.Address)
	if err == nil {
		err = r.err
	}
	if err == nil && r.picture.SHA256 != p.SHA256 {
		err = fmt.Errorf("the SHA-256 is %s, and the lock has %s", r.picture.SHA256, p.SHA256)
	}
	if err != nil {
		return fmt.Errorf("picture %s: %w", p.Address, err)
	}
	return nil
}

// fileOf returns the path of a picture in the folder.
func fileOf(p lock.Picture) string {
	return imagefile.Folder + p.SHA256.String() + imagefile.Extension(p.Type)
}

// get returns the result for an address. An error is not about the picture.
func (d *Downloader) get(ctx context.Context, address string) (result, error) {
	if r, ok := d.known.Load(address); ok {
		return r.(result), nil
	}
	r, err, _ := d.group.Do(address, func() (any, error) {
		content, err := d.download(ctx, address)
		if ctx.Err() != nil {
			return result{}, ctx.Err()
		}
		var r result
		if r.picture, r.err = pictureOf(address, content, err); r.err == nil {
			if err := d.store(r.picture, content); err != nil {
				return r, err
			}
		}
		d.known.Store(address, r)
		return r, nil
	})
	return r.(result), err
}

// pictureOf checks what was downloaded, unless that has failed with err.
func pictureOf(address string, content []byte, err error) (lock.Picture, error) {
	if err != nil {
		return lock.Picture{}, err
	}
	kind, err := imagefile.Check(content)
	return lock.Picture{Address: address, SHA256: blob.Sum(content), Size: int64(len(content)), Type: kind}, err
}

// store writes a picture to the folder, unless it is there.
func (d *Downloader) store(p lock.Picture, content []byte) error {
	if d.has(fileOf(p)) {
		return nil
	}
	return atomicfile.WriteFile(d.folder, fileOf(p), atomicfile.FileMode, func(f *os.File) error {
		_, err := f.Write(content)
		return err
	})
}

// has reports whether the folder has a file with the SHA-256 that is its name.
func (d *Downloader) has(file string) bool {
	f, err := d.folder.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, imagefile.MaxBytes+1))
	return err == nil && strings.HasPrefix(file, imagefile.Folder+blob.Sum(content).String())
}

// download requests an address, again if that fails for a reason that may pass.
func (d *Downloader) download(ctx context.Context, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(address) > pictures.MaxAddress {
		return nil, errors.New("want an http or https address without a user")
	}
	ctx, cancel := context.WithTimeout(ctx, d.limits.Time)
	defer cancel()
	for retries := 0; ; retries++ {
		content, err := d.request(ctx, address)
		if err == nil || retries >= maxRetries {
			return content, err
		}
		if refused, ok := errors.AsType[*publicnet.Error](err); ok {
			return nil, refused
		}
		pause, err := retry.Pause(retries, err)
		if err != nil {
			return nil, err
		}
		if err := d.client.Sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// request sends one request.
func (d *Downloader) request(ctx context.Context, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "image/*")
	response, err := d.client.Send(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		err := fmt.Errorf("the server responds with %d %s", response.StatusCode, http.StatusText(response.StatusCode))
		if retry.IsTemporaryStatus(response) {
			err = retry.Temporary(err, response)
		}
		return nil, err
	}
	var content bytes.Buffer
	if _, err := content.ReadFrom(io.LimitReader(response.Body, imagefile.MaxBytes+1)); err != nil {
		return nil, err
	}
	if content.Len() > imagefile.MaxBytes {
		return nil, fmt.Errorf("more than %d bytes", imagefile.MaxBytes)
	}
	return content.Bytes(), nil
}
