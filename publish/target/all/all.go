// Package all lists the kinds of targets.
package all

import (
	"galbuild/publish/target"
	"galbuild/publish/target/artifactory"
	"galbuild/publish/target/dir"
	"galbuild/publish/target/dropbox"
	"galbuild/publish/target/s3"
	"galbuild/publish/target/website"
)

// Kinds returns all kinds, in the order of the help.
func Kinds() []target.Kind {
	return []target.Kind{
		dir.Kind(),
		s3.Kind(),
		s3.OSSKind(),
		artifactory.Kind(),
		dropbox.Kind(),
		website.Kind(),
	}
}
