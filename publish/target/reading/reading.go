// Package reading lists the kinds of targets that galshim reads. It links none of the code that
// writes to targets.
package reading

import (
	"galbuild/publish/target"
	"galbuild/publish/target/artifactory/repository"
	"galbuild/publish/target/s3/bucket"
	"galbuild/publish/target/website"
)

// Kinds returns the kinds, in the order of the help. Folders have no OpenReader: galshim maps their
// files.
func Kinds() []target.Kind {
	web := website.Kind()
	web.ReadOnly, web.Open = false, nil // as all others here
	return []target.Kind{
		target.Folder(),
		bucket.Kind(),
		bucket.OSSKind(),
		repository.Kind(),
		web,
	}
}
