package build

import (
	"crypto/sha256"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/jsondoc"
)

// knowledge is what a generation knows about packages. When a package is read again, some results
// are taken from what is known about it, such as the date when it was first seen.
type knowledge struct {
	versions map[string]identified // by key
	keys     map[blob.Ref]string   // of versions, by package; only for the last generation
	packages []catalog.Package     // sorted
}

// find returns the version with this key if it has this package.
func (k *knowledge) find(key string, ref blob.Ref) (identified, bool) {
	x, ok := k.versions[key]
	return x, ok && x.version.Package.Ref == ref
}

// hash returns a hash of what the generation knows about a package that reading the package depends
// on, or that would be lost if it were not read: the version, when the package was first seen, and
// what is in it.
func (k *knowledge) hash(key string, ref blob.Ref) blob.Ref {
	var known struct {
		Version *catalog.Version
		Seen    time.Time
		Licence string
		Signed  bool
		Bundled []catalog.Bundled
	}
	if x, ok := k.find(key, ref); ok {
		v := *x.version
		v.Publisher, v.Name = x.publisher, x.name
		sign(&v, nil) // the empty signature is added and removed without reading
		known.Version = &v
	}
	if p := catalog.FindPackage(k.packages, ref, key); p != nil {
		known.Seen, known.Licence, known.Signed, known.Bundled = p.Seen, p.Licence, p.Signed, p.Bundled
	}
	text, err := jsondoc.Line(known)
	if err != nil { // a date that JSON cannot contain: the package is read again
		return blob.Ref{}
	}
	return sha256.Sum256(text)
}
