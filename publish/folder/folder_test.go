package folder_test

import (
	"testing"

	"galbuild/publish"
	"galbuild/publish/folder"
	"galbuild/publish/publishtest"
)

func TestTarget(t *testing.T) {
	publishtest.Run(t, publishtest.Options{}, func(t *testing.T) publish.Target {
		target, err := folder.New(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return target
	})
}
