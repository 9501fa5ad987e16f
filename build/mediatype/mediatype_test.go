package mediatype

import (
	"slices"
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	for name, want := range map[string]string{
		"extension/package.json":     "application/json",
		"extension/README.MD":        "text/markdown; charset=utf-8",
		"extension.vsixmanifest":     "text/xml; charset=utf-8",
		"extension/a.tmLanguage":     "text/xml; charset=utf-8",
		"extension/src/a.ts":         "text/plain; charset=utf-8",
		"extension/icon.png":         "image/png",
		"extension/dist/main.js":     "text/javascript; charset=utf-8",
		"extension/dist/main.mjs":    "text/javascript; charset=utf-8",
		"extension/dist/main.cjs":    "text/javascript; charset=utf-8",
		"extension/dist/main.js.map": "application/json",
		"extension/dist/main.WASM":   "application/wasm",
		"extension/media/style.css":  "text/css; charset=utf-8",
		"extension/media/a.b.woff2":  "font/woff2",
		"extension/evil.HTML":        "text/html; charset=utf-8",
		"extension/feed.atom":        "application/atom+xml",
		"extension/evil.html ":       Octets,
		"extension/evil.html/":       "text/html; charset=utf-8",
		"extension/evil.html.":       Octets,
		"extension/.html":            Octets,
		"extension/.gitignore":       Octets,
		"extension/.a.html":          "text/html; charset=utf-8",
		"extension/LICENSE":          Octets,
		"extension/html":             Octets,
		"extension/bin/server.node":  Octets,
		"extension/x.html/bin":       Octets,
		"extension/evil.svgz":        Octets,
		"extension/evil.xht":         Octets,
		"extension/evil.xhtml":       Octets,
		"extension/evil.mht":         Octets,
		"extension/evil.hta":         Octets,
		"extension/evil.swf":         Octets,
		"extension/evil.shtml":       Octets,
		"extension/evil.html\n":      Octets,
		"":                           Octets,
	} {
		if got := Of(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}

func TestOfAsset(t *testing.T) {
	const microsoft = "Microsoft.VisualStudio."
	for _, tt := range []struct{ assetType, name, want string }{
		{microsoft + "Code.Manifest", "extension/package.json", "application/json"},
		{microsoft + "Services.Content.Details", "extension/evil.html", "text/markdown; charset=utf-8"},
		{microsoft + "Services.Content.Changelog", "extension/evil.svg", "text/markdown; charset=utf-8"},
		{microsoft + "Services.Content.License", "extension/LICENSE", "text/plain; charset=utf-8"},
		{microsoft + "Services.Icons.Default", "extension/icon.jpg", "image/jpeg"},
		{microsoft + "Services.Icons.Small", "extension/icon.html", "text/html; charset=utf-8"},
		{microsoft + "Services.VsixManifest", "extension.vsixmanifest", "text/xml; charset=utf-8"},
		{microsoft + "Services.VSIXPackage", "", "application/vsix"},
		{microsoft + "Services.VsixSignature", "", "application/zip"},
		{microsoft + "Code.Translation.HTML", "extension/evil.html", "application/json"},
		{"page.html", "extension/evil.html", "text/html; charset=utf-8"},
		{"sw", "extension/a.js", "text/javascript; charset=utf-8"},
	} {
		if got := OfAsset(tt.assetType, tt.name); got != tt.want {
			t.Errorf("%s of %q: %s, want %s", tt.assetType, tt.name, got, tt.want)
		}
	}
}

// Types that scripts, workers, styles and pictures of web extensions are loaded with.
var usedByWebExtensions = []string{
	"text/javascript; charset=utf-8", "text/css; charset=utf-8", "application/json", "application/wasm",
	"font/woff", "font/woff2", "font/ttf", "font/otf", "application/vnd.ms-fontobject",
	"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp", "image/x-icon",
	"audio/mpeg", "audio/wav", "audio/ogg", "video/mp4", "video/webm",
	"text/plain; charset=utf-8", "text/markdown; charset=utf-8",
}

func TestActive(t *testing.T) {
	for _, inert := range usedByWebExtensions {
		if Active(inert) || Attached(inert) {
			t.Errorf("%s is active", inert)
		}
	}
	for _, active := range []string{
		"text/html; charset=utf-8", "text/html", "TEXT/HTML", "application/xhtml+xml", "image/svg+xml", "text/xml; charset=utf-8",
		"application/xml", "application/rdf+xml", "application/atom+xml", "application/pdf", Octets, "", "x", "multipart/x-mixed-replace",
		"application/x-shockwave-flash", "message/rfc822", "text/plain, text/html", "image/png, text/html", "image/png; a=b, text/html",
		"text/plain;charset=utf-7", " text/plain", "video/xml", "image/SVG+XML",
	} {
		if !Active(active) {
			t.Errorf("%q is inert", active)
		}
		if active != Octets && !Attached(active) {
			t.Errorf("%q is not attached", active)
		}
	}
	if Attached(Octets) {
		t.Errorf("%s is attached: browsers do not show it anyway", Octets)
	}
}

// TestTable checks the properties of the table that servers rely on.
func TestTable(t *testing.T) {
	for ext, kind := range byExtension {
		if strings.HasPrefix(kind, "text/") != strings.HasSuffix(kind, charset) {
			t.Errorf("%s: %s: text has a charset, nothing else", ext, kind)
		}
		if slices.Contains(plainTexts, ext) {
			t.Errorf("%s is listed twice", ext)
		}
	}
	files := 0
	for mediaType, extensions := range Extensions() {
		for _, ext := range extensions {
			files++
			if ext != strings.ToLower(ext) || strings.Trim(ext, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
				t.Errorf("%q: want a lower-case extension", ext)
			}
			if got := Of("a." + ext); essence(got) != mediaType {
				t.Errorf("%s: %s, want %s", ext, got, mediaType)
			}
		}
	}
	if want := len(byExtension) + len(plainTexts); files != want {
		t.Errorf("%d extensions, want %d", files, want)
	}
	for mediaType, ends := range AssetEnds() {
		for _, end := range ends {
			if got := OfAsset("x."+end, "icon.png"); essence(got) != mediaType {
				t.Errorf("asset %s: %s, want %s", end, got, mediaType)
			}
		}
	}
}
