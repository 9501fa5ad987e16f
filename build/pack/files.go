package pack

import (
	"cmp"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"galbuild/build/vsix"
)

// file is one to pack.
type file struct {
	path     string // below the folder
	mode     fs.FileMode
	modified time.Time
}

func (f file) entry() string { return "extension/" + f.path }

// list returns the files to pack, sorted by path.
func list(dir fs.FS) ([]file, error) {
	var files []file
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name == ".git":
			return fs.SkipDir
		case d.IsDir() || strings.HasSuffix(name, ".vsix") && !strings.Contains(name, "/"):
			return nil
		case !d.Type().IsRegular():
			return fmt.Errorf("%q is not a regular file (mode %v)", name, d.Type())
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if info.Mode()&0o100 != 0 {
			mode = 0o755
		}
		files = append(files, file{name, mode, info.ModTime()})
		return nil
	})
	slices.SortFunc(files, func(a, b file) int { return cmp.Compare(a.path, b.path) })
	return files, err
}

// entryTime returns the one time of all entries.
func entryTime(files []file) (time.Time, error) {
	if s := os.Getenv("SOURCE_DATE_EPOCH"); s != "" {
		seconds, err := strconv.ParseInt(s, 10, 64)
		if err != nil || seconds < 0 {
			return time.Time{}, errors.New("SOURCE_DATE_EPOCH: want seconds since 1970, got " + strconv.Quote(s))
		}
		return time.Unix(seconds, 0).UTC(), nil
	}
	var newest time.Time
	for _, f := range files {
		if f.modified.After(newest) {
			newest = f.modified
		}
	}
	return newest.UTC().Truncate(time.Second), nil
}

// contentTypes returns [Content_Types].xml: one line per file extension.
func contentTypes(files []file) string {
	types := map[string]string{".json": "application/json", ".vsixmanifest": "text/xml"}
	for _, f := range files {
		if ext := strings.ToLower(path.Ext(f.path)); ext != "" && ext != path.Base(strings.ToLower(f.path)) {
			types[ext], _, _ = strings.Cut(vsix.MediaType(f.path), ";")
		}
	}
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?>` + "\n")
	b.WriteString(`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">`)
	for _, ext := range slices.Sorted(maps.Keys(types)) {
		fmt.Fprintf(&b, `<Default Extension="%s" ContentType="%s"/>`, html.EscapeString(ext), types[ext])
	}
	b.WriteString("</Types>\n")
	return b.String()
}
