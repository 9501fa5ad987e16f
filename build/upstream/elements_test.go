package upstream

import (
	"strings"
	"testing"
)

// TestCheckElements checks which texts have too many elements.
func TestCheckElements(t *testing.T) {
	const most = 100
	for text, want := range map[string]bool{
		`[` + strings.Repeat("0,", most-2) + `0]`:                 true,
		`[` + strings.Repeat("0,", most) + `0]`:                   false,
		`{"a":[{"b":[` + strings.Repeat("null,", most) + `0]}]}`:  false,
		`{"a":[` + strings.Repeat("[],", most) + `0]}`:            false,
		`[` + strings.Repeat("{},", most) + `0`:                   false,
		`{"a":{` + strings.Repeat(`"a":"[,]",`, most) + `"b":0}}`: true,
		`not JSON`: true,
	} {
		if err := checkElements([]byte(text), most); (err == nil) != want {
			t.Errorf("%.20s: %v", text, err)
		}
	}
}
