package imagepolicy

import (
	"errors"
	"slices"
	"testing"
)

// TestCheck has results of the rules of vsce in Node.js 24.
func TestCheck(t *testing.T) {
	for src, want := range map[string]error{
		"https://x.y/a.png":                  nil,
		"https://x.y":                        nil,
		"HTTPS:x.y":                          nil,
		" https:\\\\x.y\\a ":                 nil,
		"ht\ttps://x.y/a":                    nil,
		"https://u:p@x.y:1/a":                nil,
		"https://x_y.z/a":                    nil,
		"https://%41/a":                      nil,
		"https://bücher.example/a":           nil,
		"https://1.2.3/a":                    nil,
		"https://0x7f.1/a":                   nil,
		"https://[::1]:8/a":                  nil,
		"https://x.y/%3F%20":                 nil,
		"https://x.y/%":                      ErrEscape,
		"https://x.y/%g0":                    ErrEscape,
		"https://x.y/%c3":                    ErrEscape,
		"https://x.y/%c3a":                   ErrEscape,
		"https://x.y/%ed%a0%80":              ErrEscape,
		"":                                   ErrAddress,
		"a.png":                              ErrAddress,
		"//x.y/a":                            ErrAddress,
		"1https://x":                         ErrAddress,
		"https://":                           ErrAddress,
		"https://u@/a":                       ErrAddress,
		"https://:1/a":                       ErrAddress,
		"https://xn--x/a":                    ErrAddress, // Node.js does not check Punycode
		"https://x:y/a":                      ErrAddress,
		"https://x:65536/a":                  ErrAddress,
		"https://x y/a":                      ErrAddress,
		"https://x%25y/a":                    ErrAddress,
		"https://a^b/":                       ErrAddress,
		"https://1.2.3.256/":                 ErrAddress,
		"https://1.2.3.4.5/":                 ErrAddress,
		"https://x.09/":                      ErrAddress,
		"https://[::1/":                      ErrAddress,
		"https://[1.2.3.4]/":                 ErrAddress,
		"https://[::1%25x]/":                 ErrAddress,
		"http://x.y/a":                       ErrScheme,
		"data:image/png;base64,AAAA":         ErrScheme,
		"c:/a":                               ErrScheme,
		"https://x.y/a.svg":                  ErrSVG,
		"https://x.y/a.SVG?b#c":              ErrSVG,
		"https://x.y/a.s%76g ":               ErrSVG,
		"https://x.y\\a.svg":                 ErrSVG,
		"https://x.y/a.svg/b/..":             nil,
		"https://x.y/a.svg/.":                nil,
		"https://x.y/b/%2E%2e/a.svg":         ErrSVG,
		"https://img.shields.io/a.svg":       nil,
		"https://u@IMG.Shields.IO:443/a.svg": nil,
		"https://img.shields.io:0443/a.svg":  nil,
		"https://img.shields.io:444/a.svg":   ErrSVG,
		"https://img.shields.io.evil.example/a.svg": ErrSVG,
		"https://img.shields.io./a.svg":             ErrSVG,
		"https://img。shields。io/a.svg":              nil,
		"https://x.y?https://img.shields.io/":       nil,

		"https://github.com/o/r/workflows/CI/badge.svg":                     nil,
		"https://github.com:443/o/r/actions/workflows/ci.yml/badge.svg?b=1": nil,
		"https://github.com/o/r/workflows/a.svg?badge.svg":                  nil,
		"https://github.com/o/r/workflows/a.svg#badge.svg":                  nil,
		"https://u@github.com/o/r/workflows/CI/badge.svg":                   ErrSVG,
		"https://github.com/o/r/raw/main/badge.svg":                         ErrSVG,
		"https://github.com/o/r/workflows/../raw/badge.svg":                 ErrSVG,
		"https://github.com/o/r/x/../workflows/badge.svg":                   nil,
		"https://x.y/https://github.com/o/r/workflows/CI/badge.svg":         ErrSVG,
	} {
		if err := Check(src); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("Check(%q) = %v, want %v", src, err, want)
		}
	}
}

func TestHosts(t *testing.T) {
	if !slices.IsSorted(hosts) {
		t.Error("hosts are not sorted")
	}
}

func FuzzCheck(f *testing.F) {
	for _, src := range []string{"https://x.y/a.svg", "https://[::1]:8/%41", "HTTPS:\\\\x@y:z", "https://0x7f.1/..", "https://ß.example"} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		err := Check(src)
		if err != nil && !slices.Contains([]error{ErrEscape, ErrAddress, ErrScheme, ErrSVG}, err) {
			t.Errorf("Check(%q) = %v, which is not an error of this package", src, err)
		}
	})
}
