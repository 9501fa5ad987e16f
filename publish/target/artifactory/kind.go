package artifactory

import (
	"galbuild/publish/target"
	"galbuild/publish/target/artifactory/repository"
)

// Kind returns the kind of target that is a folder of a repository.
func Kind() target.Kind {
	k := repository.Kind()
	k.Open = func(s target.Settings, e target.Env) (target.Target, error) {
		return target.Opened(New(repository.FromSettings(s, e)))
	}
	return k
}
