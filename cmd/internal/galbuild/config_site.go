package galbuild

import (
	"path/filepath"

	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
)

// servedSite are the flags of commands that print the configuration of a web server for a site.
type servedSite struct {
	Site    string `arg:"" default:"site" type:"site" help:"Folder of the site."`
	NoCheck bool   `help:"Do not check that the site exists on this machine."`
}

// checkSite returns an error for a folder without a site, whose name is most likely mistyped.
func (s *servedSite) checkSite() error {
	if s.NoCheck {
		return nil
	}
	err := needSite(s.Site)
	if err == nil {
		_, err = site.RequireCurrent(s.Site)
	}
	if err != nil {
		return hint.Add(err, "galbuild SOURCE… -o %s builds one; for a site on another machine, add --no-check", s.Site)
	}
	return nil
}

// root returns the absolute path of the site.
func (s *servedSite) root() (string, error) {
	if err := s.checkSite(); err != nil {
		return "", err
	}
	return filepath.Abs(s.Site)
}
