package inbox

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"galbuild/publish"
	"galbuild/publish/target"
)

const (
	keepResults = 30 * 24 * time.Hour // how long documents with a final result, or without a package, stay
	keepUploads = 24 * time.Hour      // how long packages without a document stay
)

// number completes the results with the time and the current generation of the gallery.
func (a *acceptance) number(gallery target.Target, generation string) error {
	var number int64
	head, err := publish.Head(a.ctx, gallery)
	if err != nil && !errors.Is(err, publish.ErrNothing) {
		return err
	}
	if err == nil && head.Generation == generation {
		number = head.Number
	}
	for _, s := range a.pending {
		s.result.When = a.Commit.When.UTC().Truncate(time.Second)
		if s.result.State == Accepted {
			s.result.Generation, s.result.Number = generation, number
		}
	}
	return nil
}

// finish writes the results to the inbox, and deletes the packages that were accepted or refused.
// The error is about all that could not be written. The next run then does it again.
func (a *acceptance) finish() error {
	errs := make([]error, len(a.pending))
	var group errgroup.Group
	group.SetLimit(jobs)
	for i, s := range a.pending {
		group.Go(func() error {
			if s.problem == nil {
				errs[i] = a.write(s)
			}
			return nil
		})
	}
	_ = group.Wait()
	return errors.Join(errs...)
}

// write writes the result of a submission. A submission that somebody has changed since it was read
// is left for the next run.
func (a *acceptance) write(s *pending) error {
	d := Document{Format: format}
	if s.document != nil {
		d = *s.document
	}
	d.Result = &s.result
	text, err := d.Encode()
	switch {
	case err != nil || s.sameResult():
		return err
	case len(s.text) > maxDocument:
		err = a.box.Put(a.ctx, documentObject(s.Name, text)) // it was not read as a whole, and cannot be compared
	default:
		err = a.box.Swap(a.ctx, s.text, documentObject(s.Name, text))
	}
	switch {
	case errors.Is(err, target.ErrChanged):
		s.problem = fmt.Errorf("%w: it stays for the next run", target.ErrChanged)
		return nil
	case err == nil && s.result.isFinal():
		err = a.box.Delete(a.ctx, []string{s.PackageKey()})
	}
	if err != nil {
		err = fmt.Errorf("%s: %s: write the result: %w", a.box, s.DocumentKey(), err)
	}
	return err
}

// sameResult reports whether the document has the result already, which is the case if it still
// waits for the same thing. Otherwise every run would write it again.
func (s *pending) sameResult() bool {
	if s.document == nil || s.document.Result == nil {
		return false
	}
	old, now := *s.document.Result, s.result
	old.When, now.When = time.Time{}, time.Time{}
	return old.State == now.State && old.Reason == now.Reason && old.Until.Equal(now.Until)
}

// clean deletes old results, what interrupted uploads have left, and packages that an interrupted
// run has not deleted: those that are older than the final result. A newer one is part of another
// submission of the same package, whose document is not written yet.
func (a *acceptance) clean(items []*item) error {
	var old []string
	decided := make(map[Name]bool)
	for _, n := range a.finished {
		decided[n] = true
	}
	for _, i := range items {
		switch {
		case i.document == nil && a.age(i.pkg) > keepUploads,
			i.document != nil && i.pkg != nil && decided[i.Name] && (i.pkg.Modified.Before(i.document.Modified) || a.age(i.pkg) > keepUploads):
			old = append(old, i.PackageKey())
		case i.pkg == nil && a.age(i.document) > keepResults:
			old = append(old, i.DocumentKey())
		}
	}
	if err := a.box.Delete(a.ctx, old); err != nil {
		return fmt.Errorf("%s: delete old files of the inbox: %w", a.box, err)
	}
	return nil
}

func (a *acceptance) age(e *target.Entry) time.Duration { return a.now.Sub(e.Modified) }
