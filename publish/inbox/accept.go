package inbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"galbuild/build"
	"galbuild/build/site"
	"galbuild/build/vsix"
	"galbuild/publish"
	"galbuild/publish/target"
)

// Limits are how much a run reads of each publisher. Zero values are replaced by defaults.
type Limits struct {
	Submissions int   // 0 is 100
	Bytes       int64 // of packages; 0 is 4 GiB
}

func (l Limits) withDefaults() Limits {
	return Limits{cmp.Or(l.Submissions, 100), cmp.Or(l.Bytes, 4<<30)}
}

// Options are the options of [Accept].
type Options struct {
	publish.Options
	Build  build.Config // as for publish.Add; Sources and Add are set
	Limits Limits
}

// An Outcome is what a run has done with a submission.
type Outcome struct {
	Name
	Package string `json:"package"`           // catalog.Key, as the author says if it was not read
	By      string `json:"by"`                // as the author says
	Key     string `json:"key"`               // the ID of the author's key, as the author says if KeyName is ""
	KeyName string `json:"keyName,omitempty"` // of the key in the policy; "" if no valid key has signed
	Result
}

// Report is the result of [Accept]. Its lists are never nil.
type Report struct {
	publish.Result
	Submissions []Outcome `json:"submissions"` // sorted by publisher and time
	Skipped     []Skipped `json:"skipped"`     // what was not read, and stays

	// Failed is the number of submissions that are skipped because something failed, such as
	// the network.
	Failed int `json:"-"`
}

// Accept adds the packages in the inbox of box to the gallery of a target, which may be the same
// one. It accepts a package if it is signed by one of the keys that the policy of the gallery gives
// its publisher, and if [publish.Add] accepts it. It refuses the others. If the policy keeps one
// out only for now, it waits.
//
// When the gallery has the packages, the results are written to the inbox, and the packages that
// were accepted or refused are deleted from it. A submission that cannot be read because of the
// network, or that somebody changes in the meantime, stays for the next run, and the others are
// accepted. An error about these is returned with a valid report.
func Accept(ctx context.Context, box, gallery target.Target, scratch *site.Dir, o Options) (Report, *build.Result, error) {
	a := &acceptance{ctx: ctx, box: box, Options: o, now: time.Now(), limits: o.Build.Limits.WithDefaults()}
	report := Report{Submissions: []Outcome{}, Skipped: []Skipped{}}
	items, skipped, err := list(ctx, box, site.InboxDir)
	if err != nil {
		return report, nil, fmt.Errorf("%s: %w", box, err)
	}
	a.skipped = skipped
	if a.folder, err = os.MkdirTemp("", "galbuild-inbox-"); err != nil {
		return report, nil, err
	}
	defer os.RemoveAll(a.folder)
	if err := a.read(complete(items)); err != nil {
		return report, nil, err
	}
	made, err := a.add(gallery, scratch, &report.Result)
	if err != nil && !errors.Is(err, publish.ErrNoneAccepted) || made == nil {
		return report, made, err
	}
	a.settle(made)
	if err = a.number(gallery, report.Generation); err == nil && !o.DryRun {
		err = errors.Join(a.finish(), a.clean(items))
	}
	for _, s := range a.pending {
		switch {
		case s.problem != nil:
			a.skip(s.DocumentKey(), s.problem)
			if !errors.Is(s.problem, target.ErrChanged) && !errors.Is(s.problem, target.ErrNotExist) { // not by somebody else
				report.Failed++
			}
		case s.result.State != "":
			report.Submissions = append(report.Submissions, s.outcome())
		}
	}
	report.Skipped = append(report.Skipped, a.skipped...)
	return report, made, err
}

// acceptance is a call of [Accept].
type acceptance struct {
	Options
	ctx      context.Context
	box      target.Target
	limits   vsix.Limits // of packages
	now      time.Time   // by the clock of this machine, which should agree with that of the target
	folder   string      // for packages
	pending  []*pending
	finished []Name // submissions with a final result whose package is still there
	skipped  []Skipped
	meter    *meter
	// attempts is the number of calls of sources. Each has a folder of its own, because a
	// package that is refused must not be in the folder that is added.
	attempts int
}

// A pending submission is read in this run.
type pending struct {
	*item
	document *Document // nil if it cannot be read
	text     []byte    // of the document
	file     string    // with the package; "" before it is downloaded
	key      string    // catalog.Key of the package; "" before it was read
	keyName  string    // of the author's key in the policy
	result   Result    // its state is "" until the submission is decided about
	problem  error     // why it stays for the next run
}

func (s *pending) outcome() Outcome {
	o := Outcome{Name: s.Name, Package: s.key, KeyName: s.keyName, Result: s.result}
	if d := s.document; d != nil {
		o.Package = cmp.Or(s.key, d.Package)
		if d.Public != nil && d.Private != nil {
			o.By, o.Key = d.Private.By, d.Public.Key
		}
	}
	return o
}

func (a *acceptance) skip(key string, reason error) {
	a.skipped = append(a.skipped, Skipped{key, reason.Error()})
}

// maxRead limits the number of documents of a publisher that a run reads, which it has in memory.
const maxRead = 1000

// complete returns the submissions of which both objects exist.
func complete(items []*item) (all []*pending) {
	read := make(map[string]int)
	for _, i := range items {
		if i.pkg != nil && i.document != nil && read[i.Publisher] < maxRead {
			read[i.Publisher]++
			all = append(all, &pending{item: i})
		}
	}
	return all
}

// read reads the documents of submissions, and keeps those that have no final result, within the
// limits of each publisher: first those that nobody has read yet, so that packages that wait for
// an approval do not delay others, and the oldest first.
func (a *acceptance) read(all []*pending) error {
	group, ctx := errgroup.WithContext(a.ctx)
	group.SetLimit(jobs)
	for _, s := range all {
		group.Go(func() error {
			a.readDocument(ctx, s)
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(s *pending) bool {
		finished := s.document != nil && s.document.Result.isFinal()
		if finished {
			a.finished = append(a.finished, s.Name)
		}
		return finished
	})
	slices.SortStableFunc(all, func(x, y *pending) int {
		return cmp.Or(strings.Compare(x.Publisher, y.Publisher), cmp.Compare(x.waits(), y.waits()))
	})
	a.limit(all)
	return nil
}

// waits returns 1 if an earlier run has read the submission, and 0 otherwise.
func (s *pending) waits() int {
	if s.document != nil && s.document.Result != nil {
		return 1
	}
	return 0
}

// readDocument reads the document of a submission.
func (a *acceptance) readDocument(ctx context.Context, s *pending) {
	var err error
	s.document, s.text, err = Read(ctx, a.box, s.Name)
	if err == nil {
		err = s.document.check(s.Name)
		if err == nil && s.document.Size != s.pkg.Size {
			err = fmt.Errorf("its package has %d bytes, and it says %d", s.pkg.Size, s.document.Size)
		}
		if err != nil && !s.document.Result.isFinal() {
			err = fmt.Errorf("%w: %w", errUnreadable, err)
		}
	}
	switch {
	case errors.Is(err, errUnreadable):
		s.document = nil // the result takes its place
		s.refuse(err)
	case s.document != nil && s.document.Result.isFinal(): // an earlier run has not deleted the package
	case err != nil:
		s.problem = err
	}
}

func (s *pending) refuse(reason error) { s.result = Result{State: Refused, Reason: reason.Error()} }

// limit sets a.pending to the submissions that are within the limits of their publishers, and skips
// the others.
func (a *acceptance) limit(all []*pending) {
	most := a.Limits.withDefaults()
	left := make(map[string]*Limits)
	for _, s := range all {
		of := left[s.Publisher]
		if of == nil {
			of = &Limits{most.Submissions, most.Bytes}
			left[s.Publisher] = of
		}
		of.Submissions--
		switch {
		case s.pkg.Size > a.limits.PackageBytes && s.result.State == "":
			s.refuse(fmt.Errorf("package has %d bytes, more than the limit of %d", s.pkg.Size, a.limits.PackageBytes))
		case of.Submissions < 0:
			a.skip(s.DocumentKey(), fmt.Errorf("%s has more than %d submissions: this one stays for the next run", s.Publisher, most.Submissions))
			continue
		case s.result.State != "":
		case s.pkg.Size > of.Bytes:
			a.skip(s.DocumentKey(), fmt.Errorf("the submissions of %s have more than %d bytes: this one stays for the next run", s.Publisher, most.Bytes))
			continue
		default:
			of.Bytes -= s.pkg.Size
		}
		a.pending = append(a.pending, s)
	}
	a.meter = newMeter(a.Progress, "inbox", len(a.pending), a.bytes())
}

// bytes returns the size of the packages to download.
func (a *acceptance) bytes() (all int64) {
	for _, s := range a.pending {
		if s.result.State == "" {
			all += s.pkg.Size
		}
	}
	return all
}
