package weburl

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	const example = "https://host/gallery"
	for address, want := range map[string]string{
		"https://host":                   "",
		"http://host:8080/a/b/":          "",
		"https://me:s3cret@host/gallery": "",
		"":                               "not an http or https address such as " + example,
		"host":                           "not an http or https address such as " + example,
		"ftp://host":                     "not an http or https address such as " + example,
		"https://":                       "not an http or https address such as " + example,
		"https://me:s3cret@host?x":       "want an address without ? and #",
		"https://host/a?token=s3cret":    "https://host/a: want an address without ? and #",
		"https://host?":                  "want an address without ? and #",
		"https://host#x":                 "want an address without ? and #",
		"https://me:s3cret@host:x/":      "the address cannot be parsed",
	} {
		u, err := Parse(address, example)
		switch {
		case want == "" && (err != nil || u.String() != address):
			t.Errorf("%s: got %v, %v", address, u, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret")):
			t.Errorf("%s: got %v, want %s", address, err, want)
		}
	}
}
