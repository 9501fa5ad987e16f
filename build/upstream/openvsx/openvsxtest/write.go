package openvsxtest

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"time"
)

// Package is what a small package is made of.
type Package struct {
	JSON       string // package.json
	Platform   string // "" is universal
	PreRelease bool
	Time       time.Time // of its files, and so when it was published; zero is 2026-01-01
	Padding    int       // bytes of a file, so that the package is large
}

// Bytes returns the archive, which is not compressed. The same package has the same bytes.
func (p Package) Bytes() ([]byte, error) {
	when := p.Time
	if when.IsZero() {
		when = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	manifest, err := p.vsixManifest()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, file := range []struct {
		name, text string
	}{
		{"extension.vsixmanifest", manifest},
		{"[Content_Types].xml", `<?xml version="1.0" encoding="utf-8"?>` +
			`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
			`<Default Extension=".json" ContentType="application/json"/>` +
			`<Default Extension=".vsixmanifest" ContentType="text/xml"/></Types>`},
		{"extension/package.json", p.JSON},
		{"extension/data.bin", string(noise(p.Padding))},
	} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: file.name, Modified: when})
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(w, file.text); err != nil {
			return nil, err
		}
	}
	err = z.Close()
	return b.Bytes(), err
}

// Write writes the archive to a file.
func (p Package) Write(file string) error {
	archive, err := p.Bytes()
	if err != nil {
		return err
	}
	return os.WriteFile(file, archive, 0o644)
}

// vsixManifest returns the extension.vsixmanifest.
func (p Package) vsixManifest() (string, error) {
	m, err := parseManifest([]byte(p.JSON))
	if err != nil {
		return "", err
	}
	identity := fmt.Sprintf(`Language="en-US" Id="%s" Version="%s" Publisher="%s"`, m.Name, m.Version, m.Publisher)
	if p.Platform != "" {
		identity += fmt.Sprintf(` TargetPlatform="%s"`, p.Platform)
	}
	properties := fmt.Sprintf(`<Property Id="Microsoft.VisualStudio.Code.Engine" Value="%s"/>`, m.Engines["vscode"])
	if p.PreRelease {
		properties += `<Property Id="Microsoft.VisualStudio.Code.PreRelease" Value="true"/>`
	}
	return `<?xml version="1.0" encoding="utf-8"?>` +
		`<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">` +
		`<Metadata><Identity ` + identity + `/><DisplayName>` + m.Name + `</DisplayName>` +
		`<Properties>` + properties + `</Properties></Metadata>` +
		`<Installation><InstallationTarget Id="Microsoft.VisualStudio.Code"/></Installation>` +
		`<Assets><Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>` +
		`</Assets></PackageManifest>`, nil
}

// noise returns bytes that look random, and are the same each time.
func noise(size int) []byte {
	b := make([]byte, size)
	x := uint32(1)
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
}
