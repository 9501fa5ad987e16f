package collect

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"galbuild/build/upstream"
)

// TestSelection checks which releases of an extension are chosen.
func TestSelection(t *testing.T) {
	const list = `
		acme.a 1.0.0 engine=^1.50.0
		acme.a 1.10.0 engine=^1.90.0
		acme.a 1.9.0 engine=^1.80.0
		acme.a 1.11.0 pre engine=^1.90.0
		acme.a 1.8.0 pre engine=^1.50.0
		Acme.Native 1.0.0
		Acme.Native 2.0.0@linux-x64
		Acme.Native 2.0.0@win32-x64
		Acme.Native 2.0.0
		Acme.Native 2.1.0@linux-x64
		Acme.Native 2.1.0@web
		acme.moved 1.0.0
		acme.moved 2.0.0@linux-x64
		acme.pre 1.0.0 pre
		acme.old 1.0.0@win32-ia32
		acme.old 01.0.0
	`
	for _, test := range []struct {
		name, request string
		config        Config
		want          string
	}{
		{"the newest release", "acme.a", Config{}, "new acme.a@1.10.0 < command line"},
		{"two", "acme.a", Config{Keep: 2}, "new acme.a@1.10.0 < command line\nnew acme.a@1.9.0 < command line"},
		{"an engine", "acme.a", Config{Engines: []string{"1.85.0"}}, "new acme.a@1.9.0 < command line"},
		{"two engines", "acme.a", Config{Engines: []string{"1.60.0", "1.95.1"}}, "new acme.a@1.10.0 < command line\nnew acme.a@1.0.0 < command line"},
		{"an engine too old", "acme.a", Config{Engines: []string{"1.40.0"}},
			"missing command line > acme.a: https://u has no version for VS Code 1.40.0; 1.10.0 needs ^1.90.0"},
		{"one of two engines too old", "acme.a", Config{Engines: []string{"1.40.0", "1.60.0"}},
			"new acme.a@1.0.0 < command line\nwarning acme.a has no version for VS Code 1.40.0; 1.10.0 needs ^1.90.0"},
		{"a pre-release", "acme.a@pre-release", Config{}, "new acme.a@1.11.0 < command line"},
		{"a pre-release for an engine", "acme.a@pre-release", Config{Engines: []string{"1.85.0"}}, "new acme.a@1.9.0 < command line"},
		{"also a pre-release", "acme.a", Config{PreReleases: true}, "new acme.a@1.11.0 < command line\nnew acme.a@1.10.0 < command line"},
		{"no pre-release older than the release", "acme.a", Config{PreReleases: true, Engines: []string{"1.85.0"}}, "new acme.a@1.9.0 < command line"},
		{"a version", "acme.a@1.9.0", Config{}, "new acme.a@1.9.0 < command line"},
		{"a pre-release by its version", "acme.a@1.11.0", Config{}, "new acme.a@1.11.0 < command line"},
		{"a version that the engine cannot run", "acme.a@1.10.0", Config{Engines: []string{"1.60.0", "1.70.0"}},
			"new acme.a@1.10.0 < command line\nwarning acme.a@1.10.0 needs VS Code ^1.90.0, which 1.60.0 or 1.70.0 is not"},
		{"no such version", "acme.a@1.9.1", Config{}, "missing command line > acme.a: https://u has no version 1.9.1; the newest is 1.11.0"},
		{"a range", "acme.a@<1.10", Config{}, "new acme.a@1.9.0 < command line"},
		{"an empty range", "acme.a@^2", Config{}, "missing command line > acme.a: https://u has no version in the range ^2; the newest is 1.11.0"},
		{"all", "acme.a@all", Config{Engines: []string{"1.85.0"}}, "new acme.a@1.9.0 < command line\nnew acme.a@1.8.0 < command line\nnew acme.a@1.0.0 < command line"},
		{"only pre-releases", "acme.pre", Config{}, "missing command line > acme.pre: https://u has only pre-releases; ask for acme.pre@pre-release"},
		{"not there", "acme.none", Config{}, "missing command line > acme.none: https://u does not have it"},
		{"built in", "vscode.git", Config{}, "warning vscode.git is part of the editor, and not collected"},
		{"nothing can be served", "acme.old", Config{}, "missing command line > acme.old: https://u has no version that a gallery can serve"},

		{"all platforms", "acme.native", Config{},
			"new Acme.Native@2.1.0@linux-x64 < command line\nnew Acme.Native@2.1.0@web < command line\nnew Acme.Native@2.0.0 < command line\nnew Acme.Native@2.0.0@win32-x64 < command line"},
		{"a platform", "acme.native@linux-x64", Config{}, "new Acme.Native@2.1.0@linux-x64 < command line"},
		{"three for a platform", "acme.native@linux-x64", Config{Keep: 3},
			"new Acme.Native@2.1.0@linux-x64 < command line\nnew Acme.Native@2.0.0@linux-x64 < command line\nnew Acme.Native@1.0.0 < command line"},
		{"a platform with universal packages only", "acme.native@darwin-arm64", Config{}, "new Acme.Native@2.0.0 < command line"},
		{"universal", "acme.native@universal", Config{}, "new Acme.Native@2.0.0 < command line"},
		{"platforms", "acme.native", Config{Platforms: []string{"win32-x64", "linux-x64"}},
			"new Acme.Native@2.1.0@linux-x64 < command line\nnew Acme.Native@2.0.0@win32-x64 < command line"},
		{"a version for platforms", "acme.native@2.0.0", Config{Platforms: []string{"win32-x64", "darwin-x64"}},
			"new Acme.Native@2.0.0 < command line\nnew Acme.Native@2.0.0@win32-x64 < command line"},
		{"one of two platforms", "acme.native@2.1.0", Config{Platforms: []string{"win32-x64", "linux-x64"}},
			"new Acme.Native@2.1.0@linux-x64 < command line\nmissing command line > acme.native: https://u has no version 2.1.0; the newest is 2.0.0"},
		{"an older universal package", "acme.moved", Config{}, "new acme.moved@2.0.0@linux-x64 < command line\nnew acme.moved@1.0.0 < command line"},
		{"no universal package", "acme.old@universal", Config{}, "missing command line > acme.old: https://u has no version that a gallery can serve"},
		{"versions for a platform", "acme.native@all@web", Config{},
			"new Acme.Native@2.1.0@web < command line\nnew Acme.Native@2.0.0 < command line\nnew Acme.Native@1.0.0 < command line"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.config.Upstreams = []upstream.Upstream{newUniverse(t, "https://u", list)}
			p := makePlan(t, test.config, parseAll(t, test.request)...)
			if got := showPlan(p); got != trim(test.want) {
				t.Errorf("got\n%swant\n%s", got, trim(test.want))
			}
		})
	}
}

// TestPolicy checks what the policy excludes, and what is chosen instead.
func TestPolicy(t *testing.T) {
	const list = `
		acme.a 1.0.0 age=100d licence=MIT
		acme.a 1.1.0 age=20d licence=GPL-3.0-only
		acme.a 1.2.0 age=2d licence=MIT
		acme.n 1.0.0
		acme.n 2.0.0@linux-x64
		acme.n 2.0.0@web
		acme.only 1.0.0@linux-x64
	`
	for _, test := range []struct{ name, policy, request, want string }{
		{"age", `{"minimumAge": "7d"}`, "acme.a",
			`new acme.a@1.1.0 < command line
			held acme.a@1.2.0 universal minimumAge:1 published 2026-02-27T12:00:00Z, offered from 2026-03-06T12:00:00Z on`},
		{"an upstream without dates", `{"minimumAge": "7d"}`, "acme.n@linux-x64", "new acme.n@2.0.0@linux-x64 < command line"},
		{"licence", `{"minimumAge": "7d", "required": {"licence": ["MIT"]}}`, "acme.a@1.1.0",
			`missing command line > acme.a: https://u has 1.1.0, which the policy excludes (required.licence): the licence GPL-3.0-only is not among those accepted
			held acme.a@1.1.0 universal required.licence:1 the licence GPL-3.0-only is not among those accepted`},
		{"deny", `{"deny": ["acme"]}`, "acme.a",
			`missing command line > acme.a: https://u has 1.2.0, which the policy excludes (deny): acme is denied
			held acme.a@1.2.0 universal deny:1 acme is denied`},
		{"a size that Complete states", `{"limits": {"packageSize": "27B"}}`, "acme.n@web",
			`new acme.n@1.0.0 < command line
			held acme.n@2.0.0 web limits.packageSize:1 the package has 31 bytes, more than 27 bytes`},
		{"a signature that no package has", `{"required": {"signature": true}}`, "acme.n@web",
			`missing command line > acme.n: https://u has 2.0.0, which the policy excludes (required.signature): the package has no signature of a gallery
			held acme.n@2.0.0 web required.signature:1 the package has no signature of a gallery`},
		{"platforms of the policy", `{"platforms": ["linux-x64"]}`, "acme.n", "new acme.n@2.0.0@linux-x64 < command line"},
		{"a platform that the policy does not have", `{"platforms": ["linux-x64"]}`, "acme.n@web",
			`new acme.n@1.0.0 < command line
			held acme.n@2.0.0 web platforms:1 web is not among the platforms`},
		{"a denied platform", `{"deny": ["acme.n@2.0.0@web"]}`, "acme.n",
			`new acme.n@2.0.0@linux-x64 < command line
			new acme.n@1.0.0 < command line
			held acme.n@2.0.0 web deny:1 acme.n@2.0.0@web is denied`},
		{"on the only platform", `{"deny": ["acme.only"]}`, "acme.only",
			`missing command line > acme.only: https://u has 1.0.0, which the policy excludes (deny): acme.only is denied
			held acme.only@1.0.0 linux-x64 deny:1 acme.only is denied`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Config{Upstreams: []upstream.Upstream{newUniverse(t, "https://u", list)}, Policy: parsePolicy(t, test.policy)}
			if got := showPlan(makePlan(t, c, parseAll(t, test.request)...)); got != trim(test.want) {
				t.Errorf("got\n%swant\n%s", got, trim(test.want))
			}
		})
	}
}

// TestClosure checks dependencies, packs, and what cannot be had.
func TestClosure(t *testing.T) {
	const list = `
		acme.a 1.0.0 needs=Acme.B,vscode.git
		acme.b 1.0.0 needs=acme.c
		acme.b 1.1.0 pre needs=acme.c
		acme.c 1.0.0 needs=acme.a
		acme.pack 1.0.0 pack=acme.a,acme.member
		acme.member 1.0.0
		acme.pre 1.0.0 pre needs=acme.b
		acme.self 1.0.0 needs=acme.self
		acme.broken 1.0.0 needs=acme.middle
		acme.middle 1.0.0 needs=acme.none,bad..id
		acme.linux 1.0.0@linux-x64 needs=acme.natives
		acme.natives 1.0.0@linux-x64
		acme.natives 1.0.0@web
		acme.wide 1.0.0 needs=acme.natives
		acme.w1 1.0.0 needs=acme.none
		acme.w2 1.0.0 needs=acme.none
		acme.w3 1.0.0 needs=acme.none
		acme.w4 1.0.0 needs=acme.none
	`
	for _, test := range []struct {
		name, request string
		config        Config
		want          string
	}{
		{"indirect ones and a cycle", "acme.a", Config{},
			"new acme.a@1.0.0 < acme.c, command line\nnew acme.b@1.0.0 < acme.a\nnew acme.c@1.0.0 < acme.b"},
		{"no packs", "acme.pack", Config{}, "new acme.pack@1.0.0 < command line"},
		{"packs", "acme.pack", Config{Packs: true},
			`new acme.a@1.0.0 < acme.c, acme.pack
			new acme.b@1.0.0 < acme.a
			new acme.c@1.0.0 < acme.b
			new acme.member@1.0.0 < acme.pack
			new acme.pack@1.0.0 < command line`},
		{"of a pre-release", "acme.pre@pre-release", Config{},
			`new acme.a@1.0.0 < acme.c
			new acme.b@1.1.0 < acme.pre
			new acme.b@1.0.0 < acme.a
			new acme.c@1.0.0 < acme.b
			new acme.pre@1.0.0 < command line`},
		{"itself", "acme.self", Config{}, "new acme.self@1.0.0 < command line"},
		{"missing", "acme.broken", Config{},
			`new acme.broken@1.0.0 < command line
			new acme.middle@1.0.0 < acme.broken
			missing command line > acme.broken > acme.middle > acme.none: https://u does not have it
			missing command line > acme.broken > acme.middle > bad..id: is not the id of an extension`},
		{"for the platform of what needs it", "acme.linux", Config{},
			"new acme.linux@1.0.0@linux-x64 < command line\nnew acme.natives@1.0.0@linux-x64 < acme.linux"},
		{"for the platforms that there are", "acme.wide", Config{},
			"new acme.natives@1.0.0@linux-x64 < acme.wide\nnew acme.wide@1.0.0 < command line"},
		{"for a platform that there is not", "acme.wide", Config{Platforms: []string{"darwin-x64", "linux-x64"}},
			`new acme.natives@1.0.0@linux-x64 < acme.wide
			new acme.wide@1.0.0 < command line
			missing command line > acme.wide > acme.natives: https://u has no release for darwin-x64`},
		{"by the first chain", "acme.w4 acme.w3 acme.w1 acme.w2", Config{},
			`new acme.w1@1.0.0 < command line
			new acme.w2@1.0.0 < command line
			new acme.w3@1.0.0 < command line
			new acme.w4@1.0.0 < command line
			missing command line > acme.w1 > acme.none: https://u does not have it`},
		{"by the shortest chain", "acme.broken acme.middle", Config{},
			`new acme.broken@1.0.0 < command line
			new acme.middle@1.0.0 < acme.broken, command line
			missing command line > acme.middle > acme.none: https://u does not have it
			missing command line > acme.middle > bad..id: is not the id of an extension`},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.config.Upstreams = []upstream.Upstream{newUniverse(t, "https://u", list)}
			if got := showPlan(makePlan(t, test.config, parseAll(t, strings.Fields(test.request)...)...)); got != trim(test.want) {
				t.Errorf("got\n%swant\n%s", got, trim(test.want))
			}
		})
	}
}

// TestUpstreams checks which of several upstreams is used.
func TestUpstreams(t *testing.T) {
	first := newUniverse(t, "https://first", "acme.a 1.0.0 needs=acme.b\nacme.c 1.0.0 engine=^1.90.0\nacme.d 1.0.0@linux-x64")
	second := newUniverse(t, "https://second", "acme.a 2.0.0\nacme.b 1.0.0\nacme.c 0.9.0 engine=^1.50.0\nacme.d 1.0.0@web\nacme.f 1.0.0")
	first.failing["acme.f"] = errors.New("503 Service Unavailable")
	second.failing["acme.b@1.0.0"] = errors.New("connection reset")
	c := Config{Upstreams: []upstream.Upstream{first, second}, Engines: []string{"1.80.0"}}
	for request, want := range map[string]string{
		"acme.c":       "new acme.c@0.9.0 < command line\nwarning acme.c is chosen from https://second, but https://first lists it too; check that it is the same extension",
		"acme.c@1.0.0": "new acme.c@1.0.0 < command line\nwarning acme.c@1.0.0 needs VS Code ^1.90.0, which 1.80.0 is not",
		"acme.a@2.0.0": "new acme.a@2.0.0 < command line\nwarning acme.a is chosen from https://second, but https://first lists it too; check that it is the same extension",
		"acme.d":       "new acme.d@1.0.0@linux-x64 < command line",
		"acme.none":    "missing command line > acme.none: https://first does not have it; https://second does not have it",
		"acme.f":       "missing command line > acme.f: https://first could not be queried: 503 Service Unavailable",
		"acme.a":       "new acme.a@1.0.0 < command line\nmissing command line > acme.a > acme.b: https://first does not have it; https://second connection reset",
	} {
		p := makePlan(t, c, parseAll(t, request)...)
		if got := showPlan(p); got != trim(want) {
			t.Errorf("%s: got\n%swant\n%s", request, got, trim(want))
		}
	}
}

// TestOneUpstream checks that an extension is not from another upstream for another platform.
func TestOneUpstream(t *testing.T) {
	first := newUniverse(t, "https://first", "acme.n 1.0.0@linux-x64\nacme.a 1.0.0 needs=acme.n")
	second := newUniverse(t, "https://second", "acme.n 1.0.0@darwin-x64")
	first.feed, second.feed = true, true
	requests := parseAll(t, "acme.n@linux-x64", "acme.a@darwin-x64")
	c := Config{Upstreams: []upstream.Upstream{first, second}, State: &State{}}
	p := makePlan(t, c, requests...)
	want := `
		new acme.a@1.0.0 < command line
		new acme.n@1.0.0@linux-x64 < command line
		missing command line > acme.a > acme.n: https://first has no release for darwin-x64`
	if got := showPlan(p); got != trim(want) {
		t.Errorf("got\n%swant\n%s", got, trim(want))
	}
	p = makePlan(t, c, requests[0])
	c.Lock, c.State = lockOf(p), p.State
	want = strings.Replace(want, "new acme.n", "same acme.n", 1)
	if got := showPlan(makePlan(t, c, requests...)); got != trim(want) {
		t.Errorf("with a state, got\n%swant\n%s", got, trim(want))
	}
}

// TestOtherExtension checks that a response about another extension is an error.
func TestOtherExtension(t *testing.T) {
	u := newUniverse(t, "https://u", "acme.a 1.0.0")
	u.extensions["acme.b"] = u.extensions["acme.a"]
	want := "missing command line > acme.b: https://u could not be queried: the response is about \"acme.a\"\n"
	if got := showPlan(makePlan(t, Config{Upstreams: []upstream.Upstream{u}}, parseAll(t, "acme.b")...)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestComplete checks how many releases are completed, and that this does not change what an
// upstream has returned.
func TestComplete(t *testing.T) {
	u := newUniverse(t, "https://u", "")
	for i := range 3 * maxRefused {
		u.add(t, "acme.a", []string{fmt.Sprintf("1.%d.0", i)})
	}
	c := Config{Upstreams: []upstream.Upstream{u}, Policy: parsePolicy(t, `{"required": {"signature": true}}`)}
	p := makePlan(t, c, parseAll(t, "acme.a")...)
	if len(p.Held) != 1 || p.Held[0].Rule != "required.signature" || u.requests != 1+maxRefused {
		t.Errorf("%d requests, held %+v", u.requests, p.Held)
	}
	for _, r := range u.extensions["acme.a"].Releases {
		if r.Package.Size != -1 {
			t.Fatalf("%s was changed", r.Version)
		}
	}
}

// TestAddress checks requests for what is at an address.
func TestAddress(t *testing.T) {
	c := Config{
		Upstreams: []upstream.Upstream{newUniverse(t, "https://u", "acme.a 3.0.0\nacme.b 1.0.0")},
		Address: func(address string) (upstream.Upstream, error) {
			if address == "github:acme/none" {
				return nil, errors.New("no such repository")
			}
			return newUniverse(t, "https://host", map[string]string{
				"github:acme/a":         "acme.a 2.0.0 needs=acme.b\nacme.a 2.1.0 pre",
				"github:acme/a@v1":      "acme.t 1.0.0 pre\nacme.t 1.1.0",
				"https://host/p.vsix":   "acme.p 1.0.0 pre engine=^1.90.0",
				"https://host/p.vsix?2": "acme.p 2.0.0@web",
			}[address]), nil
		},
	}
	c.Engines = []string{"1.80.0"}
	p := makePlan(t, c, parseAll(t, "github:acme/a", "github:acme/none", "acme.a", "github:acme/a@v1", "https://host/p.vsix", "https://host/p.vsix?2", "https://host/empty.vsix")...)
	want := `new acme.a@3.0.0 < command line
		new acme.a@2.0.0 < command line
		new acme.b@1.0.0 < acme.a
		new acme.p@2.0.0@web < command line
		new acme.p@1.0.0 < command line
		new acme.t@1.1.0 < command line
		new acme.t@1.0.0 < command line
		missing command line > github:acme/none: no such repository
		missing command line > https://host/empty.vsix: it has no package
		warning acme.p@1.0.0 needs VS Code ^1.90.0, which 1.80.0 is not`
	if got := showPlan(p); got != trim(want) {
		t.Errorf("got\n%swant\n%s", got, trim(want))
	}
	if p.Entries[1].Upstream == nil || p.Entries[1].Upstream.Name() != "https://host" {
		t.Errorf("got the upstream %v", p.Entries[1].Upstream)
	}
}

func TestParseEngine(t *testing.T) {
	for s, want := range map[string]string{"1.96": "1.96.0", "1.96.2": "1.96.2", "1": "1.0.0", "1.96.0-insider": "1.96.0-insider", "": "", "^1.2": "", "1.96.2.1": ""} {
		if got, err := ParseEngine(s); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v", s, got, err)
		}
	}
}
