package addresses

import "testing"

func TestScheme(t *testing.T) {
	for s, want := range map[string]string{
		"s3://vsix/gallery": "s3", "S3://vsix": "s3", "s3:vsix": "s3", "oss://b": "oss", "dropbox:/x": "dropbox", "artifactory:https://h/artifactory/r": "artifactory",
		"artifactory+https://h/artifactory/r": "artifactory+https", "https://h": "https", "http:/h": "http", "file:///srv": "file", "file:/srv": "file",
		"gs://b": "gs", "admin@host:/srv/gallery": "ssh", "me@10.0.0.1:site": "ssh", "./me@host:x": "", "acme.hello@1.0.0": "", "@ä:x": "", "git+ssh://h": "git+ssh", "memory:x": "memory", "host:8080": "host", "./a:b": "", "1:2.vsix": "",
		"": "", "site": "", "./s3://vsix": "", `C:\site`: "", "C:/site": "", "c://site": "", "a:b.vsix": "", "/srv/http://x": "", "s3": "", "-": "", "@list": "", "://": "",
	} {
		if got := Scheme(s); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}

func TestPath(t *testing.T) {
	for s, want := range map[string]string{"file:///srv/x": "/srv/x", "file:/srv/x": "/srv/x", "FILE://localhost/srv": "/srv"} {
		if got := Path(s); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}
