package fold

import (
	"strings"
	"testing"
)

// TestFold compares folded strings with strings.EqualFold.
func TestFold(t *testing.T) {
	all := []string{"K", "k", "\u212a", "S", "s", "\u017f", "\u00df", "\u1e9e", "\u03a3", "\u03c3", "\u03c2", "\u0130", "i", "I", "\u0131", "\xff", "\ufffd", "ab", "AB", "\u0416", "\u0436", "\U00010400", "\U00010428"}
	equal := 0
	for _, a := range all {
		for _, b := range all {
			if got, want := String(a) == String(b), strings.EqualFold(a, b); got != want {
				t.Errorf("%q and %q: got %t, want %t", a, b, got, want)
			} else if want && a != b {
				equal++
			}
		}
	}
	if equal < 20 {
		t.Errorf("only %d pairs are equal", equal)
	}
}
