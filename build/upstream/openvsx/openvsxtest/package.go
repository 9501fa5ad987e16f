package openvsxtest

import (
	"archive/zip"
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
)

// Extra is what a registry knows and a package does not. It is the content of x.vsix.json.
type Extra struct {
	// LastUpdated is when the package was published. Otherwise it is the time of its
	// package.json.
	LastUpdated time.Time `json:"lastUpdated"`
	Statistics  struct {
		Install       int64   `json:"install"`
		AverageRating float64 `json:"averagerating"`
		RatingCount   int64   `json:"ratingcount"`
	} `json:"statistics"`
	Publisher struct {
		DisplayName string `json:"displayName"`
	} `json:"publisher"`
	Unverified   bool   `json:"unverified"` // the namespace has no owner
	Deprecated   bool   `json:"deprecated"`
	Replacement  string `json:"replacement"` // id of an extension
	Undownloaded bool   `json:"undownloadable"`
}

// manifest is what the registry reads of a package.json.
type manifest struct {
	Publisher    string            `json:"publisher"`
	Name         string            `json:"name"`
	Version      string            `json:"version"`
	DisplayName  string            `json:"displayName"`
	Description  string            `json:"description"`
	License      string            `json:"license"`
	Preview      bool              `json:"preview"`
	Engines      map[string]string `json:"engines"`
	Categories   []string          `json:"categories"`
	Keywords     []string          `json:"keywords"`
	Dependencies []string          `json:"extensionDependencies"`
	Pack         []string          `json:"extensionPack"`
}

func parseManifest(text []byte) (m manifest, err error) {
	err = json.Unmarshal(text, &m)
	return m, err
}

// pkg is a package that the registry has.
type pkg struct {
	manifest   manifest
	platform   string // "universal" if there is none
	preRelease bool
	extra      Extra
	version    *semver.Version
	files      map[string][]byte // by name
	inactive   bool              // deactivated or removed
}

// id returns the lower-case id.
func (p *pkg) id() string { return strings.ToLower(p.manifest.Publisher + "." + p.manifest.Name) }

// name returns the name of the package without its suffix.
func (p *pkg) name() string {
	name := p.manifest.Publisher + "." + p.manifest.Name + "-" + p.manifest.Version
	if p.platform != universal {
		name += "@" + p.platform
	}
	return name
}

const universal = "universal"

// sortPackages sorts packages as the registry lists them.
//
// Source: findActiveVersions in
// https://github.com/eclipse-openvsx/openvsx/blob/daef4650eaa37881ce9e7a3e4154869a54f1ae38/server/src/main/java/org/eclipse/openvsx/repositories/ExtensionVersionJooqRepository.java
func sortPackages(all []*pkg) {
	slices.SortFunc(all, func(a, b *pkg) int {
		return cmp.Or(strings.Compare(a.id(), b.id()), b.version.Compare(a.version), comparePlatforms(a.platform, b.platform))
	})
}

// comparePlatforms orders universal packages before those of platforms.
func comparePlatforms(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == universal:
		return -1
	case b == universal:
		return 1
	}
	return strings.Compare(a, b)
}

// read reads a package and what is next to it.
func (s *Server) read(file string) (*pkg, error) {
	archive, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	p, err := parse(archive)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	text, err := os.ReadFile(file + ".json")
	if err == nil {
		err = json.Unmarshal(text, &p.extra)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s.json: %w", file, err)
	}
	return p, s.sign(p, archive)
}

// parse reads the manifests of a package.
func parse(archive []byte) (*pkg, error) {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, err
	}
	p := &pkg{platform: universal, files: map[string][]byte{}}
	text, err := fs.ReadFile(z, "extension/package.json")
	if err != nil {
		return nil, err
	}
	if p.manifest, err = parseManifest(text); err != nil {
		return nil, err
	}
	p.files["package.json"] = text
	if p.version, err = semver.StrictNewVersion(p.manifest.Version); err != nil {
		return nil, err
	}
	info, err := fs.Stat(z, "extension/package.json")
	if err != nil {
		return nil, err
	}
	p.extra.LastUpdated = info.ModTime().UTC()
	return p, p.readVSIXManifest(z)
}

// readVSIXManifest reads the platform and whether it is a pre-release.
func (p *pkg) readVSIXManifest(z *zip.Reader) error {
	text, err := fs.ReadFile(z, "extension.vsixmanifest")
	if err != nil {
		return err
	}
	var manifest struct {
		Identity struct {
			TargetPlatform string `xml:"TargetPlatform,attr"`
		} `xml:"Metadata>Identity"`
		Properties []struct {
			ID    string `xml:"Id,attr"`
			Value string `xml:"Value,attr"`
		} `xml:"Metadata>Properties>Property"`
	}
	if err := xml.Unmarshal(text, &manifest); err != nil {
		return err
	}
	p.platform = cmp.Or(manifest.Identity.TargetPlatform, universal)
	for _, property := range manifest.Properties {
		if property.ID == "Microsoft.VisualStudio.Code.PreRelease" {
			p.preRelease = property.Value == "true"
		}
	}
	return nil
}

// sign adds the files that the registry makes of a package: the hash and the signature archive.
func (s *Server) sign(p *pkg, archive []byte) error {
	signature, err := signatureArchive(archive, ed25519.Sign(s.key, archive))
	p.files[p.name()+".vsix"] = archive
	p.files[p.name()+".sha256"] = []byte(hash(archive))
	p.files[p.name()+".sigzip"] = signature
	return err
}

func hash(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// signatureArchive returns an archive as Open VSX makes them.
//
// Source: generateSignature in
// https://github.com/eclipse-openvsx/openvsx/blob/2538356dc77e8e2bd95d77c4a09c3a48b0c32acb/server/src/main/java/org/eclipse/openvsx/publish/ExtensionVersionIntegrityService.java
func signatureArchive(archive, signature []byte) ([]byte, error) {
	digest := sha256.Sum256(archive)
	manifest := fmt.Sprintf(`{"package":{"size":%d,"digests":{"sha256":%q}},"entries":{}}`,
		len(archive), base64.StdEncoding.EncodeToString(digest[:]))
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, file := range []struct{ name, text string }{
		{".signature.sig", string(signature)}, {".signature.manifest", manifest}, {".signature.p7s", ""},
	} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: file.name})
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(w, file.text); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return b.Bytes(), err
}

// Publish adds a package from a file.
func (s *Server) Publish(file string) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	err := s.add(file, true)
	s.sort()
	return err
}

// add adds a package. A package that is published while the server runs is so now.
func (s *Server) add(file string, now bool) error {
	p, err := s.read(file)
	if err != nil {
		return err
	}
	when := p.extra.LastUpdated
	if now {
		when = s.config.Now()
	}
	s.packages = append(s.packages, p)
	s.addChange(p, "ACTIVE", when)
	return nil
}

// sort sorts packages and changes as the registry lists them.
func (s *Server) sort() {
	sortPackages(s.packages)
	slices.SortStableFunc(s.changes, func(a, b change) int { return a.when.Compare(b.when) })
}

// Remove removes the packages of a version, ID@VERSION. state is REMOVED, or INACTIVE if the
// version may come back.
func (s *Server) Remove(idVersion, state string) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	id, version, _ := strings.Cut(strings.ToLower(idVersion), "@")
	found := false
	for _, p := range s.packages {
		if p.id() == id && strings.EqualFold(p.manifest.Version, version) && !p.inactive {
			found, p.inactive = true, true
			s.addChange(p, state, s.config.Now())
		}
	}
	s.sort()
	if !found {
		return fmt.Errorf("the registry does not have %q; want ID@VERSION", idVersion)
	}
	return nil
}
