package dropbox

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxName is the maximum length of a name, in UTF-16 code units.
const maxName = 255

// unsupported are names that Dropbox does not store, in lower case. Dropbox ignores case.
var unsupported = []string{"desktop.ini", "thumbs.db", ".ds_store", "icon\r", ".dropbox", ".dropbox.attr", ".dropbox.cache"}

// checkName returns an error if Dropbox does not store files under a path. For rarer restrictions,
// Dropbox itself returns an error.
func checkName(path string) error {
	if !utf8.ValidString(path) {
		return errors.New("the name is not UTF-8")
	}
	for name := range strings.SplitSeq(path, "/") {
		switch n := len(utf16.Encode([]rune(name))); {
		case n > maxName:
			return fmt.Errorf("%.40q… has %d characters, and Dropbox stores names of at most %d", name, n, maxName)
		case strings.ContainsAny(name, "\\\x00\x7f"):
			return fmt.Errorf("%q has a backslash, NUL or DEL, and Dropbox does not store such names", name)
		case strings.HasSuffix(name, " "):
			return fmt.Errorf("%q ends with a space, and Dropbox does not store such names", name)
		case slices.Contains(unsupported, strings.ToLower(name)):
			return fmt.Errorf("%q is a name that Dropbox does not store", name)
		}
	}
	return nil
}
