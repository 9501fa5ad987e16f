package build

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/regularfile"
	"galbuild/build/sidecar"
	"galbuild/build/source"
	"galbuild/build/visible"
	"galbuild/build/vsix"
)

// readSidecars reads the sidecar files next to the package. If one cannot be read, the package is
// accepted nevertheless, with the values of the last generation. Without them, the extension would
// get another UUID, and editors that have it installed would not find it any more. previous is the
// version of the last generation, or nil.
func (r *reader) readSidecars(item *source.Item, c *candidate, previous *catalog.Version) {
	if item.Sidecar == nil && item.VersionSidecar == nil {
		c.applyListed()
	}
	var last *catalog.Sidecar
	if previous != nil {
		last = sidecar.Clone(previous.Sidecar) // the old catalogue must not change
	}
	for _, s := range []*source.Stamp{item.Sidecar, item.VersionSidecar} {
		if s != nil {
			c.version.Sidecar = sidecar.Merge(c.version.Sidecar, r.readSidecar(s, c, last))
		}
	}
	if s := c.version.Sidecar; s != nil {
		c.boundPublisher(s.Publisher, r.limits().DisplayName)
		c.version.Published = s.LastUpdated != nil && c.collected.IsPublication()
	}
}

// readSidecar reads one sidecar file. For values that cannot be read, it adds warnings, and uses
// those of last, which is the sidecar of the last generation or nil. If its result changes,
// readingVersion must be raised.
func (r *reader) readSidecar(s *source.Stamp, c *candidate, last *catalog.Sidecar) *catalog.Sidecar {
	text, err := readSmall(s.Path, r.limits().SidecarBytes)
	if _, ok := errors.AsType[unreadable](err); ok {
		c.incomplete = true
	}
	var metadata *sidecar.Metadata
	if err == nil {
		v := c.version
		metadata, err = sidecar.Read(text, sidecar.Package{
			Publisher: c.publisher, Name: c.name, Version: v.Version, Platform: v.Platform,
		})
	}
	warn := func(text string) {
		text, _ = vsix.Cut("sidecar "+base(s.Path)+text, longestReason)
		c.warnings = append(c.warnings, text)
	}
	switch {
	case err != nil && last != nil:
		warn(" is left out: " + err.Error() + "; the gallery keeps the values that it had before")
		values := *last
		return &values
	case err != nil:
		warn(" is left out: " + err.Error())
		return nil
	}
	for _, w := range metadata.Warnings {
		warn(": " + w)
	}
	metadata.RestoreInvalid(last)
	c.version.Preview = c.version.Preview || metadata.Preview
	if len(c.collected.Pictures) == 0 {
		c.beside = filepath.Dir(s.Path)
	}
	c.collected = c.collected.Merge(metadata.Collected)
	return &metadata.Sidecar
}

// boundPublisher shortens the publisher's display name to limit characters, removes a domain of
// more than limit bytes, and warns about a name with hidden or look-alike characters.
func (c *candidate) boundPublisher(p *catalog.SidecarPublisher, limit int64) {
	if p == nil {
		return
	}
	warn := func(format string, args ...any) {
		c.warnings = append(c.warnings, "sidecar: "+fmt.Sprintf(format, args...))
	}
	var n int64
	if p.DisplayName, n = vsix.Cut(p.DisplayName, limit); n > limit {
		warn("the publisher's display name has %d characters, more than the limit of %d: it is cut", n, limit)
	}
	for _, finding := range visible.Findings(p.DisplayName) {
		warn("the publisher's display name %q: %s", p.DisplayName, finding)
	}
	if n := int64(len(p.Domain)); n > limit {
		warn("the publisher's domain is left out: it has %d bytes, more than the limit of %d", n, limit)
		p.Domain, p.IsDomainVerified = "", false
	}
}

// readSmall reads a file of at most limit bytes. The error is [unreadable] if the file cannot be
// read.
func readSmall(path string, limit int64) ([]byte, error) {
	f, err := regularfile.Open(path)
	if err != nil {
		return nil, unreadable{withoutPath(err)}
	}
	defer f.Close()
	text, err := readLimited(f, limit)
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, unreadable{withoutPath(err)}
	}
	return text, err
}

// readLimited reads at most limit bytes. More are an error.
func readLimited(r io.Reader, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(text)) > limit {
		return nil, fmt.Errorf("more than %d bytes", limit)
	}
	return text, err
}

// base returns the last element of a path with slashes or backslashes.
func base(path string) string {
	return path[strings.LastIndexAny(path, `/\`)+1:]
}
