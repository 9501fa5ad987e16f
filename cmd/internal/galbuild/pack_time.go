package galbuild

import (
	"context"
	"os"
	"time"

	"galbuild/build/pack"
)

// Where the time of a package's entries is from.
const (
	timeOfVariable = "that of SOURCE_DATE_EPOCH"
	timeOfCommit   = "that of the last commit in the folder"
	timeOfFile     = "that of the newest file that vscode:prepublish did not write"
)

// time returns the time that all entries get, zero for that of the newest file. It is one
// that the extension's own build does not move, so that packing a commit again gives the
// same bytes: what that writes is new each time, and so is all that a CI job checks out.
func (p *packing) time(ctx context.Context) time.Time {
	if !p.options.Time.IsZero() {
		p.times = timeOfVariable
		return p.options.Time
	}
	committed, err := p.source.CommitTime(ctx)
	if err != nil {
		p.times = timeOfFile + " (" + err.Error() + ")"
		return time.Time{}
	}
	p.times = timeOfCommit
	return committed
}

// keepTimes remembers the times of the files before the extension's own build writes some.
func (p *packing) keepTimes(ctx context.Context) error {
	o := p.options
	o.NoDependencies = true // they may come with the build
	files, _, err := pack.List(ctx, os.DirFS(p.dir), o)
	if err != nil {
		return explainRead(p.dir, err)
	}
	p.options.Before = make(map[string]time.Time)
	for _, f := range files {
		p.options.Before[f.Source] = f.Modified()
	}
	return nil
}
