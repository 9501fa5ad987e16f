package build

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"galbuild/build/badjson"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/regular"
	"galbuild/build/sidecar"
	"galbuild/build/source"
	"galbuild/build/visible"
	"galbuild/build/vsix"
)

// addSidecars reads what is next to the package. A sidecar that cannot be read does not cost
// the package: what the site knew from it before stays, since the extension would otherwise
// get another identity, and be taken from everyone who has it installed.
func (r *reader) addSidecars(item *source.Item, packageRef blob.Ref, c *candidate, was *catalog.Version) error {
	if item.Sidecar == nil && item.VersionSidecar == nil {
		c.applyUpstream()
	}
	var before *catalog.Sidecar
	if was != nil {
		before = sidecar.Clone(was.Sidecar) // others may read the old catalogue
	}
	for _, s := range []*source.Stamp{item.Sidecar, item.VersionSidecar} {
		if s != nil {
			c.version.Sidecar = sidecar.Merge(c.version.Sidecar, r.readSidecar(s, c, before))
		}
	}
	if s := c.version.Sidecar; s != nil {
		c.boundPublisher(s.Publisher, r.limits().DisplayName)
	}
	if item.Signature != nil {
		if err := r.addSignature(item.Signature.Path, packageRef, c); err != nil {
			return fmt.Errorf("signature %s: %w", base(item.Signature.Path), err)
		}
	}
	return nil
}

// readSidecar reads one file. What cannot be read is a warning, and is as it was before.
func (r *reader) readSidecar(s *source.Stamp, c *candidate, before *catalog.Sidecar) *catalog.Sidecar {
	text, err := readSmall(s.Path, r.limits().SidecarBytes)
	if _, ok := errors.AsType[unreadable](err); ok {
		c.again = true
	}
	var known *sidecar.Metadata
	if err == nil {
		v := c.version
		known, err = sidecar.Read(text, sidecar.Package{
			Publisher: c.publisher, Name: c.name, Version: v.Version, Platform: v.Platform,
		})
	}
	warn := func(text string) {
		text, _ = vsix.Cut("sidecar "+base(s.Path)+text, longestReason)
		c.warnings = append(c.warnings, text)
	}
	switch {
	case err != nil && before != nil:
		warn(" is left out: " + err.Error() + "; what the gallery knew of the package before stays")
		kept := *before
		return &kept
	case err != nil:
		warn(" is left out: " + err.Error())
		return nil
	}
	for _, w := range known.Warnings {
		warn(": " + w)
	}
	known.RestoreInvalid(before)
	c.version.Preview = c.version.Preview || known.Preview
	return &known.Sidecar
}

// boundPublisher cuts the publisher's display name, drops a domain that is too long, and
// warns about a name that looks like another one.
func (c *candidate) boundPublisher(p *catalog.SidecarPublisher, most int64) {
	if p == nil {
		return
	}
	warn := func(format string, args ...any) {
		c.warnings = append(c.warnings, "sidecar: "+fmt.Sprintf(format, args...))
	}
	var n int64
	if p.DisplayName, n = vsix.Cut(p.DisplayName, most); n > most {
		warn("the publisher's display name has %d characters, more than the limit of %d: it is cut", n, most)
	}
	for _, finding := range visible.Findings(p.DisplayName) {
		warn("the publisher's display name %q: %s", p.DisplayName, finding)
	}
	if n := int64(len(p.Domain)); n > most {
		warn("the publisher's domain is left out: it has %d bytes, more than the limit of %d", n, most)
		p.Domain, p.IsDomainVerified = "", false
	}
}

// addSignature lists a signature archive if it is one for this very package. One
// that is not would make verifying editors refuse the package; without it they
// accept it as a private gallery's.
func (r *reader) addSignature(path string, packageRef blob.Ref, c *candidate) error {
	archive, err := readSmall(path, r.limits().SidecarBytes)
	if _, ok := errors.AsType[unreadable](err); ok {
		return err
	}
	if err == nil {
		err = checkSignature(archive, packageRef, r.limits().SidecarBytes)
	}
	if err != nil {
		c.warnings = append(c.warnings, fmt.Sprintf("signature %s is left out: %v", base(path), err))
		return nil
	}
	ref, err := r.Site.Blobs.PutBytes(archive)
	if err != nil {
		return siteError{err}
	}
	c.version.Signed = true
	c.version.Assets = append(c.version.Assets, signatureAsset(ref, len(archive)))
	return nil
}

func signatureAsset(ref blob.Ref, size int) catalog.Asset {
	return catalog.Asset{Type: catalog.SignatureAsset, File: catalog.File{Ref: ref, Size: int64(size), Type: "application/zip"}}
}

// checkSignature looks at a signature archive as far as can be done without its
// maker's key: it must hold a signature, and speak of this package.
//
// Source: the layout is that of vsce's generate-manifest and sign; see
// github.com/microsoft/vscode-vsce, src/package.ts.
func checkSignature(archive []byte, packageRef blob.Ref, most int64) error {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return errors.New("it is not a whole zip archive")
	}
	signature, err := readEntry(z, ".signature.p7s", most)
	if err != nil {
		return err
	}
	if len(signature) == 0 {
		return errors.New(".signature.p7s is empty")
	}
	text, err := readEntry(z, ".signature.manifest", most)
	if err != nil {
		return err
	}
	var manifest struct {
		Package struct {
			Digests struct {
				SHA256 string `json:"sha256"`
			} `json:"digests"`
		} `json:"package"`
	}
	err = json.Unmarshal(text, &manifest)
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf(".signature.manifest %w", badjson.Explain(text, err))
	}
	digest, notBase64 := base64.StdEncoding.DecodeString(manifest.Package.Digests.SHA256)
	if err != nil || notBase64 != nil || len(digest) != sha256.Size {
		return errors.New(".signature.manifest: no SHA-256 of the package")
	}
	if blob.Ref(digest) != packageRef {
		return fmt.Errorf("it signs a package with SHA-256 %x, this one has %s", digest, packageRef)
	}
	return nil
}

func readEntry(z *zip.Reader, name string, most int64) ([]byte, error) {
	f, err := z.Open(name)
	if err != nil {
		return nil, fmt.Errorf("no %s in it", name)
	}
	defer f.Close()
	return readAll(f, most)
}

func readSmall(path string, most int64) ([]byte, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, unreadable{plain(err)}
	}
	defer f.Close()
	text, err := readAll(f, most)
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, unreadable{plain(err)}
	}
	return text, err
}

func readAll(r io.Reader, most int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(text)) > most {
		return nil, fmt.Errorf("more than %d bytes", most)
	}
	return text, err
}

func base(path string) string {
	return path[strings.LastIndexAny(path, `/\`)+1:]
}

// emptySignature is the archive that --sign empty lists: editors before VS Code
// 1.100 look no further than whether it has an entry of the right name. Its
// bytes are always the same.
func emptySignature() []byte {
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for _, name := range []string{".signature.manifest", ".signature.p7s"} {
		if _, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store}); err != nil {
			panic(err) // a buffer takes everything
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return archive.Bytes()
}

// sign brings the assets of a version in line with --sign. It returns whether
// they changed.
func sign(v *catalog.Version, empty *catalog.Asset) bool {
	if v.Signed {
		return false
	}
	is := func(a catalog.Asset) bool { return a.Type == catalog.SignatureAsset }
	had := slices.ContainsFunc(v.Assets, is)
	if had == (empty != nil) {
		return false
	}
	v.Assets = slices.DeleteFunc(slices.Clone(v.Assets), is)
	if empty != nil {
		v.Assets = append(v.Assets, *empty)
		slices.SortFunc(v.Assets, byType)
	}
	return true
}

func byType(a, b catalog.Asset) int { return strings.Compare(a.Type, b.Type) }
