package collect

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"galbuild/build/catalog"
	"galbuild/build/collect/lock"
	"galbuild/build/errmsg"
	"galbuild/build/upstream"
)

// maxExtensions limits a closure, because the dependencies that an upstream lists could have no
// end.
const maxExtensions = 100_000

// A closure is the set of the requested extensions and of all that they need. It grows in rounds:
// the extensions that a round adds are looked up concurrently, and then added to the plan in the
// order of their ids, so that the result does not depend on the order of the responses.
type closure struct {
	*Config
	locked    map[string]map[string]*lock.Entry // of the earlier lock, by lower-case id and key
	neededBy  map[string][]string               // the ids that an extension of the earlier lock needs
	addresses map[string]upstream.Upstream      // by the address of a request
	pinned    func(id string) bool              // stays as it is locked
	known     func(id string) *Known            // what is known from the last run; nil if it must be looked up

	nodes    map[string]*node
	missing  []Missing
	warnings []string

	mutex sync.Mutex // for done
	done  int
}

// A node is an extension of a closure.
type node struct {
	id       string
	wants    map[want]*wanted
	pending  []want              // wants for the next round
	current  []want              // wants of this round, sorted
	listings map[string]*listing // by name of the upstream, or by its address
	from     map[group]string    // the name of the upstream from which a group is chosen
	lookedUp bool                // an upstream was queried for it

	exact    map[string]*lock.Entry // the packages of locks that are arguments, by key
	excluded []excludedEntry        // those that the policy excludes
}

// excludedEntry is a package of a lock that is an argument, and the lock.
type excludedEntry struct {
	heldRelease
	source string
}

// wanted is who wants something, and the outcome.
type wanted struct {
	chain []string // the first and shortest: the source of a request, followed by ids
	by    map[string]bool
	outcome
}

func newClosure(c *Config) *closure {
	x := &closure{
		Config: c, nodes: make(map[string]*node), locked: make(map[string]map[string]*lock.Entry), neededBy: make(map[string][]string),
		addresses: make(map[string]upstream.Upstream),
		pinned:    func(string) bool { return false }, known: func(string) *Known { return nil },
	}
	if c.Lock == nil {
		return x
	}
	for i := range c.Lock.Entries {
		e := &c.Lock.Entries[i]
		id := strings.ToLower(e.ID)
		if x.locked[id] == nil {
			x.locked[id] = make(map[string]*lock.Entry)
		}
		x.locked[id][key(e.Version, e.Platform)] = e
		for _, by := range e.WantedBy {
			x.neededBy[by] = append(x.neededBy[by], id)
		}
	}
	return x
}

// request adds what a request wants.
func (x *closure) request(ctx context.Context, r Request) {
	chain := []string{r.Source}
	switch {
	case r.Address != "":
		x.requestAddress(ctx, r)
	case r.Entry != nil:
		x.requestEntry(r)
	case catalog.BuiltIn(r.ID):
		x.warnings = append(x.warnings, r.ID+" is part of the editor, and not collected")
	default:
		x.want(r.ID, x.wants(r), r.Source, chain)
	}
}

// requestEntry adds a package of a lock that is an argument, if the policy permits it.
func (x *closure) requestEntry(r Request) {
	n, k := x.node(r.ID), key(r.Entry.Version, r.Entry.Platform)
	if excluded := x.checkLocked(r.Entry); excluded != nil {
		n.excluded = append(n.excluded, excludedEntry{heldRelease{r.Entry.Version, r.Entry.Platform, x.locked[r.ID][k] != nil, excluded}, r.Source})
		return
	}
	n.exact[k] = r.Entry
}

// requestAddress adds what the upstream of an address has.
func (x *closure) requestAddress(ctx context.Context, r Request) {
	err := error(upstream.ErrUnsupported)
	var u upstream.Upstream
	if x.Address != nil {
		u, err = x.Address(r.Address)
	}
	var ids []string
	if err == nil {
		ids, err = u.List(ctx, upstream.Listing{})
	}
	if err == nil && len(ids) == 0 {
		err = fmt.Errorf("it has no package")
	}
	name := errmsg.Redact(r.Address)
	if err != nil {
		x.missing = append(x.missing, Missing{ID: name, Chain: []string{r.Source, name}, Reason: errmsg.Text(err)})
		return
	}
	x.addresses[r.Address] = u
	for _, id := range ids {
		x.want(strings.ToLower(id), x.wants(r), r.Source, []string{r.Source})
	}
}

func (x *closure) node(id string) *node {
	n := x.nodes[id]
	if n == nil {
		n = &node{id: id, wants: make(map[want]*wanted), listings: make(map[string]*listing), from: make(map[group]string), exact: make(map[string]*lock.Entry)}
		x.nodes[id] = n
	}
	return n
}

// want adds that somebody wants an extension. The chain ends with who wants it.
func (x *closure) want(id string, wants []want, by string, chain []string) {
	chain = append(slices.Clone(chain), id)
	if publisher, name, _ := strings.Cut(id, "."); catalog.CheckID(publisher, name) != nil {
		x.missing = append(x.missing, Missing{ID: id, Chain: chain, Reason: "is not the id of an extension"})
		return
	}
	if x.nodes[id] == nil && len(x.nodes) >= maxExtensions {
		x.missing = append(x.missing, Missing{ID: id, Chain: chain, Reason: fmt.Sprintf("more than %d extensions are wanted", maxExtensions)})
		return
	}
	n := x.node(id)
	for _, w := range wants {
		if n.wants[w] == nil {
			n.wants[w] = &wanted{chain: chain, by: make(map[string]bool)}
			n.pending = append(n.pending, w)
		}
		n.wants[w].by[by] = true
	}
}

// grow looks up what is wanted, and what that needs, until nothing new is wanted.
func (x *closure) grow(ctx context.Context) error {
	for {
		level := x.level()
		if len(level) == 0 {
			return ctx.Err()
		}
		if err := x.lookUpAll(ctx, level); err != nil {
			return err
		}
		for _, n := range level {
			for _, w := range n.current {
				x.addNeeds(n, w)
			}
		}
	}
}

// level begins a round. It returns the extensions with wants that were not looked up, sorted.
func (x *closure) level() (level []*node) {
	for _, n := range x.nodes {
		if n.current, n.pending = n.pending, nil; len(n.current) > 0 {
			slices.SortFunc(n.current, compareWants)
			level = append(level, n)
		}
	}
	slices.SortFunc(level, func(a, b *node) int { return strings.Compare(a.id, b.id) })
	return level
}

func (x *closure) lookUpAll(ctx context.Context, level []*node) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cmp.Or(x.Jobs, 4))
	for _, n := range level {
		group.Go(func() error {
			x.lookUp(ctx, n)
			x.mutex.Lock()
			defer x.mutex.Unlock()
			if x.done++; x.Progress != nil {
				x.Progress(min(x.done, len(x.nodes)), len(x.nodes))
			}
			return ctx.Err()
		})
	}
	return group.Wait()
}

// addNeeds adds what the packages that were chosen for a want need.
func (x *closure) addNeeds(n *node, w want) {
	found := n.wants[w]
	for i := range found.chosen {
		choice := &found.chosen[i]
		for _, id := range choice.needs {
			if id != n.id {
				x.want(id, x.need(w, choice.preRelease()), n.id, found.chain)
			}
		}
	}
}

// lookUp chooses packages for the wants of this round. It changes only the node.
func (x *closure) lookUp(ctx context.Context, n *node) {
	groups := make(map[group][]want)
	for _, w := range n.current {
		groups[w.group] = append(groups[w.group], w)
	}
	for _, wants := range groups {
		if !x.usePinned(n, wants) && !x.useKnown(n, wants) {
			x.lookUpGroup(ctx, n, wants)
		}
	}
}

// usePinned chooses what is locked, if the extension is to stay as it is and has something that
// fits.
func (x *closure) usePinned(n *node, wants []want) bool {
	if !x.pinned(n.id) {
		return false
	}
	found, complete := false, true
	for _, w := range wants {
		a := x.fromLock(n, w, "", nil)
		n.wants[w].outcome = a
		found, complete = found || len(a.chosen) > 0, complete && (w.optional || len(a.chosen) > 0)
	}
	if !found || !complete {
		for _, w := range wants {
			n.wants[w].outcome = outcome{}
		}
	}
	return found && complete
}

// useKnown chooses what the last run has chosen for the same wants.
func (x *closure) useKnown(n *node, wants []want) bool {
	known := x.known(n.id)
	if known == nil {
		return false
	}
	outcomes := make([]outcome, len(wants))
	for i, w := range wants {
		keys, ok := known.Chosen[w.String()]
		if !ok {
			return false
		}
		for _, k := range keys {
			e := x.locked[n.id][k]
			if e == nil {
				return false
			}
			outcomes[i].chosen = append(outcomes[i].chosen, choice{entry: e, needs: known.Needs[k]})
		}
	}
	for i, w := range wants {
		n.wants[w].outcome = outcomes[i]
		for _, c := range outcomes[i].chosen {
			n.from[w.group] = c.entry.Upstream
		}
	}
	return true
}

// upstreams returns those that are queried for a group, in their order.
func (x *closure) upstreams(n *node, g group) []upstream.Upstream {
	if u := x.addresses[g.address]; g.address != "" {
		return []upstream.Upstream{u}
	}
	for i, u := range x.Upstreams {
		if u.Name() == n.from[g] {
			return x.Upstreams[i : i+1]
		}
	}
	return x.Upstreams
}

// lookUpGroup chooses the packages of a group from the first upstream that has one of them. It
// stops at an upstream that cannot be queried, because at the next one the name may belong to
// somebody else.
func (x *closure) lookUpGroup(ctx context.Context, n *node, wants []want) {
	n.lookedUp = true
	offered := make(map[string]bool)
	reasons := make([][]string, len(wants))
	chosen, failed := false, false
	lister := "" // the first upstream that lists the extension, and has none of the packages
	for _, u := range x.upstreams(n, wants[0].group) {
		l := x.listing(ctx, n, cmp.Or(wants[0].address, u.Name()), u)
		for _, r := range l.releases {
			offered[r.key()] = true
		}
		for i, w := range wants {
			a := x.chooseFrom(ctx, l, w)
			chosen, failed = chosen || len(a.chosen) > 0, failed || a.failed
			if a.reason != "" {
				reasons[i] = append(reasons[i], u.Name()+" "+a.reason)
			}
			n.wants[w].outcome = merge(n.wants[w].outcome, a)
		}
		if chosen && lister != "" {
			a := &n.wants[wants[0]].outcome
			a.warnings = append(a.warnings, fmt.Sprintf("%s is chosen from %s, but %s lists it too; check that it is the same extension",
				n.id, u.Name(), lister))
		}
		if l.extension != nil && lister == "" {
			lister = u.Name()
		}
		if chosen || failed {
			if wants[0].address == "" && chosen {
				n.from[wants[0].group] = u.Name()
			}
			break
		}
	}
	for i, w := range wants {
		a := &n.wants[w].outcome
		if a.failed {
			*a = merge(*a, x.fromLock(n, w, Kept, nil))
		} else {
			*a = merge(*a, x.fromLock(n, w, Withdrawn, offered))
		}
		a.reason = strings.Join(reasons[i], "; ")
	}
}

// listing returns what an upstream lists of an extension. Each upstream is queried once.
func (x *closure) listing(ctx context.Context, n *node, name string, u upstream.Upstream) *listing {
	l := n.listings[name]
	if l == nil {
		l = newListing(ctx, u, n.id, x.locked[n.id])
		n.listings[name] = l
	}
	return l
}

func (x *closure) chooseFrom(ctx context.Context, l *listing, w want) outcome {
	switch {
	case l.err != nil:
		return outcome{failed: true, reason: "could not be queried: " + errmsg.Text(l.err)}
	case l.extension == nil:
		return outcome{reason: "does not have it"}
	}
	return x.choose(ctx, l, w)
}

// merge appends what was found at another upstream, or in the lock.
func merge(a, b outcome) outcome {
	a.chosen = append(a.chosen, b.chosen...)
	a.held = append(a.held, b.held...)
	a.warnings = append(a.warnings, b.warnings...)
	a.failed = a.failed || b.failed
	return a
}

// fromLock chooses the packages of the earlier lock that no upstream offers and that the policy
// permits. Those that are older than what was chosen from an upstream are not needed any more.
func (x *closure) fromLock(n *node, w want, status Status, offered map[string]bool) (a outcome) {
	entries := slices.Collect(maps.Values(x.locked[n.id]))
	slices.SortFunc(entries, func(a, b *lock.Entry) int { return lock.Compare(*a, *b) })
	found := n.wants[w].chosen
	for _, e := range entries {
		k := key(e.Version, e.Platform)
		if offered[k] || !x.fitsLocked(w, e) || isOlder(e, found) {
			continue
		}
		if excluded := x.checkLocked(e); excluded != nil {
			a.held = append(a.held, heldRelease{e.Version, e.Platform, true, excluded})
			continue
		}
		a.chosen = append(a.chosen, choice{entry: e, status: status, needs: needed(slices.Clone(x.neededBy[n.id]))})
	}
	return a
}

// isOlder reports whether a package of a lock is not newer than one of those that were chosen from
// an upstream.
func isOlder(e *lock.Entry, chosen []choice) bool {
	return slices.ContainsFunc(chosen, func(c choice) bool {
		return lock.Compare(lock.Entry{ID: e.ID, Version: c.release.Version, Platform: e.Platform}, *e) <= 0
	})
}
