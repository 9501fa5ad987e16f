package galbuild

import (
	"context"
	"os"
	"time"

	"galbuild/build/pack"
)

// Sources of the time of all entries.
const (
	timeOfVariable = "that of SOURCE_DATE_EPOCH"
	timeOfCommit   = "that of the last commit in the folder"
	timeOfFile     = "that of the newest file that vscode:prepublish did not write"
)

// time returns the time of all entries, or zero to use that of the newest file. The time
// must not change when the extension is built again, so that packing a commit again gives
// the same bytes: the files that a build writes are new each time, and so are all files
// that a CI job checks out.
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

// keepTimes records the times of the files before the extension's build writes files.
func (p *packing) keepTimes(ctx context.Context) error {
	o := p.options
	o.NoDependencies = true // the build may install them
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
