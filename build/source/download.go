package source

import (
	"errors"
	"regexp"

	"golang.org/x/sync/errgroup"

	"galbuild/build/download"
	"galbuild/build/vsix"
)

// parallel is the number of simultaneous downloads. More would hardly be faster, and would burden
// the server.
const parallel = 4

// A job is a URL to be downloaded into the cache.
type job struct {
	spec
	file download.File
	err  error
}

// download downloads the URLs, and adds the packages.
func (x *expansion) download() {
	if len(x.urls) == 0 {
		return
	}
	folder, err := x.downloadFolder()
	jobs := x.jobs()
	group := errgroup.Group{}
	group.SetLimit(parallel)
	for _, j := range jobs {
		group.Go(func() error {
			if j.err = err; err == nil {
				_, j.err = folder.Get(x.ctx, j.file)
			}
			return nil
		})
	}
	group.Wait()
	for _, j := range jobs {
		if j.err == nil {
			j.err = x.addDownloaded(j.file.Name(), originOf(j.file.URL), folder.Path(j.file))
		}
		if j.err != nil {
			x.problem(j.file.Name(), j.withOrigin(withoutPath(j.err)))
		}
	}
}

// unparsed is the userinfo of a malformed URL, such as one with a slash in the password.
var unparsed = regexp.MustCompile(`(://).*@`)

// jobs returns a job for each URL. Each URL is downloaded once.
func (x *expansion) jobs() []*job {
	var all []*job
	kind := download.Package(vsix.Limits{Ratio: x.MaxRatio, PackageBytes: x.MaxBytes})
	seen := map[string]bool{}
	for _, s := range x.urls {
		file, err := download.Parse(s.text, kind)
		if err != nil {
			shown := download.WithoutSecrets(unparsed.ReplaceAllString(s.text, "$1"))
			x.problem(shown, s.withOrigin(err))
			continue
		}
		if address := file.URL.String(); !seen[address] {
			seen[address] = true
			all = append(all, &job{spec: s, file: file})
		}
	}
	return all
}

// downloadFolder opens the folder for downloads, and creates it if it is missing.
func (x *expansion) downloadFolder() (*download.Folder, error) {
	if x.Downloads == "" {
		return nil, errors.New("no folder for downloads is set")
	}
	return download.Open(download.Config{
		Dir: x.Downloads, Client: x.Client, MaxBytes: x.MaxBytes, MaxRatio: x.MaxRatio,
		Progress: x.Progress, Log: x.Log,
	})
}
