package dir_test

import (
	"testing"

	"galbuild/publish/target"
	"galbuild/publish/target/dir"
	"galbuild/publish/target/targettest"
)

func TestTarget(t *testing.T) {
	targettest.Run(t, targettest.Options{}, func(t *testing.T) target.Target {
		at, err := dir.New(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return at
	})
}
