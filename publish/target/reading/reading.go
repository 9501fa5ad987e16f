// Package reading lists the kinds of targets that galshim reads. It links none of the code that
// writes to targets.
package reading

import (
	"galbuild/publish/target"
	"galbuild/publish/target/artifactory/repository"
	"galbuild/publish/target/s3/bucket"
	"galbuild/publish/target/website"
)

// Kinds returns the kinds, in the order of the help.
func Kinds() []target.Kind {
	return []target.Kind{
		bucket.Kind(),
		bucket.OSSKind(),
		repository.Kind(),
		website.Kind(),
	}
}
