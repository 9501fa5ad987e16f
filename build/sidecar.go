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
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/source"
	"galbuild/build/visible"
	"galbuild/build/vsix"
)

// addSidecars reads what lies beside the package. A sidecar that cannot be read
// refuses the package: built without it, the extension would get another
// identity, and take it away from everyone who has it installed.
func (r *reader) addSidecars(item *source.Item, packageRef blob.Ref, c *candidate) error {
	if item.Sidecar == nil {
		c.applyUpstream()
	} else {
		text, err := readSmall(item.Sidecar.Path, r.limits().SidecarBytes)
		if err == nil {
			c.version.Sidecar, err = parseSidecar(text)
		}
		if err != nil {
			return fmt.Errorf("sidecar %s: %w", base(item.Sidecar.Path), err)
		}
		c.boundPublisher(c.version.Sidecar.Publisher, r.limits().DisplayName)
	}
	if item.Signature != nil {
		if err := r.addSignature(item.Signature.Path, packageRef, c); err != nil {
			return fmt.Errorf("signature %s: %w", base(item.Signature.Path), err)
		}
	}
	return nil
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

// parseSidecar reads x.vsix.json. Unknown keys are let pass: upstream's metadata
// may simply be saved there.
func parseSidecar(text []byte) (*catalog.Sidecar, error) {
	var s catalog.Sidecar
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), &s); err != nil {
		return nil, err
	}
	for _, id := range []*string{&s.ExtensionID, publisherID(&s)} {
		if id == nil || *id == "" {
			continue
		}
		parsed, err := uuid.Parse(*id)
		if err != nil {
			return nil, fmt.Errorf("%.80q: not a UUID", *id)
		}
		*id = parsed.String() // editors compare ids letter by letter: lower case
	}
	for _, t := range []*time.Time{s.ReleaseDate, s.PublishedDate, s.LastUpdated} {
		if t == nil {
			continue
		}
		if *t = t.UTC().Truncate(time.Second); t.Year() < 1 || t.Year() > 9999 {
			return nil, fmt.Errorf("year %d: want one of four digits", t.Year())
		}
	}
	if n := s.Statistics; n != nil && (n.Install < 0 || n.RatingCount < 0 || n.AverageRating < 0 || n.AverageRating > 5) {
		return nil, errors.New("statistics: counts must not be negative, and averagerating 0 to 5")
	}
	return &s, nil
}

func publisherID(s *catalog.Sidecar) *string {
	if s.Publisher == nil {
		return nil
	}
	return &s.Publisher.PublisherID
}

// addSignature lists a signature archive if it is one for this very package. One
// that is not would make verifying editors refuse the package; without it they
// accept it as a private gallery's.
func (r *reader) addSignature(path string, packageRef blob.Ref, c *candidate) error {
	archive, err := readSmall(path, r.limits().SidecarBytes)
	if err != nil {
		return err
	}
	if err := checkSignature(archive, packageRef, r.limits().SidecarBytes); err != nil {
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
		return err
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
	if err := json.Unmarshal(text, &manifest); err != nil {
		return fmt.Errorf(".signature.manifest: %w", err)
	}
	digest, err := base64.StdEncoding.DecodeString(manifest.Package.Digests.SHA256)
	if err != nil || len(digest) != sha256.Size {
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
	f, err := os.Open(path)
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
