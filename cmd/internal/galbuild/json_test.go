package galbuild

import (
	"reflect"
	"strings"
	"testing"

	"galbuild/build"
	"galbuild/publish"
	"galbuild/publish/bundle"
	"galbuild/publish/dbem"
	"galbuild/render"
)

// TestJSONKeys has the keys of what --json prints. Scripts depend on them: they must not change.
func TestJSONKeys(t *testing.T) {
	for _, tt := range []struct {
		report any
		want   string
	}{
		{build.Report{}, "site generation previous dryRun extensions versions bytes read unchanged added removed kept refused warnings missing"},
		{build.Problem{}, "file reason"},
		{build.Missing{}, "extension version needs kind"},
		{build.Need{}, "id kind missing"},
		{render.Report{}, "site generation extensions versions files blobs bytes problems"},
		{publish.Result{}, "target generation previous objects bytes removedObjects attempts dryRun kept plan"},
		{added{}, "target generation previous objects bytes removedObjects attempts dryRun kept plan added refused warnings"},
		{removed{}, "target generation previous objects bytes removedObjects attempts dryRun kept plan removed"},
		{pulled{}, "target site generation changed"},
		{inspection{}, "site generation settings index extensions"},
		{indexFile{}, "path stats sections"},
		{bundle.Exported{}, "site generation since files blobs bytes parts sums signature"},
		{bundle.Imported{}, "site generation previous since signer signed files bytes written changed removed replaced wasCurrent"},
		{dbem.Result{}, "target extensions objects bytes kept unlisted pruned warnings attempts dryRun plan"},
		{dbem.Pulled{}, "target folder packages objects bytes extra"},
	} {
		if got := strings.Join(keysOf(reflect.TypeOf(tt.report)), " "); got != tt.want {
			t.Errorf("%T: got %q, want %q", tt.report, got, tt.want)
		}
	}
}

// keysOf returns the keys of a struct in JSON.
func keysOf(t reflect.Type) (keys []string) {
	for f := range t.Fields() {
		if f.Anonymous {
			keys = append(keys, keysOf(f.Type)...)
		} else if key, _, _ := strings.Cut(f.Tag.Get("json"), ","); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}
