package galbuild

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"

	"galbuild/build/catalog"
	"galbuild/build/policy"
	"galbuild/build/site"
	"galbuild/build/stats"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
)

type statsCmd struct {
	Add  statsAddCmd  `cmd:"" help:"Count the downloads and installs in access logs of nginx, each line once."`
	Fold statsFoldCmd `cmd:"" help:"Add what was counted to a site or to another target."`
	Show statsShowCmd `cmd:"" help:"Print installs, downloads and ratings, imported and counted ones."`
}

type statsAddCmd struct {
	Logs   []string `arg:"" name:"log" complete:"path" help:"An access log in nginx's format combined, which may be compressed with gzip, or - for one on standard input. Name the whole log: what was counted is recognized by its beginning, whatever its name is after it was rotated."`
	Output string   `short:"o" name:"output" default:"counts" complete:"path" placeholder:"DIR" help:"Folder of statistics, as that of galshim --stats-log. Count each request in one way only."`
}

// addedLogs is the JSON document of stats add.
type addedLogs struct {
	Folder string        `json:"folder"`
	Logs   []stats.Added `json:"logs"`
}

// Run counts logs. If one cannot be read, the others are counted.
func (s *statsAddCmd) Run(e *env) error {
	folder, err := stats.OpenFolder(s.Output)
	if err != nil {
		if errors.Is(err, stats.ErrLocked) {
			err = hint.Add(err, "run the command again when that one has ended")
		}
		return err
	}
	defer folder.Close()
	document := addedLogs{s.Output, []stats.Added{}}
	var failed []error
	for _, log := range s.Logs {
		added, err := s.add(e, folder, log)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		document.Logs = append(document.Logs, added)
		e.printCounted(added)
	}
	if err := e.printJSON(document); err != nil {
		return err
	}
	err = errors.Join(failed...)
	if n := len(document.Logs); err != nil && n > 0 {
		err = hint.Add(err, "%s counted; the others can be added again", plural(n, "log"))
	}
	return err
}

func (s *statsAddCmd) add(e *env, folder *stats.Folder, log string) (stats.Added, error) {
	if log == "-" {
		return folder.AddLog("standard input", e.stdin)
	}
	f, err := os.Open(log)
	if err != nil {
		return stats.Added{}, err
	}
	defer f.Close()
	return folder.AddLog(log, f)
}

func (e *env) printCounted(a stats.Added) {
	if a.Skipped > 0 {
		e.log.Warn(fmt.Sprintf("%s: %s cannot be read or are too many", a.Log, plural(int(a.Skipped), "line")))
	}
	switch {
	case e.json || e.quiet:
	case a.File == "":
		terminal.Fprintf(e.stdout, "%s: nothing new\n", a.Log)
	default:
		terminal.Fprintf(e.stdout, "%s: %s, %s, %s in %s\n", a.Log, plural(int(a.Downloads), "download"), plural(int(a.Installs), "install"),
			plural(int(a.Uninstalls), "uninstall"), plural(int(a.Lines), "new line"))
	}
}

type statsFoldCmd struct {
	Folders []string `arg:"" name:"dir" complete:"path" help:"A folder of statistics. The last argument is the target if it is an address or the folder of a site."`
	authorFlags
	transfer
	targets.Flags
}

// Validate implements Kong's hook.
func (s *statsFoldCmd) Validate() (err error) {
	if err := s.transfer.check(); err != nil {
		return err
	}
	if _, err := s.author(); err != nil {
		return err
	}
	named := ""
	if s.Folders, named, err = s.Last(s.Folders, func(string) string { return "" }); err != nil {
		return err
	}
	if len(s.Folders) == 0 {
		return errors.New("name the folder of statistics before the target")
	}
	for _, dir := range s.Folders {
		if targets.IsSite(dir) {
			return hint.Add(fmt.Errorf("%s: is a site, and not a folder of statistics", dir), "name the folder of galshim --stats-log or of galbuild stats add -o before the target")
		}
	}
	return s.Check(named)
}

// foldedStats is the JSON document of stats fold.
type foldedStats struct {
	publish.Result
	Folded stats.Folded `json:"folded"`
}

// Run adds the counts of folders to a target.
func (s *statsFoldCmd) Run(ctx context.Context, e *env) error {
	at, err := s.Open(e.target)
	if err != nil {
		return err
	}
	defer closeTarget(at)
	commit, err := e.commit(&s.authorFlags)
	if err != nil {
		return err
	}
	now := time.Now() // whatever SOURCE_DATE_EPOCH is: counts are of real days
	if s.Now != "" {
		now = commit.When
	}
	var made foldedStats
	err = e.inWorkspace(func(dir *site.Dir, bar *progress) error {
		made.Result, made.Folded, err = publish.Fold(ctx, at, dir, s.options(bar, commit), s.Folders, now)
		return err
	})
	switch {
	case errors.Is(err, publish.ErrNothing):
		return nothingAt(at)
	case errors.Is(err, stats.ErrNotFolder):
		return hint.Add(err, "name the folder of galshim --stats-log or of galbuild stats add -o; the target is the last argument")
	case err != nil:
		return explainPublish(err)
	}
	e.warnFolded(&made.Folded)
	if e.json {
		return e.printJSON(made)
	}
	if f := &made.Folded; !e.quiet {
		days := ""
		if n := len(f.Days); n > 0 {
			days = fmt.Sprintf(" on %s from %s to %s", plural(n, "day"), f.Days[0], f.Days[n-1])
		}
		terminal.Fprintf(e.stdout, "folded   %s, %s, %s%s\n", plural(int(f.Downloads), "download"), plural(int(f.Installs), "install"), plural(int(f.Uninstalls), "uninstall"), days)
	}
	return e.printResult(made.Result)
}

// warnFolded prints what was skipped.
func (e *env) warnFolded(f *stats.Folded) {
	for _, w := range f.Warnings {
		e.log.Warn(w)
	}
	if len(f.Unknown) > 0 {
		e.log.Warn("not in the gallery, and not counted: " + firstOf(f.Unknown, 5))
	}
}

type statsShowCmd struct {
	Target string `arg:"" optional:"" complete:"path" help:"The target: ${readable}."`
	targets.Flags
}

// Validate implements Kong's hook.
func (s *statsShowCmd) Validate() error { return s.Check(s.Target) }

// shownStats is the JSON document of stats show.
type shownStats struct {
	Target     string        `json:"target"`
	Day        string        `json:"day,omitempty"` // the last day with an install
	Extensions []usedNumbers `json:"extensions"`    // all, most installs first
}

// usedNumbers are the numbers of an extension.
type usedNumbers struct {
	ID         string   `json:"id"`
	Installs   int64    `json:"installs"`  // imported and counted ones
	Downloads  int64    `json:"downloads"` // likewise
	Imported   imported `json:"imported"`
	Counted    counted  `json:"counted"`
	Rating     float64  `json:"averagerating"`
	Ratings    int64    `json:"ratingcount"`
	RatingFrom string   `json:"ratingFrom,omitempty"` // "policy" or "import"
}

type imported struct {
	Installs  int64 `json:"installs"`
	Downloads int64 `json:"downloads"`
}

type counted struct {
	Installs   int64 `json:"installs"`
	Downloads  int64 `json:"downloads"`
	Uninstalls int64 `json:"uninstalls"`
	Day        int64 `json:"day"`   // installs of the last day
	Week       int64 `json:"week"`  // of the last 7 days
	Month      int64 `json:"month"` // of the last 30 days
}

// Run prints the statistics of all extensions, and as a table of those that have any.
func (s *statsShowCmd) Run(ctx context.Context, e *env) error {
	found, err := readTarget(ctx, e, &s.Flags)
	if err != nil {
		return err
	}
	defer closeTarget(found.at)
	list := newShownStats(found.catalog)
	list.Target = found.at.String()
	if e.json {
		return e.printJSON(list)
	}
	return list.print(e.stdout)
}

func newShownStats(c *catalog.Catalog) shownStats {
	totals := stats.NewTotals(c, policy.Of(c).Ratings)
	list := shownStats{Day: totals.Day(), Extensions: []usedNumbers{}}
	for i := range c.Extensions {
		x := &c.Extensions[i]
		f, from := totals.Of(x), totals.Sources(x)
		n := usedNumbers{
			ID: x.ID(), Installs: f.Installs, Downloads: f.Downloads, Rating: f.Rating, Ratings: f.Ratings,
			Imported: imported{from.Imported.Installs, from.Imported.Downloads},
			Counted: counted{
				from.Counted.Installs, from.Counted.Downloads, from.Uninstalls,
				f.Trending.Day, f.Trending.Week, f.Trending.Month,
			},
		}
		switch {
		case from.RatedByPolicy:
			n.RatingFrom = "policy"
		case f.Ratings > 0:
			n.RatingFrom = "import"
		}
		list.Extensions = append(list.Extensions, n)
	}
	slices.SortStableFunc(list.Extensions, func(a, b usedNumbers) int { return cmp.Compare(b.Installs, a.Installs) })
	return list
}

func (s *shownStats) print(w io.Writer) error {
	used := slices.DeleteFunc(s.Extensions, func(n usedNumbers) bool {
		return max(n.Installs, n.Downloads, n.Ratings, n.Counted.Uninstalls) == 0
	})
	if len(used) == 0 {
		_, err := terminal.Fprintf(w, "no extension has statistics\n")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	terminal.Fprintf(table, "extension\tinstalls\timported\tcounted\tweek\tdownloads\trating\n")
	for _, n := range used {
		rating := "-"
		if n.Ratings > 0 {
			rating = fmt.Sprintf("%.1f (%d)", n.Rating, n.Ratings)
		}
		terminal.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", n.ID, humanize.Comma(n.Installs), humanize.Comma(n.Imported.Installs),
			humanize.Comma(n.Counted.Installs), humanize.Comma(n.Counted.Week), humanize.Comma(n.Downloads), rating)
	}
	return table.Flush()
}
