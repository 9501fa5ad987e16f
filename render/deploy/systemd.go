package deploy

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"path"
	"strings"
	"text/template"
	"unicode"
)

// Systemd is the units of a machine that serves a site with galshim, and may keep it up to date.
type Systemd struct {
	Site    string // folder of the site, absolute
	Bin     string // folder of the programs, absolute; "" means /usr/local/bin
	Listen  string // host:port, port, or the path of a socket; "" means 127.0.0.1:8080
	BaseURL string // the address clients use, or ""
	Sync    string // file of galbuild sync, absolute; "" means no units for it
	Pull    string // target that the site is a copy of; "" means no unit for it
}

// A File is a file of a configuration that has several.
type File struct {
	Name, Text string
}

//go:embed systemd/*.tmpl
var systemdText embed.FS

var systemdTemplates = template.Must(template.New("").Funcs(template.FuncMap{"word": systemdWord, "path": systemdPath}).ParseFS(systemdText, "systemd/*.tmpl"))

// Files returns the units, and the file that makes their user if they need one.
func (s Systemd) Files() ([]File, error) {
	s.Bin, s.Listen = cmp.Or(s.Bin, "/usr/local/bin"), cmp.Or(s.Listen, "127.0.0.1:8080")
	if err := s.check(); err != nil {
		return nil, err
	}
	names := []string{"galshim.socket", "galshim.service"}
	if s.Sync != "" {
		names = append(names, "galbuild-sync.service", "galbuild-sync.timer")
	}
	if s.Pull != "" {
		names = append(names, "galbuild-pull.service")
	}
	if len(names) > 2 {
		names = append(names, "sysusers.conf")
	}
	var files []File
	for _, name := range names {
		var text bytes.Buffer
		if err := systemdTemplates.ExecuteTemplate(&text, name+".tmpl", s); err != nil {
			return nil, err
		}
		files = append(files, File{name, text.String()})
	}
	return files, nil
}

// Address returns where clients or the web server find galshim.
func (s Systemd) Address() string { return cmp.Or(s.BaseURL, s.Listen) }

// Socket reports whether galshim listens at a socket in the file system.
func (s Systemd) Socket() bool { return strings.HasPrefix(s.Listen, "/") }

// SyncFolder returns the folder of the file of galbuild sync.
func (s Systemd) SyncFolder() string { return path.Dir(s.Sync) }

// hidden are folders that the units cannot see.
var hidden = []string{"/home", "/root", "/run/user", "/tmp", "/var/tmp"}

// check returns an error for a value that systemd would refuse or that the units could not use.
func (s Systemd) check() error {
	if s.BaseURL != "" {
		if _, err := parseBase(s.BaseURL); err != nil {
			return err
		}
	}
	if strings.ContainsFunc(s.Listen, notWord) {
		return fmt.Errorf("listen %q: want host:port, a port or the path of a socket", s.Listen)
	}
	if s.Sync != "" && s.Pull != "" {
		return errors.New("sync and pull: a site is either built on this machine or a copy, so want one of them")
	}
	for _, f := range []struct{ name, value string }{{"site", s.Site}, {"folder of the programs", s.Bin}, {"file of sync", s.Sync}} {
		if f.value != "" {
			if err := checkVisible(f.name, f.value); err != nil {
				return err
			}
		}
	}
	if strings.ContainsFunc(s.Bin, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`%$"'\`, r) }) {
		return fmt.Errorf("folder of the programs %q: want a path without spaces, quotes and dollar signs", s.Bin)
	}
	if strings.ContainsFunc(s.Pull, unicode.IsControl) {
		return fmt.Errorf("target %q: want no control characters", s.Pull)
	}
	if s.Pull != "" && !strings.Contains(s.Pull, ":") && !path.IsAbs(s.Pull) {
		return fmt.Errorf("target %q: want an address such as s3://vsix/gallery, or an absolute path", s.Pull)
	}
	return nil
}

// checkVisible returns an error for a path that the units could not open.
func checkVisible(name, value string) error {
	if !path.IsAbs(value) || strings.ContainsFunc(value, unicode.IsControl) {
		return fmt.Errorf("%s %q: want an absolute path without control characters", name, value)
	}
	for _, dir := range hidden {
		if value == dir || strings.HasPrefix(value, dir+"/") {
			return fmt.Errorf("%s %q: the units cannot see files below %s; move it to a folder such as /srv/gallery", name, value, dir)
		}
	}
	return nil
}

// systemdPath returns a path as one word of a list in a unit.
func systemdPath(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`).Replace(s) + `"`
}

// systemdWord returns a string as one word of a command line, in which systemd replaces variables.
func systemdWord(s string) string { return strings.ReplaceAll(systemdPath(s), "$", "$$") }
