package pictures_test

import (
	"net/url"
	"testing"

	"galbuild/build/pictures"
)

func TestRepositoryFile(t *testing.T) {
	gitHub := pictures.ParseRepository("git+https://github.com/acme/notes.git", "")
	gitLab := pictures.ParseRepository("https://gitlab.com/acme/tools/notes", "")
	below := pictures.ParseRepository("https://github.com/acme/all/tree/main/packages/notes", "./packages/notes/")
	none := pictures.ParseRepository("git@github.com:acme/notes.git", "")
	for _, c := range []struct {
		repository    pictures.Repository
		address, want string
	}{
		{none, "images/a.png", "images/a.png"},
		{none, "./images/../a%20b.png?raw=true#x", "a b.png"},
		{none, "/images/a.png", "images/a.png"},
		{none, "../../../etc/passwd", "etc/passwd"},
		{none, "..%2f..%2fa.png", "a.png"},
		{none, `..\a.png`, ""},
		{none, "a%00.png", ""},
		{none, "", ""},
		{none, "%zz", ""},
		{none, "data:image/png;base64,AAAA", ""},
		{none, "javascript:a.png", ""},
		{none, "//github.com/acme/notes/raw/HEAD/a.png", ""},
		{none, "https://github.com/acme/notes/raw/HEAD/a.png", ""},
		{none, "https://github.com///raw/HEAD/a.png", ""},
		{gitHub, "https://github.com/acme/notes/raw/HEAD/images/a.png", "images/a.png"},
		{gitHub, "https://GitHub.com/Acme/Notes/blob/main/images/a.png?raw=true", "images/a.png"},
		{gitHub, "https://raw.githubusercontent.com/acme/notes/main/a.png", "a.png"},
		{gitHub, "https://raw.githubusercontent.com/acme/notes/refs/heads/main/a.png", "a.png"},
		{gitHub, "https://github.com/acme/notes/raw/refs/tags/v1/a.png", "a.png"},
		{gitHub, "https://github.com/acme/notes/wiki/a.png", ""},
		{gitHub, "https://github.com/acme/other/raw/HEAD/a.png", ""},
		{gitHub, "https://github.com/acme/notes/raw/HEAD", ""},
		{gitHub, "https://gitlab.com/acme/notes/raw/HEAD/a.png", ""},
		{gitHub, "https://x@github.com/acme/notes/raw/HEAD/a.png", ""},
		{gitHub, "ftp://github.com/acme/notes/raw/HEAD/a.png", ""},
		{gitHub, "https://evil.example/acme/notes/raw/HEAD/a.png", ""},
		{gitLab, "https://gitlab.com/acme/tools/notes/-/raw/main/a.png", "a.png"},
		{gitLab, "https://raw.githubusercontent.com/acme/tools/notes/main/a.png", ""},
		{below, "https://github.com/acme/all/raw/HEAD/packages/notes/a.png", "a.png"},
		{below, "https://github.com/acme/all/raw/HEAD/packages/other/a.png", ""},
		{below, "https://github.com/acme/all/raw/HEAD/a.png", ""},
	} {
		if got, ok := c.repository.File(c.address); got != c.want || ok != (c.want != "") {
			t.Errorf("%v: %q is %q, %v, want %q", c.repository, c.address, got, ok, c.want)
		}
	}
}

func TestEscape(t *testing.T) {
	for path, want := range map[string]string{
		"acme/notes/1.0.0+b@linux-x64/a-b_c~d.png": "acme/notes/1.0.0%2Bb@linux-x64/a-b_c~d.png",
		"a b/(c)'\"&<>%20ä:\\?#,;=$*!|`":           "a%20b/%28c%29%27%22%26%3C%3E%2520%C3%A4%3A%5C%3F%23%2C%3B%3D%24%2A%21%7C%60",
	} {
		got := pictures.Escape(path)
		back, err := url.PathUnescape(got)
		if got != want || err != nil || back != path {
			t.Errorf("%q: got %q, which is %q, %v", path, got, back, err)
		}
	}
}
