package report

import (
	"slices"
	"strings"
	"testing"
)

func TestChangesBetween(t *testing.T) {
	for name, test := range map[string]struct {
		text, after, upTo, want string // lines of want are separated by |
	}{
		"keep a changelog":  {"# Changelog\n\n## [Unreleased]\n- later\n\n## [1.2.0] - 2026-11-29\n### Added\n- a\n\n## [1.1.0] - 2026-10-01\n- b\n", "1.1.0", "1.2.0", "## [1.2.0] - 2026-11-29|### Added|- a"},
		"several versions":  {"## 1.3.0\nc\n## 1.2.0\nb\n## 1.1.0\na\n## 1.0.0\n0\n", "1.0.0", "1.2.0", "## 1.2.0|b|## 1.1.0|a"},
		"oldest first":      {"## 1.0.0\n0\n## 1.1.0\na\n## 1.2.0\nb\n", "1.0.0", "1.2.0", "## 1.1.0|a|## 1.2.0|b"},
		"two numbers":       {"# v1.2\nb\n# v1.1\na\n", "1.1.0", "1.2.0", "# v1.2|b"},
		"underlines":        {"Log\n===\n\nVersion 1.2.0\n-------------\nb\n\n1.1.0 (old)\n---\na\n", "1.1.0", "1.2.0", "Version 1.2.0|-------------|b"},
		"bold":              {"**1.2.0**\n- b\n\n**v1.1.0**:\n- a\n", "1.1.0", "1.2.0", "**1.2.0**|- b"},
		"closing hashes":    {"## 1.2.0 ##\nb\n## 1.1.0 ##\n", "1.1.0", "1.2.0", "## 1.2.0 ##|b"},
		"pre-releases":      {"## 1.2.0\nb\n## 1.2.0-beta.1\nx\n## 1.1.0\na\n", "1.2.0-beta.1", "1.2.0", "## 1.2.0|b"},
		"CRLF":              {"## 1.2.0\r\nb\r\n## 1.1.0\r\na\r\n", "1.1.0", "1.2.0", "## 1.2.0|b"},
		"in a fence":        {"## 1.2.0\n```\n## 1.1.0\n```\nb\n## 1.1.0\na\n", "1.1.0", "1.2.0", "## 1.2.0|```|## 1.1.0|```|b"},
		"end without":       {"## 1.2.0\nb\n# Links\nhttps://x.example\n", "1.1.0", "1.2.0", "## 1.2.0|b"},
		"deeper without":    {"## 1.2.0\nb\n### Fixed\nc\n", "1.1.0", "1.2.0", "## 1.2.0|b|### Fixed|c"},
		"a date in front":   {"## 2026-11-29: 1.2.0\nb\n## 2026-10-01: 1.1.0\na\n", "1.1.0", "1.2.0", "## 2026-11-29: 1.2.0|b"},
		"an address":        {"## [1.2.0](https://github.com/acme/hello/compare/v1.1.0...v1.2.0)\nb\n## 1.1.0\n", "1.1.0", "1.2.0", "## [1.2.0](https://github.com/acme/hello/compare/v1.1.0...v1.2.0)|b"},
		"invisible":         {"## 1.2.0\nred\u202eneerg\x1b[31m\n", "1.1.0", "1.2.0", `## 1.2.0|red\u202eneerg\u001b[31m`},
		"no section":        {"\n\nAll notable changes.\n\n- b\n", "1.1.0", "1.2.0", "beginning|All notable changes.||- b"},
		"no new section":    {"## 1.1.0\na\n", "1.1.0", "1.2.0", "beginning|## 1.1.0|a"},
		"nothing":           {"", "1.1.0", "1.2.0", ""},
		"not a version":     {"## 1.2.0\nb\n", "one", "1.2.0", "beginning|## 1.2.0|b"},
		"a longer number":   {"## 1.2.0.4\nb\n## 1.2.0\nc\n", "1.1.0", "1.2.0", "## 1.2.0|c"},
		"a rule is no head": {"## 1.2.0\nb\n\n---\n\nc\n## 1.1.0\na\n", "1.1.0", "1.2.0", "## 1.2.0|b||---||c"},
	} {
		got := changesBetween(test.text, test.after, test.upTo)
		lines := got.Lines
		if got.Beginning {
			lines = append([]string{"beginning"}, lines...)
		}
		if strings.Join(lines, "|") != test.want {
			t.Errorf("%s: got %q, want %q", name, lines, test.want)
		}
	}
}

// TestLongChangelog checks the limits.
func TestLongChangelog(t *testing.T) {
	c := changesBetween("## 1.2.0\n"+strings.Repeat(strings.Repeat("ä", 500)+"\n", 100), "1.1.0", "1.2.0")
	if len(c.Lines) != 60 || c.More != 41 || c.Lines[1] != strings.Repeat("ä", 300)+"…" {
		t.Errorf("got %d lines and %d more: %.40q", len(c.Lines), c.More, c.Lines[1])
	}
	c = changesBetween(strings.Repeat("x\n", 100), "1.1.0", "1.2.0")
	if len(c.Lines) != 12 || c.More != 88 || !c.Beginning {
		t.Errorf("got %+v", c)
	}
}

func FuzzChangesBetween(f *testing.F) {
	f.Add("## [1.2.0] - 2026-11-29\n```\n**1.1**\n---\n", "1.1.0", "1.2.0")
	f.Fuzz(func(t *testing.T, text, after, upTo string) {
		c := changesBetween(text, after, upTo)
		if len(c.Lines) > maxLines || slices.ContainsFunc(c.Lines, func(l string) bool { return strings.ContainsAny(l, "\n\r\x1b\u202e") }) {
			t.Errorf("%q", c.Lines)
		}
	})
}
