package artifactory

import (
	"net/http"
	"testing"

	"galbuild/publish/target"
	"galbuild/publish/target/internal/resttest"
)

// FuzzResponse tests the client with arbitrary responses.
func FuzzResponse(f *testing.F) {
	open := func(transport http.RoundTripper) (target.Target, error) {
		return New(Config{URL: "http://host/artifactory", Repo: "vsix", Token: "t", Transport: transport})
	}
	resttest.Fuzz(f, open,
		`{"uri":"http://host/artifactory/api/storage/vsix","files":[{"uri":"/CURRENT","size":120,"lastModified":"2026-01-01T00:00:00.000Z","folder":false}]}`,
		`{"files":[{"uri":"/../../x","size":"-1","lastModified":"2026-01-01T00:00:00Z"}]}`,
		`{"errors":[{"status":404,"message":"Unable to find item"}]}`, `null`, `{"files":null}`, `{"files":[null]}`, `[]`,
	)
}
