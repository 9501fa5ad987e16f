package ecmascript

import "testing"

func TestDecodeURI(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "a%20b": "a b", "%C3%A9%41": "éA", "%2F%2f%3F%23%25": "%2F%2f%3F%23%", "a%": "!", "%4": "!", "%zz": "!",
		"%C3": "!", "%C3%": "!", "%C3%41": "!", "%80": "!", "%F0%9F%98%80": "\U0001F600", "%EF%BF%BD": "\uFFFD", "%ED%A0%80": "!",
	} {
		got, ok := DecodeURI(text)
		if !ok {
			got = "!"
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestEncodeURIComponent(t *testing.T) {
	for text, want := range map[string]string{"": "", "a b/é": "a%20b%2F%C3%A9", "A-_.!~*'()9": "A-_.!~*'()9", "#?&%": "%23%3F%26%25"} {
		if got := EncodeURIComponent(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
