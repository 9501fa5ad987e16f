package dropbox

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// longest is how many UTF-16 units a name may have.
const longest = 255

// unkept are names that Dropbox does not keep, in any case.
var unkept = []string{"desktop.ini", "thumbs.db", ".ds_store", "icon\r", ".dropbox", ".dropbox.attr", ".dropbox.cache"}

// checkName returns why Dropbox would not keep something under a path. What it does
// with other odd names is for it to say.
func checkName(path string) error {
	if !utf8.ValidString(path) {
		return errors.New("the name is not UTF-8")
	}
	for name := range strings.SplitSeq(path, "/") {
		switch n := len(utf16.Encode([]rune(name))); {
		case n > longest:
			return fmt.Errorf("names of more than %d characters are not kept there: %.40q… has %d", longest, name, n)
		case strings.ContainsAny(name, "\\\x00\x7f"):
			return fmt.Errorf("names with a backslash, a NUL or a DEL are not kept there: %q", name)
		case strings.HasSuffix(name, " "):
			return fmt.Errorf("names with a space at the end are not kept there: %q", name)
		case slices.Contains(unkept, strings.ToLower(name)):
			return fmt.Errorf("files called %q are not kept there", name)
		}
	}
	return nil
}
