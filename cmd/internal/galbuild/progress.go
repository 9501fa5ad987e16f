package galbuild

import (
	"fmt"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"

	"galbuild/build"
	"galbuild/build/collect"
	"galbuild/build/site"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
)

// A progress shows the progress of a command: a bar on a terminal, or a line every few seconds
// elsewhere. With --quiet or --progress none it shows nothing.
type progress struct {
	e     *env
	mutex sync.Mutex
	bar   *progressbar.ProgressBar // nil for plain lines
	stage string
	plain bool
	next  time.Time // when the next line is printed
	began time.Time // the first download; zero before that
}

// plainInterval is the time between two lines of progress.
const plainInterval = 5 * time.Second

func newProgress(e *env) *progress {
	p := &progress{e: e, next: time.Now().Add(plainInterval)}
	onTerminal := terminal.Is(e.stderr)
	p.plain = !e.quiet && (e.progress == "plain" || e.progress == "auto" && !onTerminal)
	if !e.quiet && e.progress == "auto" && onTerminal {
		p.bar = progressbar.NewOptions64(-1, progressbar.OptionSetWriter(e.stderr.Raw()), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetWidth(30), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetPredictTime(true), progressbar.OptionShowBytes(true))
	}
	return p
}

// inWorkspace calls do with a new workspace and a progress.
func (e *env) inWorkspace(do func(dir *site.Dir, bar *progress) error) error {
	scratch, err := publish.Scratch()
	if err != nil {
		return err
	}
	defer scratch.Discard()
	bar := newProgress(e)
	defer bar.close()
	return do(scratch.Dir, bar)
}

// show implements build.Config.Progress.
func (p *progress) show(at build.Progress) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	switch {
	case p.bar != nil:
		p.showBar(at)
	case p.plain && time.Now().After(p.next):
		p.next = time.Now().Add(plainInterval)
		terminal.Fprintf(p.e.stderr, "galbuild: %s\n", describe(at))
	}
}

// showPublish implements publish.Options.Progress.
func (p *progress) showPublish(at publish.Progress) {
	p.show(build.Progress{Stage: at.Stage, Done: at.Sent, Total: at.SentOf, Name: fmt.Sprintf("%d of %d objects", at.Done, at.Total)})
}

// showLookUp implements collect.Config.Progress.
func (p *progress) showLookUp(done, total int) {
	p.show(build.Progress{Stage: "look up", Done: int64(done), Total: int64(total)})
}

// showFetch implements collect.FetchConfig.Progress.
func (p *progress) showFetch(at collect.FetchProgress) {
	if p.began.IsZero() {
		p.began = time.Now()
	}
	if at.ToVet > 0 && at.Vetted > 0 {
		p.show(build.Progress{Stage: "vet packages", Done: int64(at.Vetted), Total: int64(at.ToVet)})
		return
	}
	rate := float64(at.Bytes) / max(time.Since(p.began).Seconds(), 1)
	p.show(build.Progress{
		Stage: "download", Done: at.Bytes, Total: at.OfBytes,
		Name: fmt.Sprintf("%d of %d packages, %s/s", at.Done, at.Of, humanize.Bytes(uint64(rate))),
	})
}

func (p *progress) showBar(at build.Progress) {
	if p.stage != at.Stage {
		p.stage = at.Stage
		p.bar.Reset()
		p.bar.Describe(at.Stage)
	}
	if at.Total != p.bar.GetMax64() {
		p.bar.ChangeMax64(at.Total)
	}
	_ = p.bar.Set64(at.Done) // a command does not fail because the bar cannot be drawn
}

// describe returns a line that describes the progress.
func describe(at build.Progress) string {
	switch at.Stage {
	case "link":
		return fmt.Sprintf("linking, %d of %d versions", at.Done, at.Total)
	case "vet packages":
		return fmt.Sprintf("vetting, %d of %d packages", at.Done, at.Total)
	case "check":
		return fmt.Sprintf("checking, %d of %d (%s)", at.Done, at.Total, at.Name)
	case "look up":
		return fmt.Sprintf("looking up, %d of %d extensions", at.Done, at.Total)
	}
	if at.Total <= 0 {
		return fmt.Sprintf("%s, %s (%s)", at.Stage, humanize.Bytes(uint64(at.Done)), at.Name)
	}
	return fmt.Sprintf("%s, %s of %s (%s)", at.Stage, humanize.Bytes(uint64(at.Done)), humanize.Bytes(uint64(at.Total)), at.Name)
}

func (p *progress) close() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
