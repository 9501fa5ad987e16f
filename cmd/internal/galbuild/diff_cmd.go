package galbuild

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"

	"galbuild/build/audit"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/cmd/internal/addresses"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
	"galbuild/publish/bundle"
)

type diffCmd struct {
	From string `arg:"" complete:"path" help:"The one gallery: ${readable}, or a tarball of galbuild export."`
	To   string `arg:"" complete:"path" help:"The other gallery, named in the same way."`
	targets.Remote

	from, to *targets.Remote // nil for a tarball
}

// Validate implements Kong's hook.
func (d *diffCmd) Validate() error {
	var first *targets.Remote
	for _, side := range []struct {
		word string
		at   **targets.Remote
	}{{d.From, &d.from}, {d.To, &d.to}} {
		switch {
		case isTarball(side.word):
			continue
		case first != nil:
			other, err := first.At(side.word)
			if err != nil {
				return err
			}
			*side.at = other
		default:
			if err := d.Check(side.word); err != nil {
				return err
			}
			first, *side.at = &d.Remote, &d.Remote
		}
	}
	return nil
}

// isTarball reports whether an argument is a tarball and not a target.
func isTarball(arg string) bool {
	if addresses.Scheme(arg) != "" {
		return false
	}
	info, err := os.Stat(arg)
	if err == nil {
		return info.Mode().IsRegular()
	}
	return slices.ContainsFunc(archiveSuffixes, func(suffix string) bool { return strings.HasSuffix(arg, suffix) })
}

// Run prints how the second gallery differs from the first.
func (d *diffCmd) Run(ctx context.Context, e *env) error {
	from, fromSide, err := readSide(ctx, e, d.from, d.From, d.to)
	if err != nil {
		return err
	}
	to, toSide, err := readSide(ctx, e, d.to, d.To, d.from)
	if err != nil {
		return err
	}
	difference, err := audit.Diff(from, to)
	if err != nil {
		return err
	}
	difference.From.Name, difference.From.Generation = fromSide.Name, fromSide.Generation
	difference.To.Name, difference.To.Generation = toSide.Name, toSide.Generation
	if e.json {
		return e.printJSON(difference)
	}
	return printDifference(e.stdout, difference)
}

// readSide reads the catalogue of a target, or of the tarball with this name. The other side has
// what a tarball of changes leaves out; it is nil if that is a tarball too.
func readSide(ctx context.Context, e *env, named *targets.Remote, word string, other *targets.Remote) (*catalog.Catalog, audit.Side, error) {
	if named == nil {
		lines, err := linesOf(ctx, e, other)
		if err != nil {
			return nil, audit.Side{}, err
		}
		current, c, err := bundle.ReadCatalog(ctx, word, lines)
		return c, audit.Side{Name: word, Generation: current.Generation}, err
	}
	at, err := named.OpenToRead(e.target)
	if err != nil {
		return nil, audit.Side{}, err
	}
	state, err := publish.Read(ctx, at)
	switch {
	case err != nil:
		return nil, audit.Side{}, err
	case state.IsZero():
		return nil, audit.Side{}, nothingAt(at)
	}
	_, err = publish.ReadPrivate(ctx, at, state)
	return state.Catalog, audit.Side{Name: at.String(), Generation: state.Generation}, err
}

// linesOf returns a source of the lines of a target's chunks. It is nil if there is no target.
func linesOf(ctx context.Context, e *env, named *targets.Remote) (site.LinesSource, error) {
	if named == nil {
		return nil, nil
	}
	if folder, ok := named.Folder(); ok {
		return bundle.LinesIn(folder), nil
	}
	at, err := named.OpenToRead(e.target)
	if err != nil {
		return nil, err
	}
	return publish.LinesAt(ctx, at), nil
}

func printDifference(w io.Writer, d *audit.Difference) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, list := range []struct {
		name  string
		items []audit.Item
	}{{"added", d.Added}, {"removed", d.Removed}} {
		for _, x := range list.items {
			terminal.Fprintf(table, "%s\t%s\t%s\t%s\n", list.name, x.ID, humanBytes(x.Bytes), about(x))
		}
	}
	for _, x := range d.Changed {
		terminal.Fprintf(table, "changed\t%s\t%s → %s\t%s\n", x.To.ID, humanBytes(x.From.Bytes), humanBytes(x.To.Bytes), about(x.To))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, s := range d.Settings {
		terminal.Fprintf(w, "setting %s\n", s.Text())
	}
	for _, x := range d.RemovedDecisions {
		terminal.Fprintf(w, "decision only in %s: %s\n", d.From.Name, x.Text())
	}
	for _, x := range d.AddedDecisions {
		terminal.Fprintf(w, "decision only in %s: %s\n", d.To.Name, x.Text())
	}
	for _, side := range []audit.Side{d.From, d.To} {
		terminal.Fprintf(w, "%s: generation %s, %s, %s, %s\n", side.Name, side.Generation, plural(side.Extensions, "extension"), plural(side.Versions, "version"), humanBytes(side.Bytes))
	}
	_, err := terminal.Fprintf(w, "%d added (%s), %d removed (%s), %d changed\n",
		len(d.Added), humanBytes(audit.Total(d.Added)), len(d.Removed), humanBytes(audit.Total(d.Removed)), len(d.Changed))
	return err
}

func humanBytes(n int64) string { return humanize.Bytes(uint64(n)) }

// about returns the licence and the signature of a version.
func about(x audit.Item) string {
	words := []string{"licence not known", "not signed"}
	if x.Licence != "" {
		words[0] = x.Licence
	}
	if x.Signed {
		words[1] = "signed"
	}
	return strings.Join(words, ", ")
}
