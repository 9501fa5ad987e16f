package upstream

import (
	"strings"
	"testing"
)

// TestCheckElements checks which texts have too many elements.
func TestCheckElements(t *testing.T) {
	for text, want := range map[string]bool{
		`[` + strings.Repeat("0,", MaxElements-2) + `0]`:                 true,
		`[` + strings.Repeat("0,", MaxElements) + `0]`:                   false,
		`{"a":[{"b":[` + strings.Repeat("null,", MaxElements) + `0]}]}`:  false,
		`{"a":[` + strings.Repeat("[],", MaxElements) + `0]}`:            false,
		`[` + strings.Repeat("{},", MaxElements) + `0`:                   false,
		`{"a":{` + strings.Repeat(`"a":"[,]",`, MaxElements) + `"b":0}}`: true,
		`not JSON`: true,
	} {
		if err := CheckElements([]byte(text)); (err == nil) != want {
			t.Errorf("%.20s: %v", text, err)
		}
	}
}
