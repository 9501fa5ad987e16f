package collect

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"galbuild/build/blob"
	"galbuild/build/collect/lock"
	"galbuild/build/policy"
	"galbuild/build/upstream"
)

// TestCompareWithLock checks what a plan says about packages of the last run, after the upstream
// has changed, or what is asked for.
func TestCompareWithLock(t *testing.T) {
	const before = `
		acme.a 1.0.0 needs=acme.b
		acme.b 1.0.0
		acme.n 1.0.0@linux-x64
		acme.n 1.0.0@web
		acme.p 1.0.0
		acme.p 1.1.0 pre
	`
	requests := []string{"acme.a", "acme.n", "acme.p@pre-release"}
	for _, test := range []struct {
		name, after string
		requests    []string
		fail        string // the id that cannot be looked up
		policy      string
		want        string
	}{
		{name: "nothing", after: before, requests: requests, want: `
			same acme.a@1.0.0 < command line
			same acme.b@1.0.0 < acme.a
			same acme.n@1.0.0@linux-x64 < command line
			same acme.n@1.0.0@web < command line
			same acme.p@1.1.0 < command line`},
		{name: "new versions", requests: requests, after: before + `
			acme.a 1.1.0 needs=acme.c
			acme.c 1.0.0
			acme.n 1.1.0@linux-x64
			acme.n 1.1.0@darwin-x64
			acme.p 1.2.0
			`, want: `
			updated acme.a@1.1.0 for 1.0.0 < command line
			new acme.c@1.0.0 < acme.a
			new acme.n@1.1.0@darwin-x64 < command line
			updated acme.n@1.1.0@linux-x64 for 1.0.0 < command line
			same acme.n@1.0.0@web < command line
			updated acme.p@1.2.0 for 1.1.0 < command line
			unwanted acme.b@1.0.0`},
		{name: "withdrawn", requests: requests, after: "acme.a 1.0.0 needs=acme.b\nacme.n 0.9.0\nacme.n 1.0.0@web\nacme.p 1.1.0 pre", want: `
			same acme.a@1.0.0 < command line
			withdrawn acme.b@1.0.0 < acme.a
			withdrawn acme.n@1.0.0@linux-x64 < command line
			same acme.n@1.0.0@web < command line
			new acme.n@0.9.0 < command line
			same acme.p@1.1.0 < command line
			warning acme.b@1.0.0 is locked, and no upstream offers it any more
			warning acme.n@1.0.0@linux-x64 is locked, and no upstream offers it any more`},
		{name: "withdrawn and newer", requests: []string{"acme.b", "acme.p@pre-release"}, after: "acme.b 1.1.0\nacme.p 0.9.0", want: `
			updated acme.b@1.1.0 for 1.0.0 < command line
			withdrawn acme.p@1.1.0 < command line
			new acme.p@0.9.0 < command line
			unwanted acme.a@1.0.0
			unwanted acme.n@1.0.0@linux-x64
			unwanted acme.n@1.0.0@web
			warning acme.p@1.1.0 is locked, and no upstream offers it any more`},
		{name: "withdrawn, by its version", requests: []string{"acme.b@1.0.0"}, after: "acme.b 1.1.0", want: `
			withdrawn acme.b@1.0.0 < command line
			unwanted acme.a@1.0.0
			unwanted acme.n@1.0.0@linux-x64
			unwanted acme.n@1.0.0@web
			unwanted acme.p@1.1.0
			warning acme.b@1.0.0 is locked, and no upstream offers it any more`},
		{name: "withdrawn and denied", requests: []string{"acme.b"}, after: "", policy: `{"deny": ["acme.b"]}`, want: `
			missing command line > acme.b: https://u does not have it
			held acme.b@1.0.0 universal deny:1 acme.b is denied (locked)
			unwanted acme.a@1.0.0
			unwanted acme.n@1.0.0@linux-x64
			unwanted acme.n@1.0.0@web
			unwanted acme.p@1.1.0`},
		{name: "denied", requests: []string{"acme.a"}, after: before + "acme.a 0.9.0\n", policy: `{"deny": ["acme.a@1.0.0"]}`, want: `
			updated acme.a@0.9.0 for 1.0.0 < command line
			held acme.a@1.0.0 universal deny:1 acme.a@1.0.0 is denied (locked)
			unwanted acme.b@1.0.0
			unwanted acme.n@1.0.0@linux-x64
			unwanted acme.n@1.0.0@web
			unwanted acme.p@1.1.0`},
		{name: "denied with a newer one", requests: []string{"acme.n@linux-x64"}, after: before + "acme.n 1.1.0\n", policy: `{"deny": ["acme.n"]}`, want: `
			missing command line > acme.n: https://u has 1.1.0, which the policy excludes (deny): acme.n is denied
			held acme.n@1.1.0 universal deny:1 acme.n is denied
			held acme.n@1.0.0 linux-x64 deny:1 acme.n is denied (locked)
			unwanted acme.a@1.0.0
			unwanted acme.b@1.0.0
			unwanted acme.n@1.0.0@web
			unwanted acme.p@1.1.0`},
		{name: "cannot be looked up", requests: []string{"acme.a", "acme.p@1.1.0"}, fail: "acme.a", after: before, want: `
			kept acme.a@1.0.0 < command line
			same acme.b@1.0.0 < acme.a
			same acme.p@1.1.0 < command line
			unwanted acme.n@1.0.0@linux-x64
			unwanted acme.n@1.0.0@web
			warning acme.a stays as it is locked: https://u could not be queried: 503 Service Unavailable`},
		{name: "cannot be completed", requests: []string{"acme.a"}, fail: "acme.a@1.1.0", after: before + "acme.a 1.1.0\n", want: `
			kept acme.a@1.0.0 < command line
			same acme.b@1.0.0 < acme.a
			unwanted acme.n@1.0.0@linux-x64
			unwanted acme.n@1.0.0@web
			unwanted acme.p@1.1.0
			warning acme.a stays as it is locked: https://u 503 Service Unavailable`},
		{name: "another hash", requests: []string{"acme.b"}, after: "acme.b 1.0.0 sha256=other", want: `
			same acme.b@1.0.0 < command line
			unwanted acme.a@1.0.0
			unwanted acme.n@1.0.0@linux-x64
			unwanted acme.n@1.0.0@web
			unwanted acme.p@1.1.0
			warning acme.b@1.0.0: the lock has the SHA-256 ` + blob.Sum([]byte("https://u/acme.b-1.0.0.vsix")).String() +
			`, and https://u states ` + blob.Sum([]byte("https://u/acme.b-1.0.0.vsixother")).String() + `; the locked package stays`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Config{Upstreams: []upstream.Upstream{newUniverse(t, "https://u", before)}}
			earlier := lockOf(makePlan(t, c, parseAll(t, requests...)...))
			u := newUniverse(t, "https://u", test.after)
			if test.fail != "" {
				u.failing[test.fail] = errors.New("503 Service Unavailable")
			}
			c = Config{Upstreams: []upstream.Upstream{u}, Lock: earlier, Policy: parsePolicy(t, test.policy)}
			p := makePlan(t, c, parseAll(t, test.requests...)...)
			if got := showPlan(p); got != trim(test.want) {
				t.Errorf("got\n%swant\n%s", got, trim(test.want))
			}
		})
	}
}

// TestOlderEngine checks that a locked package is replaced by an older one, if an older editor is
// to run it.
func TestOlderEngine(t *testing.T) {
	c := Config{Upstreams: []upstream.Upstream{newUniverse(t, "https://u", "acme.a 1.0.0\nacme.a 1.1.0 engine=^1.90.0")}}
	c.Lock = lockOf(makePlan(t, c, parseAll(t, "acme.a")...))
	c.Engines = []string{"1.80.0"}
	if got, want := showPlan(makePlan(t, c, parseAll(t, "acme.a")...)), "updated acme.a@1.0.0 for 1.1.0 < command line\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestLockedEntries checks that a package that is locked keeps its entry, and is not completed
// again.
func TestLockedEntries(t *testing.T) {
	u := newUniverse(t, "https://u", "acme.a 1.0.0 needs=acme.b\nacme.b 1.0.0")
	c := Config{Upstreams: []upstream.Upstream{u}}
	first := makePlan(t, c, parseAll(t, "acme.a")...)
	c.Lock = lockOf(first)
	for i := range c.Lock.Entries {
		c.Lock.Entries[i].Added = now.AddDate(0, 0, -9)
		c.Lock.Entries[i].Address = "https://mirror/" + c.Lock.Entries[i].ID
	}
	u.asked = make(map[string]int)
	p := makePlan(t, c, parseAll(t, "acme.a", "acme.b")...)
	if len(u.asked) != 2 || u.asked["acme.a"] != 1 || u.asked["acme.b"] != 1 {
		t.Errorf("requests: %v", u.asked)
	}
	got, want := p.Lock().Entries, slices.Clone(c.Lock.Entries)
	want[1].WantedBy = []string{"acme.a", "command line"}
	for i := range want {
		if lock.Compare(got[i], want[i]) != 0 || got[i].Added != want[i].Added || got[i].Address != want[i].Address ||
			got[i].SHA256 != want[i].SHA256 || !slices.Equal(got[i].WantedBy, want[i].WantedBy) {
			t.Errorf("got %+v, want %+v", got[i], want[i])
		}
	}
	if n, unknown := first.Size(); n != 54 || unknown != 0 {
		t.Errorf("the first run downloads %d bytes, and %d packages", n, unknown)
	}
	if n, unknown := p.Size(); n != 0 || unknown != 0 {
		t.Errorf("the second run downloads %d bytes, and %d packages", n, unknown)
	}
}

// TestLockAsArgument checks that the packages of a lock are taken as they are, whatever upstreams
// have.
func TestLockAsArgument(t *testing.T) {
	other := newUniverse(t, "https://other", "acme.a 1.0.0 needs=acme.b\nacme.b 1.0.0\nacme.bad 1.0.0")
	earlier := lockOf(makePlan(t, Config{Upstreams: []upstream.Upstream{other}}, parseAll(t, "acme.a", "acme.bad")...))
	text, err := earlier.Encode()
	if err != nil {
		t.Fatal(err)
	}
	inFolder(t, map[string]string{"galbuild.lock": string(text)})
	u := newUniverse(t, "https://u", "acme.a 2.0.0\nacme.b 2.0.0\nacme.bad 1.0.0")
	c := Config{Upstreams: []upstream.Upstream{u}, Policy: parsePolicy(t, `{"deny": ["acme.bad"]}`)}
	p := makePlan(t, c, parseAll(t, "galbuild.lock", "acme.b@1.x")...)
	want := `
		new acme.a@1.0.0 < command line
		new acme.b@1.0.0 < acme.a
		missing command line > acme.b: https://u has no version in the range 1.x; the newest is 2.0.0
		held acme.bad@1.0.0 universal deny:1 acme.bad is denied
		`
	if got := showPlan(p); got != trim(want) {
		t.Errorf("got\n%swant\n%s", got, trim(want))
	}
}

// TestUpdate checks that only what is named is chosen again, with what it newly needs.
func TestUpdate(t *testing.T) {
	requests := parseAll(t, "acme.a@^1", "acme.b", "acme.d@all", "acme.v@1.0.0", "acme.u")
	c := Config{Keep: 2, Upstreams: []upstream.Upstream{newUniverse(t, "https://u", `
		acme.a 1.0.0 needs=acme.c
		acme.a 0.9.0
		acme.b 1.0.0
		acme.b 0.9.0 needs=acme.c
		acme.c 1.0.0
		acme.d 1.0.0
		acme.u 1.0.0 needs=acme.v
		acme.v 1.0.0
		acme.v 2.0.0
		acme.v 3.0.0
	`)}}
	c.Lock = lockOf(makePlan(t, c, requests...), requests...)
	u := newUniverse(t, "https://u", `
		acme.a 2.0.0
		acme.a 1.1.0 needs=acme.d,acme.e
		acme.b 1.0.0
		acme.b 1.1.0 needs=acme.e
		acme.c 2.0.0
		acme.d 2.0.0
		acme.e 1.0.0 needs=acme.b
		acme.u 1.0.0 needs=acme.v
		acme.v 1.0.0
		acme.v 2.0.0
		acme.v 3.0.0
	`)
	c.Upstreams, c.Now = []upstream.Upstream{u}, now
	again, err := Requests(c.Lock)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Update(t.Context(), again, []string{"Acme.A"}, c)
	want := `
		updated acme.a@1.1.0 for 1.0.0 < command line
		same acme.b@1.0.0 < acme.e, command line
		same acme.b@0.9.0 < acme.e, command line
		same acme.c@1.0.0 < acme.b
		same acme.d@1.0.0 < acme.a, command line
		new acme.e@1.0.0 < acme.a
		same acme.u@1.0.0 < command line
		same acme.v@3.0.0 < acme.u
		same acme.v@2.0.0 < acme.u
		same acme.v@1.0.0 < command line`
	if got := showPlan(p); err != nil || got != trim(want) {
		t.Errorf("got\n%s%v, want\n%s", got, err, trim(want))
	}
	if u.asked["acme.b"]+u.asked["acme.c"]+u.asked["acme.d"] > 0 {
		t.Errorf("requests: %v", u.asked)
	}
	p, err = Update(t.Context(), again, nil, c)
	want = `
		updated acme.a@1.1.0 for 1.0.0 < command line
		updated acme.b@1.1.0 for 0.9.0 < acme.e, command line
		same acme.b@1.0.0 < acme.e, command line
		updated acme.d@2.0.0 for 1.0.0 < acme.a, command line
		new acme.e@1.0.0 < acme.a, acme.b
		same acme.u@1.0.0 < command line
		same acme.v@3.0.0 < acme.u
		same acme.v@2.0.0 < acme.u
		same acme.v@1.0.0 < command line
		unwanted acme.c@1.0.0`
	if got := showPlan(p); err != nil || got != trim(want) {
		t.Errorf("all: got\n%s%v, want\n%s", got, err, trim(want))
	}
	var outdated []string
	for _, o := range p.Outdated() {
		outdated = append(outdated, o.ID+" "+o.Locked+" "+o.Newest)
	}
	if got := strings.Join(outdated, ", "); got != "acme.a 1.0.0 1.1.0, acme.b 0.9.0 1.1.0, acme.d 1.0.0 2.0.0" {
		t.Errorf("outdated: %s", got)
	}
}

// TestOutdatedHeld checks that a newer version that the policy excludes is named.
func TestOutdatedHeld(t *testing.T) {
	c := Config{Upstreams: []upstream.Upstream{newUniverse(t, "https://u", "acme.a 1.0.0 age=30d\nacme.b 1.0.0 age=30d")}, Policy: parsePolicy(t, `{"minimumAge": "7d"}`)}
	requests := parseAll(t, "acme.a", "acme.b")
	c.Lock = lockOf(makePlan(t, c, requests...))
	c.Upstreams = []upstream.Upstream{newUniverse(t, "https://u", "acme.a 1.0.0 age=30d\nacme.a 1.1.0 age=1d")}
	all := makePlan(t, c, requests...).Outdated()
	if len(all) != 2 || all[0].Newest != "1.0.0" || len(all[0].Held) != 1 || all[0].Held[0].Version != "1.1.0" || all[1].ID != "acme.b" || all[1].Newest != "" {
		t.Errorf("%+v", all)
	}
}

func TestWhy(t *testing.T) {
	entry := func(id string, by ...string) lock.Entry { return lock.Entry{ID: id, Version: "1.0.0", WantedBy: by} }
	l := &lock.Lock{Entries: []lock.Entry{
		entry("Acme.A", "command line", "acme.c"), entry("acme.b", "acme.a", "list.txt"), entry("acme.c", "acme.b"), entry("acme.d", "acme.c", "acme.a"),
	}}
	for id, want := range map[string]string{
		"acme.a":    "command line > acme.a; list.txt > acme.b > acme.c > acme.a",
		"ACME.D":    "command line > acme.a > acme.d; list.txt > acme.b > acme.c > acme.d",
		"acme.none": "",
	} {
		var chains []string
		for _, chain := range Why(l, id) {
			chains = append(chains, strings.Join(chain, " > "))
		}
		if got := strings.Join(chains, "; "); got != want {
			t.Errorf("%s: got %s, want %s", id, got, want)
		}
	}
}

// TestRequests checks that requests are the same after they were in a lock.
func TestRequests(t *testing.T) {
	requests := parseAll(t, "Acme.A", "acme.b@^1 || 3", "acme.c@1.2.3@web", "acme.d@pre-release", "acme.e@all@universal", "https://host/a@b.vsix", "github:acme/x@v1", "acme.a")
	again, err := Requests(&lock.Lock{Requests: LockRequests(requests)})
	if err != nil || !slices.Equal(again, requests[:len(requests)-1]) {
		t.Errorf("got %+v, %v", again, err)
	}
	l := &lock.Lock{Requests: []lock.Request{{Request: "acme", Source: "list.txt"}, {Request: "acme.a@x.y", Source: CommandLine}}}
	if _, err := Requests(l); err == nil || !strings.HasPrefix(err.Error(), `list.txt: "acme" is not the id`) || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("got %v", err)
	}
}

// TestPolicyHash checks that the hash of settings depends on the policy.
func TestPolicyHash(t *testing.T) {
	a, b, c := Config{}, Config{Policy: new(policy.Policy)}, Config{Policy: parsePolicy(t, `{"deny": []}`)}
	if a.settings() != b.settings() || a.settings() == c.settings() {
		t.Error("the hash does not follow the policy")
	}
}
