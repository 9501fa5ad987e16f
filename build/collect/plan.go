package collect

import (
	"context"
	"fmt"
	"strings"
	"time"

	"galbuild/build/collect/lock"
	"galbuild/build/policy"
	"galbuild/build/upstream"
)

// Config has the settings of [MakePlan]. Of the zero value only Upstreams must be set.
type Config struct {
	Upstreams []upstream.Upstream // the first that has a release that fits is used
	// Address opens the upstream of a [Request] with an Address. The ids that it has are those
	// that its method List returns.
	Address func(address string) (upstream.Upstream, error)

	Engines     []string // versions of VS Code that must be able to run the packages; see ParseEngine
	Platforms   []string // target platforms; nil is all that an extension has and the policy permits
	PreReleases bool     // also the newest pre-release, if it is newer than the newest release
	Keep        int      // how many versions of each channel; 0 is 1
	Packs       bool     // the members of packs too, whatever Policy says; see policy.Collect

	Policy *policy.Policy // nil permits everything
	Lock   *lock.Lock     // of the last run; nil is an empty one
	State  *State         // of the last run; nil: every extension is looked up
	Now    time.Time      // for minimum ages, and the date of new entries
	Jobs   int            // requests at once; 0 is 4

	// Progress is called with the number of extensions that have been looked up, and with how
	// many are known to be wanted. It is not called by two goroutines at once.
	Progress func(done, total int)
}

// A Plan is what a folder of packages will contain, and what it will not. All lists are sorted.
type Plan struct {
	Entries  []Planned    `json:"entries"` // sorted with lock.Compare
	Missing  []Missing    `json:"missing"`
	Held     []Held       `json:"held"`
	Unwanted []lock.Entry `json:"unwanted"` // that the earlier lock has and nothing wants any more
	Warnings []string     `json:"warnings"`

	State *State `json:"-"` // for the next run
}

// Planned is a package of a plan.
type Planned struct {
	// Entry is what is known of the package before it is downloaded. SHA256 is zero if the
	// upstream does not state it, and Size is -1 if it is not known. The entry of a package
	// that is already locked is that of the lock, except for WantedBy.
	lock.Entry
	Status   Status `json:"status"`
	Replaces string `json:"replaces,omitempty"` // the version that was locked for the platform and channel

	// Extension and Release are what the upstream lists, Release after Complete. They are nil
	// if the upstream was not queried, or does not list the package any more.
	Extension *upstream.Extension `json:"-"`
	Release   *upstream.Release   `json:"-"`
	Upstream  upstream.Upstream   `json:"-"` // nil if Release is nil
}

// Status says how a package compares with the earlier lock.
type Status string

// Statuses of packages.
const (
	New       Status = "new"
	Updated   Status = "updated" // another version was locked; see Replaces
	Same      Status = "same"
	Withdrawn Status = "withdrawn" // it is locked, and its upstream does not offer it any more; it stays
	Kept      Status = "kept"      // it is locked, and no upstream could be queried
)

// Missing is an extension that is wanted and cannot be had.
type Missing struct {
	ID     string   `json:"id"`
	Chain  []string `json:"chain"`  // who wants it: the source of a request, and ids, each of which wants the next
	Reason string   `json:"reason"` // a sentence without a period
}

// Held is a version that would be in the plan, if the policy permitted it.
type Held struct {
	ID        string    `json:"id"`
	Version   string    `json:"version"`
	Platforms []string  `json:"platforms"` // of its packages; "universal" is one without a platform
	Locked    bool      `json:"locked"`    // the earlier lock has it
	Rule      string    `json:"rule"`      // the key in the policy
	Line      int       `json:"line"`      // in the policy, counted from 1
	Reason    string    `json:"reason"`    // a sentence without a period
	Until     time.Time `json:"until,omitzero"`
	WantedBy  []string  `json:"wantedBy"`
}

// MakePlan chooses the requested packages, and all that they need. The error is that of
// ctx; all other errors are in the plan.
func MakePlan(ctx context.Context, requests []Request, c Config) (*Plan, error) {
	return newClosure(&c).plan(ctx, requests)
}

func (x *closure) plan(ctx context.Context, requests []Request) (*Plan, error) {
	next := x.useState(ctx)
	for _, r := range requests {
		x.request(ctx, r)
	}
	if err := x.grow(ctx); err != nil {
		return nil, err
	}
	p := x.assemble()
	if next != nil {
		for id, n := range x.nodes {
			if k := x.learn(n); k != nil {
				next.Known[id] = k
			}
		}
		p.State = next
	}
	return p, nil
}

// Lock returns the lock of the plan, without its settings and requests. Entries whose packages are
// not downloaded yet have no hash or no size, see [Planned]; the caller fills them in after the
// download.
func (p *Plan) Lock() *lock.Lock {
	l := &lock.Lock{}
	for i := range p.Entries {
		l.Entries = append(l.Entries, p.Entries[i].Entry)
	}
	return l
}

// Size returns how large the packages are that must be downloaded, and of how many the size is not
// known.
func (p *Plan) Size() (bytes int64, unknown int) {
	for i := range p.Entries {
		switch e := &p.Entries[i]; {
		case e.Status != New && e.Status != Updated:
		case e.Size < 0:
			unknown++
		default:
			bytes += e.Size
		}
	}
	return bytes, unknown
}

// ParseEngine returns a version of VS Code with three numbers: 1.96 is 1.96.0.
func ParseEngine(s string) (string, error) {
	v := s
	for strings.Count(v, ".") < 2 && v != "" {
		v += ".0"
	}
	if !isVersion(v) {
		return "", fmt.Errorf("%q is not a version of VS Code; want one such as 1.96 or 1.96.2", s)
	}
	return v, nil
}
