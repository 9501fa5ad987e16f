package galshim

import (
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"

	"galbuild/cmd/internal/addresses"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/version"
	"galbuild/publish/target"
	"galbuild/publish/target/reading"
)

// indexFlag is the name of the flag that names the site, unless a flag of targets does.
const indexFlag = "index"

// checkIndex returns an error for a site that galshim cannot read, and for flags that name more
// than one.
func (c *commandLine) checkIndex() error {
	switch scheme := addresses.Scheme(c.Index); {
	case isURL(c.Index):
		if u, err := url.Parse(c.Index); err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			return hint.Add(fmt.Errorf("--index=%s: must be the http(s) address of a folder", c.Index), "name the address of the site, below which index/CURRENT is, without a query")
		}
	case scheme == "file":
		return hint.Add(fmt.Errorf("--index=%s: a folder is named by its path", c.Index), "write it as a path: %s", addresses.Path(c.Index))
	case scheme != "" && !targets.HasScheme(reading.Kinds(), scheme):
		return hint.Add(fmt.Errorf("--index=%s: must be %s", c.Index, targets.Forms(reading.Kinds(), true)),
			"copy the site to a folder of this machine, and name that folder; for a target of galbuild: "+
				"galbuild pull %s -o shim --index-only --follow 30s, then galshim --index shim --no-files", c.Index)
	}
	return c.CheckFlag(indexFlag, c.Index)
}

// source returns the source of generations that the flags name.
func (c *commandLine) source(log *slog.Logger) (source, error) {
	warn := func(message string) { log.Warn(message) }
	at, folderPath, err := c.OpenReader(target.Env{Warn: warn, Once: true, Stall: stallTimeout, Agent: "galshim/" + version.String()})
	if err != nil {
		return nil, err
	}
	if at == nil {
		if c.Redirect {
			return nil, errRedirect(folderPath)
		}
		return folder{folderPath}, nil
	}
	redirects, ok := at.(target.Presigner)
	switch {
	case !c.Redirect:
		redirects = nil
	case !ok:
		return nil, errRedirect(at.String())
	}
	cache, err := c.cacheFolder()
	if err != nil {
		return nil, err
	}
	return newRemote(at, redirects, cache, log)
}

func errRedirect(site string) error {
	return hint.Add(fmt.Errorf("--redirect: %s has no addresses for a limited time", site), "only S3 and OSS buckets do; without --redirect, galshim passes the packages on")
}

// cacheFolder returns the folder for the index of a published site.
func (c *commandLine) cacheFolder() (string, error) {
	if c.Cache != "" {
		return c.Cache, nil
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return "", hint.Add(fmt.Errorf("find a folder for the index: %w", err), "name one with --cache DIR")
	}
	return filepath.Join(user, "galshim"), nil
}
