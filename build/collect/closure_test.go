package collect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"galbuild/build/catalog"
	"galbuild/build/collect/lock"
	"galbuild/build/npmsemver"
	"galbuild/build/upstream"
)

// randomUniverse returns an upstream with n extensions that need each other, and a few that no
// upstream has.
func randomUniverse(t *testing.T, r *rand.Rand, n int) *universe {
	t.Helper()
	u := newUniverse(t, "https://u", "")
	u.feed = true
	platforms := []string{"", "", "", "@linux-x64", "@win32-x64", "@web"}
	for i := range n {
		id := fmt.Sprintf("acme.e%03d", i)
		for range 1 + r.IntN(4) {
			fields := []string{fmt.Sprintf("%d.%d.0%s", r.IntN(3), r.IntN(4), platforms[r.IntN(len(platforms))])}
			if u.has(id, fields[0]) {
				continue
			}
			if r.IntN(4) == 0 {
				fields = append(fields, "pre")
			}
			if r.IntN(3) == 0 {
				fields = append(fields, "engine="+[]string{"^1.50.0", "^1.80.0", "^1.95.0"}[r.IntN(3)])
			}
			var needs []string
			for range r.IntN(3) {
				needs = append(needs, fmt.Sprintf("acme.e%03d", r.IntN(n+n/20)))
			}
			if len(needs) > 0 {
				fields = append(fields, []string{"needs=", "pack="}[r.IntN(2)]+strings.Join(needs, ","))
			}
			if r.IntN(3) == 0 {
				fields = append(fields, fmt.Sprintf("age=%dd", r.IntN(20)))
			}
			u.add(t, id, fields)
		}
	}
	return u
}

// has reports whether an extension has a release.
func (u *universe) has(id, release string) bool {
	e := u.extensions[id]
	return e != nil && slices.ContainsFunc(e.Releases, func(r upstream.Release) bool { return key(r.Version, r.Platform) == release })
}

func randomRequests(t *testing.T, r *rand.Rand, n int) []Request {
	t.Helper()
	var args []string
	for range 1 + r.IntN(8) {
		args = append(args, fmt.Sprintf("acme.e%03d%s", r.IntN(n), []string{"", "", "@pre-release", "@linux-x64", "@^1"}[r.IntN(5)]))
	}
	return parseAll(t, args...)
}

func randomConfig(t *testing.T, r *rand.Rand, u upstream.Upstream) Config {
	t.Helper()
	c := Config{Upstreams: []upstream.Upstream{u}, Packs: r.IntN(2) == 0, Now: now}
	c.Engines = [][]string{nil, {"1.85.0"}, {"1.60.0", "1.99.0"}}[r.IntN(3)]
	c.Platforms = [][]string{nil, {"linux-x64"}, {"linux-x64", "darwin-arm64"}}[r.IntN(3)]
	c.Policy = parsePolicy(t, []string{`{}`, `{"minimumAge": "7d"}`, `{"deny": ["acme.e001", "acme.e002", "acme.e003@linux-x64"]}`}[r.IntN(3)])
	return c
}

// A visit is an extension that bruteForce looks for: the newest release, the newest pre-release, or
// a range, for a platform.
type visit struct {
	id, what, platform string
	exact              bool // no universal package
}

// bruteForce returns what MakePlan is to choose. It knows no rounds, and compares all releases with
// each other.
func bruteForce(t *testing.T, u *universe, requests []Request, c Config) []string {
	t.Helper()
	seen, chosen := make(map[visit]bool), make(map[string]bool)
	var walk func(v visit)
	walk = func(v visit) {
		if seen[v] {
			return
		}
		seen[v] = true
		for _, engine := range c.engines() {
			best := bestRelease(t, u, v, engine, c)
			if best == nil {
				continue
			}
			chosen[v.id+"@"+key(best.Version, best.Platform)] = true
			needs := best.Dependencies
			if c.Packs {
				needs = slices.Concat(needs, best.Pack)
			}
			for _, need := range needs {
				walk(visit{need, map[bool]string{true: "pre-release"}[best.PreRelease], v.platform, false})
			}
		}
	}
	for _, r := range requests {
		platforms, exact := []string{r.Platform}, false
		if r.Platform == "" {
			platforms = c.Platforms
		}
		if platforms == nil {
			platforms, exact = catalog.Platforms(), true
		}
		for _, platform := range platforms {
			walk(visit{r.ID, r.Channel.String() + r.Range, platform, exact && platform == "web"})
		}
	}
	return slices.Sorted(maps.Keys(chosen))
}

func bestRelease(t *testing.T, u *universe, v visit, engine string, c Config) (best *upstream.Release) {
	t.Helper()
	e := u.extensions[v.id]
	if e == nil {
		return nil
	}
	for i := range e.Releases {
		r := &e.Releases[i]
		fits := r.Platform == v.platform || r.Platform == "" && !v.exact
		fits = fits && (!r.PreRelease || v.what == "pre-release") && (r.Engine == "" || engine == "" || contains(t, r.Engine, engine))
		if v.what != "" && v.what != "pre-release" {
			fits = fits && contains(t, v.what, r.Version)
		}
		if _, excluded := c.Policy.Check(c.candidate(e, r), now); !fits || excluded {
			continue
		}
		if best == nil || compareVersions(r.Version, best.Version) > 0 || r.Version == best.Version && r.Platform != "" {
			best = r
		}
	}
	return best
}

func compareVersions(a, b string) int {
	return lock.Compare(lock.Entry{Version: b}, lock.Entry{Version: a})
}

func contains(t *testing.T, text, version string) bool {
	t.Helper()
	r, err := npmsemver.ParseLooseRange(text)
	if err != nil {
		t.Fatal(err)
	}
	return r.Contains(version)
}

// TestRandom compares plans with what bruteForce chooses, and with each other: the number of
// requests at once and their order, a lock and a state change nothing.
func TestRandom(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		const n = 200
		u := randomUniverse(t, r, n)
		requests, c := randomRequests(t, r, n), randomConfig(t, r, u)
		p := makePlan(t, c, requests...)
		var got []string
		for i := range p.Entries {
			got = append(got, strings.ToLower(p.Entries[i].String()))
		}
		slices.Sort(got)
		if want := bruteForce(t, u, requests, c); !slices.Equal(got, want) {
			t.Fatalf("seed %d: got\n%q\nwant\n%q", seed, got, want)
		}
		checkNeeds(t, u, p, c.Packs)

		shuffled := slices.Clone(requests)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		c.Jobs, c.Upstreams = 16, []upstream.Upstream{&slow{u}}
		if again := showPlan(makePlan(t, c, shuffled...)); again != showPlan(p) {
			t.Fatalf("seed %d: got\n%swant\n%s", seed, again, showPlan(p))
		}
		c.Upstreams = []upstream.Upstream{u}
		checkSecondRun(t, r, u, c, requests, lockOf(p, requests...))
	}
}

// checkNeeds checks that a plan has what its packages need, or says what is missing.
func checkNeeds(t *testing.T, u *universe, p *Plan, packs bool) {
	t.Helper()
	has := make(map[string]bool)
	for i := range p.Entries {
		has[strings.ToLower(p.Entries[i].ID)] = true
	}
	for _, m := range p.Missing {
		has[m.ID] = true
		for _, id := range m.Chain[1:] {
			if !has[id] {
				t.Errorf("the chain of %+v has %s, which the plan does not have", m, id)
			}
		}
	}
	for i := range p.Entries {
		needs := p.Entries[i].Release.Dependencies
		if packs {
			needs = slices.Concat(needs, p.Entries[i].Release.Pack)
		}
		for _, need := range needs {
			if !has[need] {
				t.Errorf("%s needs %s, which is neither in the plan nor missing", p.Entries[i].String(), need)
			}
		}
	}
}

// checkSecondRun changes the upstream, and checks that a run with a state makes the same plan as
// one without, and that it looks up nothing that is locked and has not changed.
func checkSecondRun(t *testing.T, r *rand.Rand, u *universe, c Config, requests []Request, earlier *lock.Lock) {
	t.Helper()
	c.Lock, c.State = earlier, &State{}
	p := makePlan(t, c, requests...)
	text, err := json.Marshal(p.State)
	if err != nil {
		t.Fatal(err)
	}
	var state State
	if err := json.Unmarshal(text, &state); err != nil {
		t.Fatal(err)
	}
	c.State = &state

	changed := make(map[string]bool)
	for _, id := range slices.Sorted(maps.Keys(u.extensions)) {
		if r.IntN(20) > 0 {
			continue
		}
		changed[id] = true
		u.changes = append(u.changes, upstream.Change{ID: strings.ToUpper(id)})
		if e := u.extensions[id]; r.IntN(3) == 0 {
			delete(u.extensions, id)
		} else if r.IntN(2) == 0 {
			e.Releases = slices.Clone(e.Releases[1:])
		} else {
			u.add(t, id, []string{"9.0.0", fmt.Sprintf("needs=acme.e%03d", r.IntN(200))})
		}
	}
	if r.IntN(2) == 0 {
		requests = append(requests[1:], randomRequests(t, r, 200)...)
	}
	u.asked = make(map[string]int)
	got := makePlan(t, c, requests...)
	asked := maps.Clone(u.asked)
	c.State = nil
	if want := makePlan(t, c, requests...); showPlan(got) != showPlan(want) {
		t.Fatalf("with a state, got\n%swant\n%s", showPlan(got), showPlan(want))
	}
	for id, known := range state.Known {
		if asked[id] > 0 && !changed[id] && reflect.DeepEqual(known, got.State.Known[id]) {
			t.Errorf("%s was looked up, though nothing about it has changed", id)
		}
	}
}

// slow is an upstream that lets other goroutines run before it responds.
type slow struct{ upstream.Upstream }

func (s *slow) Extension(ctx context.Context, id string) (*upstream.Extension, error) {
	for range rand.IntN(5) {
		runtime.Gosched()
	}
	return s.Upstream.Extension(ctx, id)
}

// TestNoRequests checks that a run for which nothing has changed asks only the feed.
func TestNoRequests(t *testing.T) {
	u := newUniverse(t, "https://u", "acme.a 1.0.0 needs=acme.b\nacme.b 1.0.0@web\nacme.b 1.0.0\nacme.c 1.0.0 pre\nacme.d 1.0.0 needs=acme.none")
	u.feed = true
	requests := parseAll(t, "acme.a", "acme.c@pre-release", "acme.d")
	c := Config{Upstreams: []upstream.Upstream{u}, State: &State{}}
	p := makePlan(t, c, requests...)
	c.Lock, c.State = lockOf(p, requests...), p.State
	u.asked = make(map[string]int)
	again := makePlan(t, c, requests...)
	if want := strings.ReplaceAll(showPlan(p), "new ", "same "); showPlan(again) != want || len(u.asked) != 1 || u.asked["acme.none"] != 1 {
		t.Errorf("requests: %v; got\n%swant\n%s", u.asked, showPlan(again), want)
	}
	more := makePlan(t, c, append(requests, parseAll(t, "acme.a@^1")...)...)
	if e := more.Entries[0]; e.Status != Same || e.Release == nil || e.Extension == nil {
		t.Errorf("with one more request: %+v", e)
	}
	for name, change := range map[string]func(c *Config){
		"settings": func(c *Config) { c.Keep = 2 },
		"no lock":  func(c *Config) { c.Lock = nil },
		"old state": func(c *Config) {
			c.State = &State{Settings: p.State.Settings, Known: p.State.Known, Cursors: map[string]string{"https://u": "7"}}
		},
		"no feed": func(*Config) { u.feed = false },
	} {
		changed := c
		change(&changed)
		u.asked = make(map[string]int)
		p := makePlan(t, changed, requests...)
		if u.feed && p.State.Cursors["https://u"] != "0" {
			t.Errorf("%s: the next cursors are %v", name, p.State.Cursors)
		}
		if u.asked["acme.a"] != 1 || u.asked["acme.b"] != 1 || u.asked["acme.c"] != 1 {
			t.Errorf("%s: requests: %v", name, u.asked)
		}
		u.feed = true
	}
}

// TestWithdrawnAgain checks that a package that was withdrawn is named by each run.
func TestWithdrawnAgain(t *testing.T) {
	u := newUniverse(t, "https://u", "acme.a 1.0.0\nacme.b 1.0.0")
	u.feed = true
	requests := parseAll(t, "acme.a", "acme.b")
	c := Config{Upstreams: []upstream.Upstream{u}, State: &State{}}
	p := makePlan(t, c, requests...)
	delete(u.extensions, "acme.b")
	u.changes = []upstream.Change{{ID: "acme.b", Version: "1.0.0", Removed: true}}
	for range 2 {
		c.Lock, c.State = lockOf(p, requests...), p.State
		p = makePlan(t, c, requests...)
		want := `
			same acme.a@1.0.0 < command line
			withdrawn acme.b@1.0.0 < command line
			warning acme.b@1.0.0 is locked, and no upstream offers it any more`
		if got := showPlan(p); got != trim(want) {
			t.Errorf("got\n%swant\n%s", got, trim(want))
		}
	}
}

// TestWithdrawnEngine checks that a package that no upstream offers any more stays only if an
// editor can run it, unless it was asked for by its number.
func TestWithdrawnEngine(t *testing.T) {
	u := newUniverse(t, "https://u", "acme.a 2.0.0 engine=^1.90.0\nacme.b 1.0.0 engine=^1.90.0")
	u.add(t, "acme.a", []string{"1.0.0", "engine=^1.80.0"})
	requests := parseAll(t, "acme.a", "acme.b@1.0.0")
	c := Config{Upstreams: []upstream.Upstream{u}, Engines: []string{"1.96.0"}, Now: now}
	c.Lock = lockOf(makePlan(t, c, requests...), requests...)
	u.extensions["acme.a"].Releases = u.extensions["acme.a"].Releases[1:]
	u.extensions["acme.b"].Releases = nil
	for engine, want := range map[string]string{
		"1.96.0": `
			withdrawn acme.a@2.0.0 < command line
			new acme.a@1.0.0 < command line
			withdrawn acme.b@1.0.0 < command line
			warning acme.a@2.0.0 is locked, and no upstream offers it any more
			warning acme.b@1.0.0 is locked, and no upstream offers it any more`,
		"1.85.0": `
			updated acme.a@1.0.0 for 2.0.0 < command line
			withdrawn acme.b@1.0.0 < command line
			warning acme.b@1.0.0 is locked, and no upstream offers it any more`,
	} {
		c.Engines = []string{engine}
		if got := showPlan(makePlan(t, c, requests...)); got != trim(want) {
			t.Errorf("%s: got\n%swant\n%s", engine, got, trim(want))
		}
	}
}

// TestStateOfUpdate checks that an extension that an update leaves as it is locked does not count
// as chosen: the lock may be older than the state, because somebody has restored it.
func TestStateOfUpdate(t *testing.T) {
	u := newUniverse(t, "https://u", "acme.a 1.0.0\nacme.b 1.0.0")
	u.feed = true
	requests := parseAll(t, "acme.a", "acme.b")
	c := Config{Upstreams: []upstream.Upstream{u}, State: &State{}, Now: now}
	old := lockOf(makePlan(t, c, requests...), requests...)
	u.add(t, "acme.a", []string{"2.0.0"})
	c.Lock = old
	c.State = makePlan(t, c, requests...).State
	for name, want := range map[string]string{
		"acme.b": "same acme.a@1.0.0 < command line\nsame acme.b@1.0.0 < command line",
		"":       "updated acme.a@2.0.0 for 1.0.0 < command line\nsame acme.b@1.0.0 < command line",
	} {
		p, err := Update(t.Context(), requests, slices.DeleteFunc([]string{name}, func(id string) bool { return id == "" }), c)
		if got := showPlan(p); err != nil || got != trim(want) {
			t.Errorf("update %s: got\n%s%v, want\n%s", name, got, err, trim(want))
		}
		again := c
		again.State = p.State
		if got := showPlan(makePlan(t, again, requests...)); !strings.HasPrefix(got, "updated acme.a@2.0.0 for 1.0.0") {
			t.Errorf("after the update of %s: got\n%s", name, got)
		}
	}
}

// TestAllAsked checks that the state has all upstreams on which the choice of an extension depends,
// though only some of them are asked about something new.
func TestAllAsked(t *testing.T) {
	first := newUniverse(t, "https://first", "acme.a 1.0.0 pre")
	second := newUniverse(t, "https://second", "acme.a 0.1.0")
	first.feed, second.feed = true, true
	requests := parseAll(t, "acme.a", "acme.a@pre-release")
	c := Config{Upstreams: []upstream.Upstream{first, second}, State: &State{}}
	for n := range requests {
		p := makePlan(t, c, requests[:n+1]...)
		c.Lock, c.State = lockOf(p), p.State
	}
	second.add(t, "acme.a", []string{"0.2.0"})
	second.changes = []upstream.Change{{ID: "acme.a"}}
	want := "same acme.a@1.0.0 < command line\nupdated acme.a@0.2.0 for 0.1.0 < command line\nwarning acme.a is chosen from https://second, but https://first lists it too; check that it is the same extension\n"
	if got := showPlan(makePlan(t, c, requests...)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestLaterUpstream checks that the state of an extension depends on an upstream that did not have
// it: when that one lists it, it is looked up again. Nothing else makes this run look it up.
func TestLaterUpstream(t *testing.T) {
	first := newUniverse(t, "https://first", "")
	second := newUniverse(t, "https://second", "acme.a 0.1.0")
	first.feed, second.feed = true, true
	requests := parseAll(t, "acme.a")
	c := Config{Upstreams: []upstream.Upstream{first, second}, State: &State{}}
	p := makePlan(t, c, requests...)
	c.Lock, c.State = lockOf(p), p.State
	first.add(t, "acme.a", []string{"1.0.0"})
	if got, want := showPlan(makePlan(t, c, requests...)), "same acme.a@0.1.0 < command line\n"; got != want {
		t.Errorf("without a change: got\n%swant\n%s", got, want)
	}
	first.changes = []upstream.Change{{ID: "acme.a"}}
	if got, want := showPlan(makePlan(t, c, requests...)), "updated acme.a@1.0.0 for 0.1.0 < command line\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestCancelled checks that a plan ends with its context.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	u := newUniverse(t, "https://u", "acme.a 1.0.0")
	if _, err := MakePlan(ctx, parseAll(t, "acme.a"), Config{Upstreams: []upstream.Upstream{u}}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// BenchmarkPlan makes a plan for a thousand extensions, with and without a lock.
func BenchmarkPlan(b *testing.B) {
	t := &testing.T{}
	r := rand.New(rand.NewPCG(1, 1))
	u := randomUniverse(t, r, 1000)
	var requests []Request
	for _, id := range slices.Sorted(maps.Keys(u.extensions)) {
		requests = append(requests, Request{ID: id, Source: CommandLine})
	}
	c := Config{Upstreams: []upstream.Upstream{u}, Now: now, Engines: []string{"1.85.0"}, Packs: true}
	for name, earlier := range map[string]bool{"first": false, "again": true} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				p, err := MakePlan(b.Context(), requests, c)
				if err != nil || len(p.Entries) < 800 {
					b.Fatal(len(p.Entries), err)
				}
				if c.Lock == nil && earlier {
					c.Lock = lockOf(p, requests...)
				}
			}
		})
	}
}
