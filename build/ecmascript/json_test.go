package ecmascript

import (
	"encoding/json"
	"testing"
)

// TestSetMember expects the results of Node.js 24 for
// JSON.stringify(Object.assign(JSON.parse(text), {version: "2.0.0"}), undefined, 2).
func TestSetMember(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:                                 "{\n  \"version\": \"2.0.0\"\n}",
		`{"version":"1.0.0","name":"a"}`:     "{\n  \"version\": \"2.0.0\",\n  \"name\": \"a\"\n}",
		`{"b":[],"2":{},"1":[1,{"c":null}]}`: "{\n  \"1\": [\n    1,\n    {\n      \"c\": null\n    }\n  ],\n  \"2\": {},\n  \"b\": [],\n  \"version\": \"2.0.0\"\n}",
		`{"n":[1.0,12345678901234567890,1e21,1e-7,-0,0.10]}`: "{\n  \"n\": [\n    1,\n    12345678901234567000,\n    1e+21,\n    1e-7,\n    0,\n    0.1\n  ],\n  \"version\": \"2.0.0\"\n}",
		`{"s":"\u0001\/\u00e9\u2028<&\"\\\t"}`:               "{\n  \"s\": \"\\u0001/é\u2028<&\\\"\\\\\\t\",\n  \"version\": \"2.0.0\"\n}",
		`{"a":[1e400,-1e400,1e-400]}`:                        "{\n  \"a\": [\n    null,\n    null,\n    0\n  ],\n  \"version\": \"2.0.0\"\n}",
		`{"a":1,"b":2,"a":3,"01":4,"4294967295":5}`:          "{\n  \"a\": 3,\n  \"b\": 2,\n  \"01\": 4,\n  \"4294967295\": 5,\n  \"version\": \"2.0.0\"\n}",
	} {
		got, err := SetMember([]byte(text), "version", "2.0.0")
		if err != nil || string(got) != want {
			t.Errorf("SetMember(%s) = %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{``, `[]`, `1`, `{"a"}`, `{} {}`, `{"a":1,}`} {
		if got, err := SetMember([]byte(text), "version", "2.0.0"); err == nil {
			t.Errorf("SetMember(%s) = %s, want an error", text, got)
		}
	}
}

func FuzzSetMember(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":"c"}],"2":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := SetMember(text, "version", "2.0.0")
		if err != nil {
			return
		}
		again, err := SetMember(got, "version", "2.0.0")
		if err != nil || string(again) != string(got) || !json.Valid(got) {
			t.Errorf("SetMember(%q) = %q, then %q, %v", text, got, again, err)
		}
	})
}
