package lock

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/imagefile"
)

// versionForm is what a version may consist of, because it is part of a file name.
var versionForm = regexp.MustCompile(`^[0-9][0-9A-Za-z.+-]{0,99}$`)

// Check returns an error if an entry has a value that must not be used as a path or an address.
func (e *Entry) Check() error {
	publisher, name, _ := strings.Cut(e.ID, ".")
	if err := catalog.CheckID(publisher, name); err != nil {
		return fmt.Errorf("%.200q is not an id: %w", e.ID, err)
	}
	if !versionForm.MatchString(e.Version) {
		return fmt.Errorf("%s: %.200q is not a version", e.ID, e.Version)
	}
	if platform, err := catalog.ParsePlatform(e.Platform); e.Platform != "" && (err != nil || platform != e.Platform) {
		return fmt.Errorf("%s: %.200q is not a platform", e.ID, e.Platform)
	}
	if err := e.checkFiles(); err != nil {
		return fmt.Errorf("%s: %w", e, err)
	}
	switch {
	case len(e.WantedBy) == 0:
		return fmt.Errorf("%s: wantedBy is empty", e)
	case e.Added.IsZero():
		return fmt.Errorf("%s: added is missing", e)
	}
	return nil
}

// checkFiles checks the package, its signature and its pictures.
func (e *Entry) checkFiles() error {
	if err := checkFile(e.Address, e.SHA256, e.Size); err != nil {
		return err
	}
	if s := e.Signature; s != nil {
		if err := checkFile(s.Address, s.SHA256, s.Size); err != nil {
			return fmt.Errorf("signature: %w", err)
		}
	}
	for _, p := range e.Pictures {
		switch {
		case p.SHA256.IsZero() || p.Size < 0:
			return fmt.Errorf("picture %.200q: the hash or the size is missing", p.Address)
		case imagefile.Extension(p.Type) == "":
			return fmt.Errorf("picture %.200q: the type is %.200q, want that of a picture, such as image/png", p.Address, p.Type)
		}
	}
	return nil
}

func checkFile(address string, sum blob.Ref, size int64) error {
	if err := CheckAddress(address); err != nil {
		return err
	}
	return checkContent(sum, size)
}

func checkContent(sum blob.Ref, size int64) error {
	switch {
	case sum.IsZero():
		return errors.New("sha256 is missing")
	case size < 0:
		return fmt.Errorf("the size is %d", size)
	}
	return nil
}

// CheckAddress returns an error unless an address is one of http or https without credentials.
func CheckAddress(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("%.200q is not an address of http or https", address)
	case u.User != nil:
		return errors.New("the address contains credentials, which must not be in a lock")
	}
	return nil
}

// Check returns an error if a companion has a path that must not be used.
func (c Companion) Check() error {
	if err := catalog.CheckCompanionPath(c.Path); err != nil {
		return fmt.Errorf("companion: %w", err)
	}
	if c.Address != "" {
		if err := CheckAddress(c.Address); err != nil {
			return fmt.Errorf("companion %s: %w", c.Path, err)
		}
	}
	if err := checkContent(c.SHA256, c.Size); err != nil {
		return fmt.Errorf("companion %s: %w", c.Path, err)
	}
	return nil
}

func (s *Settings) check() error {
	if s.Keep < 0 {
		return fmt.Errorf("settings: keep is %d, want at least 1", s.Keep)
	}
	return nil
}
