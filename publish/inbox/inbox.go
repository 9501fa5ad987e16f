// Package inbox is the inbox of a gallery: authors submit packages to it, and whoever builds the
// gallery accepts or refuses them. Authors need no right to anything else.
//
// # Format
//
//	inbox/<publisher>/<sha256>.vsix  a package, named by the SHA-256 of its content
//	inbox/<publisher>/<sha256>.json  its submission, and later what became of it: a Document
//
// The publisher is that of the package, in lower case, so that a store can let each author write
// below one folder. The hash is in lower-case hexadecimal. Names never stand for other packages.
// Whatever else is below inbox/ is named and left alone.
//
// A document is JSON of at most 64 KiB:
//
//	{
//	  "format": 1,
//	  "package": "acme.notes@1.2.0@linux-x64",  (see catalog.Key)
//	  "size": 48213,                            (bytes of the package)
//	  "public": {…}, "private": {…},            (a catalog.Record, as in x.vsix.records)
//	  "result": {…}                             (a Result; missing until the submission is read)
//	}
//
// The record is of the kind [decision.Submitted]. It is about the SHA-256 of the package, and has
// the time, the name and the note of the author, and the author's minisign signature. That covers
// the id, version and platform, too: they are in the package, and a hash has only one package. The
// keys package and size are not signed. They describe the package before it is read, and a package
// that differs from them is refused. So the signature of one submission is never that of another.
//
// # Order of writes
//
// An author writes the package first and the document last. A submission is complete when both
// exist and the document has no result, or the result that it waits. See [Submit].
//
// The builder reads complete submissions and adds their packages to the gallery. When the new
// generation is current, the builder replaces the document by the same one with its result, unless
// somebody has changed it in the meantime, and then deletes the package. A builder that is killed
// before has changed nothing in the inbox: the next one reads the submission again, and finds its
// package in the gallery. The same happens to the slower one of two builders. See [Accept].
//
// A result is evidence for the author only. Anybody who can write to the folder can write one, and
// the builder believes no result: it only does not read a submission again that has one.
//
// # Limits
//
// An author can fill only the folder of the publisher. Of each publisher, a run reads a limited
// number of submissions and of bytes, and names the rest; see [Limits]. Results are deleted after
// 30 days, and packages without a document, which interrupted uploads leave, after a day.
package inbox

import (
	"fmt"
	"path"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
)

// A Name identifies a submission.
type Name struct {
	Publisher string   `json:"publisher"` // in lower case
	SHA256    blob.Ref `json:"sha256"`    // of the package
}

// Folder returns the prefix of the keys of a publisher.
func Folder(publisher string) string { return site.InboxDir + strings.ToLower(publisher) + "/" }

// PackageKey returns the key of the package.
func (n Name) PackageKey() string { return Folder(n.Publisher) + n.SHA256.String() + packageSuffix }

// DocumentKey returns the key of the document.
func (n Name) DocumentKey() string { return Folder(n.Publisher) + n.SHA256.String() + documentSuffix }

// Suffixes of the keys of an inbox.
const (
	packageSuffix  = ".vsix"
	documentSuffix = ".json"
)

// parseKey returns the submission that a key belongs to, and the suffix of the key.
func parseKey(key string) (Name, string, error) {
	folder, file := path.Split(key)
	publisher := strings.TrimSuffix(strings.TrimPrefix(folder, site.InboxDir), "/")
	suffix := path.Ext(file)
	ref, err := blob.Parse(strings.TrimSuffix(file, suffix))
	n := Name{publisher, ref}
	switch {
	case err != nil, suffix != packageSuffix && suffix != documentSuffix, CheckPublisher(publisher) != nil,
		key != n.PackageKey() && key != n.DocumentKey():
		return Name{}, "", fmt.Errorf("want %s<publisher>/<sha256>%s or %s", site.InboxDir, packageSuffix, documentSuffix)
	}
	return n, suffix, nil
}

// CheckPublisher returns an error unless a text is the name of a publisher.
func CheckPublisher(publisher string) error { return catalog.CheckID(publisher, "any") }
