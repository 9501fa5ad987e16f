package build

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/jsondoc"
	"galbuild/build/source"
)

// addSignature adds a signature archive to the assets if it is the signature of this package.
// Editors that verify signatures would refuse the package with another signature. Without one
// they accept it, because the gallery marks it as a package of a private gallery.
func (r *reader) addSignature(file *source.Stamp, c *candidate) error {
	if file == nil {
		return nil
	}
	archive, err := readSmall(file.Path, r.limits().SidecarBytes)
	if _, ok := errors.AsType[unreadable](err); ok {
		return fmt.Errorf("signature %s: %w", base(file.Path), err)
	}
	if err == nil {
		err = checkSignature(archive, c.ref, r.limits().SidecarBytes)
	}
	if errors.Is(err, errOpenVSX) {
		c.version.Verified = c.collected.IsVerified()
		return nil
	}
	if err != nil {
		c.warnings = append(c.warnings, fmt.Sprintf("signature %s is left out: %v", base(file.Path), err))
		return nil
	}
	ref, err := r.Site.Blobs.PutBytes(archive)
	if err != nil {
		return fmt.Errorf("signature %s: %w", base(file.Path), siteError{err})
	}
	c.version.Signed = true
	c.version.Assets = append(c.version.Assets, signatureAsset(ref, len(archive)))
	return nil
}

func signatureAsset(ref blob.Ref, size int) catalog.Asset {
	return catalog.Asset{Type: catalog.SignatureAsset, File: catalog.File{Ref: ref, Size: int64(size), Type: "application/zip"}}
}

// errOpenVSX is returned for a signature archive of Open VSX. The entry that VS Code verifies is
// empty in it, and the signature is in another entry. VS Code would refuse the package with such an
// archive, so editors do not get it.
//
// Source: ExtensionVersionSignatureJobRequestHandler and ExtensionVersionIntegrityService in
// https://github.com/eclipse-openvsx/openvsx/tree/12f5b0008465c90cba3da45cf90247dce702740c/server/src/main/java/org/eclipse/openvsx
var errOpenVSX = errors.New("it is a signature archive of Open VSX")

// checkSignature checks that a signature archive contains a signature, and that its manifest
// names this package. It does not verify the signature, which needs the key of its issuer. An
// entry may have at most limit bytes.
//
// Source: the layout is that of vsce's generate-manifest and sign; see
// github.com/microsoft/vscode-vsce, src/package.ts.
func checkSignature(archive []byte, packageRef blob.Ref, limit int64) error {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return errors.New("it is not a complete zip archive")
	}
	signature, err := readEntry(z, ".signature.p7s", limit)
	if err != nil {
		return err
	}
	if len(signature) == 0 {
		if _, err := z.Open(".signature.sig"); err == nil {
			return errOpenVSX
		}
		return errors.New(".signature.p7s is empty")
	}
	text, err := readEntry(z, ".signature.manifest", limit)
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
		return fmt.Errorf(".signature.manifest %w", jsondoc.Explain(text, err))
	}
	digest, notBase64 := base64.StdEncoding.DecodeString(manifest.Package.Digests.SHA256)
	if err != nil || notBase64 != nil || len(digest) != sha256.Size {
		return errors.New(".signature.manifest: the SHA-256 of the package is missing")
	}
	if blob.Ref(digest) != packageRef {
		return fmt.Errorf("it is for a package with SHA-256 %x, this one has %s", digest, packageRef)
	}
	return nil
}

func readEntry(z *zip.Reader, name string, limit int64) ([]byte, error) {
	f, err := z.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%s is missing in it", name)
	}
	defer f.Close()
	return readLimited(f, limit)
}

// emptySignature stores the signature archive of --sign empty in the site, and returns it as an
// asset. It returns nil without --sign.
func (c Config) emptySignature() (*catalog.Asset, error) {
	switch c.Settings.Sign {
	case "":
		return nil, nil
	case "empty":
	default:
		return nil, fmt.Errorf("sign: want \"empty\", found %.40q", c.Settings.Sign)
	}
	if _, err := c.Site.Blobs.PutBytes(emptySignature()); err != nil {
		return nil, err
	}
	return emptySignatureAsset(), nil
}

func emptySignatureAsset() *catalog.Asset {
	archive := emptySignature()
	asset := signatureAsset(blob.Sum(archive), len(archive))
	return &asset
}

// emptySignature returns the signature archive of --sign empty. VS Code before 1.100 checks only
// that it has entries with these names. Its bytes are always the same.
func emptySignature() []byte {
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for _, name := range []string{".signature.manifest", ".signature.p7s"} {
		if _, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store}); err != nil {
			panic(err) // writing to a buffer cannot fail
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return archive.Bytes()
}

// sign adds the empty signature to the assets of a version, or removes it if empty is nil, unless
// the version has a genuine signature. It reports whether the assets changed.
func sign(v *catalog.Version, empty *catalog.Asset) bool {
	if isSigned(v, empty) {
		return false
	}
	v.Assets = slices.DeleteFunc(slices.Clone(v.Assets), isSignature)
	if empty != nil {
		v.Assets = append(v.Assets, *empty)
		slices.SortFunc(v.Assets, byType)
	}
	return true
}

// isSigned reports whether sign does not change a version.
func isSigned(v *catalog.Version, empty *catalog.Asset) bool {
	return v.Signed || slices.ContainsFunc(v.Assets, isSignature) == (empty != nil)
}

func isSignature(a catalog.Asset) bool { return a.Type == catalog.SignatureAsset }

func byType(a, b catalog.Asset) int { return strings.Compare(a.Type, b.Type) }
