package dropbox

import (
	"net/http"
	"testing"

	"galbuild/publish/target"
	"galbuild/publish/target/internal/resttest"
)

// FuzzResponse tests the client with arbitrary responses.
func FuzzResponse(f *testing.F) {
	open := func(transport http.RoundTripper) (target.Target, error) {
		return New(Config{Path: "/g", Token: "t", Transport: transport})
	}
	resttest.Fuzz(f, open,
		`{"entries":[{".tag":"file","name":"CURRENT","path_display":"/g/index/CURRENT","size":120,"rev":"1","server_modified":"2026-01-01T00:00:00Z"}],"cursor":"c","has_more":false}`,
		`{"entries":[{".tag":"file","path_display":"/../x","server_modified":"2026-01-01T00:00:00Z"}],"has_more":true}`,
		`{"error_summary":"path/not_found/","error":{".tag":"path","path":{".tag":"not_found"}}}`, `null`, `{"entries":null}`, `{"entries":[null]}`, `[]`,
	)
}
