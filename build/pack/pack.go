// Package pack turns an extension's folder into a .vsix.
//
// The folder holds package.json and everything else the extension needs, as it
// is to be installed. The package holds, in this order,
//
//	extension.vsixmanifest  derived from package.json and package.nls.json, see package manifest
//	[Content_Types].xml     media type per file extension, with the leading dot that vsce writes
//	extension/…             every file of the folder, sorted by name
//
// but for .git and for .vsix files beside package.json, which are earlier
// results. Symbolic links are refused.
//
// The same folder gives the same bytes: all entries have one time, and 0755 or
// 0644 as permissions. The time is SOURCE_DATE_EPOCH's (seconds since 1970,
// https://reproducible-builds.org/specs/source-date-epoch/), else the newest
// file's. Only a new version of the compression library may change the bytes,
// never the contents.
//
// What no gallery or editor takes is refused as well: package.json with a byte
// order mark, comments, a bad id or version, or no engines.vscode; an icon that is
// missing or SVG; an unknown platform.
package pack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/klauspost/compress/zip"

	"galbuild/build/catalog"
	"galbuild/build/vsix/manifest"
)

// Options are what package.json does not say.
type Options struct {
	Platform   string // one of catalog.Platforms; "" is universal
	PreRelease bool
}

// Write packs the folder dir. An error leaves w with part of a package.
func Write(w io.Writer, dir fs.FS, o Options) error {
	if o.Platform != "" && !manifest.KnownPlatform(o.Platform) {
		return fmt.Errorf("target platform %q: want one of %s", o.Platform, strings.Join(catalog.Platforms(), ", "))
	}
	pkg, err := readPackage(dir)
	if err != nil {
		return err
	}
	files, err := list(dir)
	if err != nil {
		return err
	}
	xml := manifest.Derive(pkg, entryNames(files), manifest.Options{Platform: o.Platform, PreRelease: o.PreRelease})
	if err := checkIcon(pkg, xml); err != nil {
		return err
	}
	text, err := xml.Bytes()
	if err != nil {
		return err
	}
	modified, err := entryTime(files)
	if err != nil {
		return err
	}
	return write(w, dir, files, text, modified)
}

func readPackage(dir fs.FS) (*manifest.Package, error) {
	text, err := fs.ReadFile(dir, "package.json")
	if err != nil {
		return nil, fmt.Errorf("not an extension's folder: %w", err)
	}
	pkg, err := manifest.ParsePackage(text)
	if err == nil {
		err = manifest.CheckIdentity(pkg.Publisher, pkg.Name, pkg.Version)
	}
	if err == nil && pkg.Engine() == "" {
		err = errors.New(`engines.vscode is missing: say which editors it runs in, such as "^1.90.0"`)
	}
	if err != nil {
		return nil, fmt.Errorf("read package.json: %w", err)
	}
	nls, err := fs.ReadFile(dir, "package.nls.json")
	if errors.Is(err, fs.ErrNotExist) {
		return pkg, nil
	}
	if err == nil {
		err = pkg.Translate(nls)
	}
	if err != nil {
		return nil, fmt.Errorf("read package.nls.json: %w", err)
	}
	return pkg, nil
}

func checkIcon(pkg *manifest.Package, x *manifest.XML) error {
	switch icon := pkg.Icon(); {
	case icon == "":
		return nil
	case strings.HasSuffix(strings.ToLower(icon), ".svg"):
		return fmt.Errorf("icon %q: editors show no SVG", icon)
	case x.Metadata.Icon == "":
		return fmt.Errorf("icon %q: no such file", icon)
	}
	return nil
}

func write(w io.Writer, dir fs.FS, files []file, xml []byte, modified time.Time) error {
	z := zip.NewWriter(w)
	add := func(name string, mode fs.FileMode, content io.Reader) error {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: modified}
		h.SetMode(mode)
		entry, err := z.CreateHeader(h)
		if err == nil {
			_, err = io.Copy(entry, content)
		}
		return err
	}
	if err := add(manifest.XMLPath, 0o644, bytes.NewReader(xml)); err != nil {
		return err
	}
	if err := add(manifest.ContentTypesPath, 0o644, strings.NewReader(contentTypes(files))); err != nil {
		return err
	}
	for _, f := range files {
		if err := addFile(dir, f, add); err != nil {
			return fmt.Errorf("pack %q: %w", f.path, err)
		}
	}
	return z.Close()
}

func addFile(dir fs.FS, f file, add func(string, fs.FileMode, io.Reader) error) error {
	content, err := dir.Open(f.path)
	if err != nil {
		return err
	}
	defer content.Close()
	return add(f.entry(), f.mode, content)
}

func entryNames(files []file) []string {
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.entry()
	}
	return names
}
