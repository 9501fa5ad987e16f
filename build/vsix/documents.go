package vsix

import (
	"bytes"
	"io"
	"strings"

	"galbuild/build/vsix/manifest"
)

// documents are the files that describe a package.
type documents struct {
	pkg      *manifest.Package
	xml      *manifest.XML // derived from pkg if the archive has none
	derived  bool
	plain    []byte // package.json as served
	warnings []string
	limits   Limits
}

func readDocuments(a *archive, l Limits) (*documents, error) {
	d := &documents{warnings: a.warnings, limits: l}
	if err := d.readPackage(a); err != nil {
		return nil, err
	}
	if err := d.readTranslations(a); err != nil {
		return nil, err
	}
	return d, d.readXML(a)
}

func (d *documents) readPackage(a *archive) error {
	file, ok := a.find(manifest.PackagePath)
	if !ok {
		return refuse("", "there is no entry %q, so it is not an extension", manifest.PackagePath)
	}
	if stored := strings.ReplaceAll(file.zip.Name, `\`, "/"); stored != manifest.PackagePath {
		return refuse(stored, "editors read only an entry with the exact name %q", manifest.PackagePath)
	}
	stored, err := file.readAll(d.limits)
	if err != nil {
		return err
	}
	if d.pkg, err = manifest.ParsePackage(stored); err != nil {
		return refuse(file.name, "%v", err)
	}
	if d.plain = manifest.PlainJSON(stored); !bytes.Equal(d.plain, stored) {
		d.warnings = append(d.warnings, "package.json is not UTF-8: editors show \uFFFD "+
			"in place of each invalid byte, and so does the gallery")
	}
	return nil
}

// readTranslations reads package.nls.json. If it is invalid, it is ignored with a warning.
func (d *documents) readTranslations(a *archive) error {
	file, ok := a.find(manifest.NLSPath)
	if !ok {
		return nil
	}
	text, err := file.readAll(d.limits)
	if err != nil {
		return err
	}
	if err := d.pkg.Translate(text, int(d.limits.Translations)); err != nil {
		d.warnings = append(d.warnings, clip("package.nls.json is ignored: "+err.Error()))
	}
	return nil
}

func (d *documents) readXML(a *archive) error {
	file, ok := a.find(manifest.XMLPath)
	if !ok {
		d.warnings = append(d.warnings, "there is no "+manifest.XMLPath+": the metadata is derived from package.json")
		d.xml, d.derived = manifest.Derive(d.pkg, a.names(), manifest.Options{}), true
		return nil
	}
	text, err := file.readAll(d.limits)
	if err != nil {
		return err
	}
	if d.xml, err = manifest.ParseXML(text); err != nil {
		return refuse(file.name, "%v", err)
	}
	return nil
}

// readAll returns the verified content of a document.
func (file *file) readAll(l Limits) ([]byte, error) {
	if file.size() > l.ManifestBytes {
		return nil, refuse(file.name, "%d bytes, more than the limit of %d for manifests",
			file.size(), l.ManifestBytes)
	}
	return file.content()
}

// content returns the verified content of a file.
func (file *file) content() ([]byte, error) {
	var text bytes.Buffer
	text.Grow(int(file.size()) + bytes.MinRead)
	err := file.read(func(r io.Reader) error {
		_, err := text.ReadFrom(r)
		return err
	})
	return text.Bytes(), err
}

// maxThemeBytes is the largest size of the file of a colour theme whose colours are read.
const maxThemeBytes = 1 << 20

// themeFiles returns a function that returns the files of colour themes, see
// [manifest.Package.Page]. Files that are too large or damaged are left out: Walk refuses damaged
// ones.
func (d *documents) themeFiles(a *archive) func(string) []byte {
	return func(name string) []byte {
		file, ok := a.find("extension/" + name)
		if !ok || file.size() > maxThemeBytes {
			return nil
		}
		text, err := file.content()
		if err != nil {
			return nil
		}
		return text
	}
}
