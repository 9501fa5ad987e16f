package galbuild

import (
	"cmp"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/cmd/internal/terminal"
	"galbuild/index"
	"galbuild/index/segment"
)

type inspectCmd struct {
	Site string   `arg:"" default:"site" type:"site" help:"Folder of the site."`
	IDs  []string `arg:"" optional:"" name:"id" type:"id" help:"Extensions or versions to print with their files: publisher.name[@version][@platform]."`
	ids  []catalog.ID
}

// Validate implements Kong's hook.
func (i *inspectCmd) Validate() (err error) {
	i.ids, err = parseIDs(i.IDs)
	return err
}

// inspection is the JSON document of inspect.
type inspection struct {
	Site       string              `json:"site"`
	Generation string              `json:"generation"`
	Settings   catalog.Settings    `json:"settings"`
	Index      indexFile           `json:"index"`
	Decisions  []recorded          `json:"decisions"`
	Extensions []catalog.Extension `json:"extensions"`
}

type indexFile struct {
	Path     string            `json:"path"`
	Stats    index.Stats       `json:"stats"`
	Sections []segment.Section `json:"sections"`
	Pins     []pin             `json:"pins"`
}

// pin is a text, and the extensions that come first in its results.
type pin struct {
	Text       string   `json:"text"`
	Extensions []string `json:"extensions"`
}

// pinsOf returns the pins of an index.
func pinsOf(ix *index.Index) []pin {
	pinned := ix.Pins()
	all := make([]pin, len(pinned))
	if len(pinned) == 0 {
		return all
	}
	ids := make([]string, 0, ix.Len())
	for _, d := range ix.Documents() {
		ids = append(ids, d.ID)
	}
	for i, p := range pinned {
		all[i].Text = p.Text
		for _, hit := range p.Hits {
			all[i].Extensions = append(all[i].Extensions, ids[hit])
		}
	}
	return all
}

// Run prints the generation, the sections of its index and its extensions.
func (i *inspectCmd) Run(e *env) error {
	if err := needSite(i.Site); err != nil {
		return err
	}
	current, c, err := site.Read(i.Site)
	if err != nil {
		return err
	}
	file := func(path string) string { return filepath.Join(i.Site, filepath.FromSlash(path)) }
	ix, err := index.Open(file(current.IndexPath()), index.ChunksIn(file(catalog.ChunkDir)))
	if err != nil {
		return err
	}
	defer ix.Close()
	shown, err := i.extensions(c)
	if err != nil {
		return err
	}
	result := inspection{Site: i.Site, Generation: current.Generation, Settings: c.Settings, Extensions: shown,
		Index: indexFile{Path: current.IndexPath(), Stats: ix.Stats(), Sections: ix.Sections(), Pins: pinsOf(ix)}}
	result.Decisions = make([]recorded, len(c.Records))
	for n := range c.Records {
		result.Decisions[n] = newRecorded(&c.Records[n])
	}
	if e.json {
		return e.printJSON(result)
	}
	return result.print(e.stdout, len(i.ids) > 0)
}

// extensions returns the extensions to print, with the versions to print.
func (i *inspectCmd) extensions(c *catalog.Catalog) ([]catalog.Extension, error) {
	if len(i.ids) == 0 {
		return append([]catalog.Extension{}, c.Extensions...), nil
	}
	var found []catalog.Extension
	for _, id := range i.ids {
		x, err := findExtension(c, id, i.Site)
		if err != nil {
			return nil, err
		}
		shown := *x
		if _, shown.Versions, err = matching(x, id); err != nil {
			return nil, err
		}
		found = append(found, shown)
	}
	return found, nil
}

func (f *inspection) print(w io.Writer, details bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if details {
		for i := range f.Extensions {
			printDetails(table, &f.Extensions[i])
		}
		return table.Flush()
	}
	terminal.Fprintf(table, "generation\t%s\n", f.Generation)
	if f.Settings.ContentURL != "" {
		terminal.Fprintf(table, "content URL\t%s\n", f.Settings.ContentURL)
	}
	terminal.Fprintf(table, "base URL\t%s\n", cmp.Or(f.Settings.BaseURL, "not set: galshim responds to update checks"))
	terminal.Fprintf(table, "unpacked\t%s\n", f.Settings.Unpack)
	terminal.Fprintf(table, "decisions\t%d\n", len(f.Decisions))
	stats := f.Index.Stats
	terminal.Fprintf(table, "index\t%s\n", f.Index.Path)
	terminal.Fprintf(table, "contents\t%s, %s, %s, %s\n", plural(stats.Documents, "extension"), plural(stats.Files, "file"),
		plural(stats.Terms, "term"), plural(stats.Postings, "posting"))
	terminal.Fprintf(table, "chunks\t%d, %s\n", stats.Chunks, humanBytes(stats.ChunkBytes))
	terminal.Fprintf(table, "\nsection\toffset\tbytes\n")
	for _, s := range f.Index.Sections {
		terminal.Fprintf(table, "%s\t%d\t%d\n", s.Name, s.Offset, s.Size)
	}
	if len(f.Index.Pins) > 0 {
		terminal.Fprintf(table, "\nsearch\textensions that come first\n")
	}
	for _, p := range f.Index.Pins {
		terminal.Fprintf(table, "%s\t%s\n", p.Text, strings.Join(p.Extensions, ", "))
	}
	terminal.Fprintf(table, "\nextension\tversion\tversions\tupdated\tname\n")
	for i := range f.Extensions {
		x := &f.Extensions[i]
		terminal.Fprintf(table, "%s\t%s\t%d\t%s\t%s\n", x.ID(), x.Versions[0].Version, len(x.Versions), x.Updated.Format(time.DateOnly), x.Versions[0].DisplayName)
	}
	return table.Flush()
}

func printDetails(w io.Writer, x *catalog.Extension) {
	terminal.Fprintf(w, "%s\t%s\n", x.ID(), x.Versions[0].DisplayName)
	terminal.Fprintf(w, "uuid\t%s\n", x.UUID)
	terminal.Fprintf(w, "publisher\t%s (%s)\n", x.Publisher.DisplayName, x.Publisher.ID)
	terminal.Fprintf(w, "released\t%s\n", x.Released.Format(time.RFC3339))
	terminal.Fprintf(w, "updated\t%s\n", x.Updated.Format(time.RFC3339))
	for _, v := range x.Versions {
		kind := "release"
		if v.PreRelease {
			kind = "pre-release"
		}
		terminal.Fprintf(w, "\n%s\t%s\t%s\t%s\n", v.Version, cmp.Or(v.Platform, "universal"), kind, v.Updated.Format(time.RFC3339))
		for _, a := range v.Assets {
			terminal.Fprintf(w, "  %s\t%d\t%s\n", a.Type, a.Size, a.Ref)
		}
		for _, f := range v.Files {
			terminal.Fprintf(w, "  %s\t%d\t%s\n", f.Path, f.Size, f.Ref)
		}
	}
	terminal.Fprintln(w)
}
