package galbuild

import (
	"context"
	"os"
	"time"

	"galbuild/build/pack"
)

// Origins of the time of all entries, for messages.
const (
	timeOfVariable = "that of SOURCE_DATE_EPOCH"
	timeOfCommit   = "that of the last commit in the folder"
	timeOfFile     = "that of the newest file that vscode:prepublish did not write"
)

// time returns the time of all entries, or zero to use that of the newest file. The time must not
// change if the extension is built again, so that packing a commit again gives the same bytes. The
// times of files are not sufficient: the files that a build writes are new each time, and so are
// all files that a CI job checks out.
func (j *packJob) time(ctx context.Context) time.Time {
	if !j.options.Time.IsZero() {
		j.origin = timeOfVariable
		return j.options.Time
	}
	committed, err := j.folder.CommitTime(ctx)
	if err != nil {
		j.origin = timeOfFile + " (" + err.Error() + ")"
		return time.Time{}
	}
	j.origin = timeOfCommit
	return committed
}

// keepTimes records the times of the files before the extension's own build, which writes files.
func (j *packJob) keepTimes(ctx context.Context) error {
	o := j.options
	o.NoDependencies = true // the build may install them
	files, _, err := pack.List(ctx, os.DirFS(j.dir), o)
	if err != nil {
		return explainRead(j.dir, err)
	}
	j.options.Before = make(map[string]time.Time)
	for _, f := range files {
		j.options.Before[f.Source] = f.Modified()
	}
	return nil
}
