// Package imagefile checks files of pictures that come from elsewhere: their type, which follows
// from their content and not from a name or a header, and that a drawing runs no script and loads
// nothing. It decodes no pixels.
package imagefile

import (
	"bytes"
	"errors"
	"fmt"
)

// Folder is the folder of pictures, in a folder of packages and in that of a version.
const Folder = "pictures/"

// MaxBytes is the largest size of a picture.
const MaxBytes = 8 << 20

// SVG is the type of drawings.
const SVG = "image/svg+xml"

// A format is a format of pictures that browsers show.
type format struct {
	mediaType, extension string
	matches              func(content []byte) bool
}

func formats() []format {
	return []format{
		{"image/png", ".png", begins("\x89PNG\r\n\x1a\n")},
		{"image/jpeg", ".jpg", begins("\xff\xd8\xff")},
		{"image/gif", ".gif", func(b []byte) bool { return begins("GIF87a")(b) || begins("GIF89a")(b) }},
		{"image/webp", ".webp", func(b []byte) bool { return begins("RIFF")(b) && has(b, 8, "WEBP") }},
		{"image/avif", ".avif", func(b []byte) bool { return has(b, 4, "ftypavif") || has(b, 4, "ftypavis") }},
		{SVG, ".svg", func(b []byte) bool {
			return begins("<")(bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\ufeff")), " \t\r\n"))
		}},
	}
}

func begins(magic string) func([]byte) bool {
	return func(content []byte) bool { return has(content, 0, magic) }
}

func has(content []byte, at int, text string) bool {
	return len(content) >= at+len(text) && string(content[at:at+len(text)]) == text
}

// Extension returns the extension of files of a type, such as .png, or "" if it is not the type of
// a picture that galleries serve.
func Extension(mediaType string) string {
	for _, f := range formats() {
		if f.mediaType == mediaType {
			return f.extension
		}
	}
	return ""
}

// Check returns the media type of the content of a picture. It refuses what is not a picture that
// browsers show, and drawings that CheckSVG refuses.
func Check(content []byte) (mediaType string, err error) {
	for _, f := range formats() {
		if !f.matches(content) {
			continue
		}
		if f.mediaType == SVG {
			if _, err := ParseSVG(content); err != nil {
				return "", fmt.Errorf("it is not a drawing that is safe to serve: %w", err)
			}
		}
		return f.mediaType, nil
	}
	return "", errors.New("want a PNG, JPEG, GIF, WebP, AVIF or SVG file, found something else")
}
