package ecmascript

import (
	"regexp"
	"testing"
)

// TestSpace compares Space and IsSpace.
func TestSpace(t *testing.T) {
	class := regexp.MustCompile("^[" + Space + "]$")
	spaces := 0
	for r := rune(0); r <= 0xFFFF; r++ {
		if r >= 0xD800 && r < 0xE000 {
			continue
		}
		if IsSpace(r) != class.MatchString(string(r)) {
			t.Errorf("%U: IsSpace is %v, the class is not", r, IsSpace(r))
		}
		if IsSpace(r) {
			spaces++
		}
	}
	if spaces != 25 { // the number in Node.js
		t.Errorf("%d characters are spaces, want 25", spaces)
	}
}
