package collect

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"galbuild/build/atomicfile"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/collect/lock"
	"galbuild/build/download"
	"galbuild/build/regularfile"
)

// Companion is a file that a collection gets in addition to its packages.
type Companion struct {
	Path string // below companions/
	From string // path of a file, or an address of http or https
}

// ParseCompanion parses PATH=FILE or PATH=URL.
func ParseCompanion(s string) (Companion, error) {
	path, from, ok := strings.Cut(s, "=")
	if !ok || from == "" {
		return Companion{}, fmt.Errorf("%q: want PATH=FILE or PATH=URL, such as cli/code.tar.gz=code.tar.gz", s)
	}
	c := Companion{path, from}
	return c, catalog.CheckCompanionPath(path)
}

// isAddress reports whether the companion is downloaded.
func (c Companion) isAddress() bool {
	return strings.HasPrefix(c.From, "https://") || strings.HasPrefix(c.From, "http://")
}

// checkCompanions returns an error if what is given and what is locked cannot be in one folder.
func checkCompanions(given []Companion, locked []lock.Companion) error {
	var paths []string
	for _, c := range locked {
		paths = append(paths, c.Path)
	}
	for _, c := range given {
		if !slices.ContainsFunc(locked, func(w lock.Companion) bool { return w.Path == c.Path }) {
			paths = append(paths, c.Path)
		}
	}
	if err := catalog.CheckCompanionPaths(paths); err != nil {
		return fmt.Errorf("companions: %w", err)
	}
	return nil
}

func companionFile(c lock.Companion) string { return "companions/" + c.Path }

func companionKind() download.Kind {
	return download.Kind{Name: "companion", Suffix: ".companion", Limit: "package-bytes"}
}

// getCompanions fetches the companions of the configuration and of the earlier lock, or of the lock
// that is given, and adds them to the new lock.
func (x *fetch) getCompanions(ctx context.Context, l *lock.Lock, result *Fetched) error {
	given := map[string]Companion{}
	for _, c := range x.Companions {
		given[c.Path] = c
	}
	wanted := l.Companions
	if !x.locked {
		wanted = slices.Clone(x.old.Companions)
		for _, c := range x.Companions {
			if !slices.ContainsFunc(wanted, func(w lock.Companion) bool { return w.Path == c.Path }) {
				wanted = append(wanted, lock.Companion{Path: c.Path})
			}
		}
	}
	l.Companions = nil
	for _, w := range wanted {
		c, isGiven := given[w.Path]
		got, err := x.getCompanion(ctx, w, c, isGiven)
		if stop := errors.Join(ctx.Err(), fatal(err)); stop != nil {
			return stop
		}
		if err != nil {
			result.Failed = append(result.Failed, Failed{ID: companionFile(w), Address: w.Address, Reason: err.Error()})
			if got = w; w.SHA256.IsZero() {
				continue
			}
		}
		l.Companions = append(l.Companions, got)
	}
	return nil
}

// getCompanion fetches a companion. That of a lock is w, and what the user gave is c.
func (x *fetch) getCompanion(ctx context.Context, w lock.Companion, c Companion, isGiven bool) (lock.Companion, error) {
	if (x.locked || !isGiven) && x.has(companionFile(w), w.SHA256) {
		return w, nil
	}
	expected := w
	if !x.locked && isGiven { // it may be another file than before
		expected = lock.Companion{Path: w.Path}
	}
	switch {
	case isGiven && !c.isAddress():
		return x.copyCompanion(expected, c.From)
	case isGiven:
		return x.downloadCompanion(ctx, expected, c.From)
	case w.Address != "":
		return x.downloadCompanion(ctx, expected, w.Address)
	}
	return w, fmt.Errorf("it was given as a file, and is not in the folder; give it again with --with %s=FILE", w.Path)
}

func (x *fetch) downloadCompanion(ctx context.Context, w lock.Companion, address string) (lock.Companion, error) {
	file, err := download.Parse(address, companionKind())
	if err != nil {
		return w, err
	}
	if w.SHA256 != (blob.Ref{}) {
		file.SHA256, file.Size = w.SHA256, w.Size
	}
	path, err := x.packages.Get(ctx, file)
	if err != nil {
		return w, err
	}
	w.Address = file.URL.String()
	if w.SHA256, w.Size, err = blob.SumFile(path); err != nil {
		return w, err
	}
	return w, x.placeFile(path, companionFile(w), w.SHA256)
}

func (x *fetch) copyCompanion(w lock.Companion, from string) (lock.Companion, error) {
	sum, size, err := blob.SumFile(from)
	switch {
	case err != nil:
		return w, err
	case !w.SHA256.IsZero() && sum != w.SHA256:
		return w, &download.MismatchError{Name: from, What: "SHA-256", Expected: w.SHA256.String(), Downloaded: sum.String()}
	}
	file, err := regularfile.Open(from)
	if err != nil {
		return w, err
	}
	defer file.Close()
	w.SHA256, w.Size, w.Address = sum, size, ""
	if err := atomicfile.CopyFile(x.folder.root, companionFile(w), os.FileMode(atomicfile.FileMode), file); err != nil {
		return w, err
	}
	return w, x.placed(companionFile(w), sum)
}
