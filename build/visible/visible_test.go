package visible

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"plain äöü 漢字 👍 ❤️":         "plain äöü 漢字 👍 ❤️",
		"a\x1b]0;pwn\x07b":          `a\u001b]0;pwn\u0007b`,
		"\u009b31m \x7f":            `\u009b31m \u007f`,
		"\u202eexe.\u2066txt\u200b": `\u202eexe.\u2066txt\u200b`,
		"line\nnext\tcell\r":        "line\nnext\\u0009cell\\u000d",
		"\U000e0041\ufeff\u3164":    `\udb40\udc41\ufeff\u3164`,
		"bad \xff\x9b \ufffd":       "bad \\xff\\x9b \ufffd",
		"\u2028\u00ad\u061c\u0600":  "\\u2028\\u00ad\\u061c\u0600",
	} {
		if got := Escape(in, "\n"); got != want {
			t.Errorf("%+q: %+q, want %+q", in, got, want)
		}
	}
}

// TestEscapeJSON checks that escaped JSON has the same meaning.
func TestEscapeJSON(t *testing.T) {
	want := "a\u202e\u009b\x7f\U000e0041 b\x1b"
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got string
	if err := json.Unmarshal([]byte(Escape(string(text), "\n")), &got); err != nil || got != want {
		t.Errorf("%+q, %v; want %+q", got, err, want)
	}
}

func TestFindings(t *testing.T) {
	for in, want := range map[string]string{
		"Python":                  "",
		"Größe Ångström naïve":    "",
		"Русский язык для Python": "",
		"Ελληνικά":                "",
		"日本語 Language Pack":       "",
		"C++ 20 & µTools β, Nº 1": "",
		"A\u202egnp":              "bidirectional character U+202E",
		"Py\u200bthon":            "invisible character U+200B",
		"a\x1bb":                  "control character U+001B",
		"Micr\u043esoft":          "look-alike letter U+043E, which is not the Latin o",
		"\u0440\u0430\u0443 now":  "look-alike letter U+0440",
		"Ｐython":                  "look-alike letter U+FF30 for P",
		"𝐏ython":                  "look-alike letter U+1D40F for P",
		"Git\u217cens":            "look-alike letter U+217C for l",
		"\u216fython":             "look-alike letter U+216F for M",
		"\u13b7icrosoft":          "look-alike letter U+13B7",
		"Micros\u2c9fft":          "look-alike letter U+2C9F",
		"\ua4d1ython":             "look-alike letter U+A4D1",
		"Lan\u0261uage":           "look-alike letter U+0261, which is not the Latin g",
		"ᏣᎳᎩ for Code":            "",
		"Işık Teması":             "",
	} {
		got := strings.Join(Findings(in), "; ")
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%+q: %q, want %q", in, got, want)
		}
	}
}
