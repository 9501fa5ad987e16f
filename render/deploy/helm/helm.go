// Package helm has the Helm chart of a gallery. Folder gallery is the chart itself, and can be
// installed from a checkout. README.md in it describes the values, values.schema.json checks them.
//
// The chart has no copy of what galbuild knows. An init container of each pod runs galbuild config
// nginx, which writes the configuration that nginx includes. Without it, the chart would need the
// template of that configuration a second time, in the dialect of Helm.
package helm

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/semver"

	"galbuild/build/atomicfile"
)

// Chart is the name of the chart, and of its folder.
const Chart = "gallery"

const metadata = "Chart.yaml"

// The prefix all: is for files whose names begin with a dot or an underscore.
//
//go:embed all:gallery
var files embed.FS

// Write writes the chart to a folder, which must be new or empty. The version of galbuild becomes
// the default tag of the image, and also the version of the chart if it is a semantic version.
func Write(dir, version string) error {
	chart, err := fs.Sub(files, Chart)
	if err != nil {
		return err
	}
	if err := atomicfile.MkdirEmpty(dir); err != nil {
		return err
	}
	text, err := fs.ReadFile(chart, metadata)
	if err != nil {
		return err
	}
	if err := os.CopyFS(dir, chart); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, metadata), stamp(text, version), 0o666)
}

// stamp returns Chart.yaml with a version of galbuild.
func stamp(text []byte, version string) []byte {
	var out bytes.Buffer
	for line := range strings.Lines(string(text)) {
		switch key, _, _ := strings.Cut(line, ":"); {
		case key == "appVersion":
			line = fmt.Sprintf("appVersion: %q\n", version)
		case key == "version" && semver.IsValid(version):
			line = fmt.Sprintf("version: %q\n", strings.TrimPrefix(semver.Canonical(version), "v"))
		}
		out.WriteString(line)
	}
	return out.Bytes()
}
