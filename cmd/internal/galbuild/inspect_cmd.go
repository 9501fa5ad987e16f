package galbuild

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/index"
	"galbuild/index/segment"
)

type inspectCmd struct {
	Site string   `arg:"" default:"site" type:"site" help:"The site's folder (default: ${default})."`
	IDs  []string `arg:"" optional:"" name:"id" type:"id" help:"Print the versions and files of these, as publisher.name[@version][@platform]."`
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
	Extensions []catalog.Extension `json:"extensions"`
}

type indexFile struct {
	Path     string            `json:"path"`
	Contents index.Stats       `json:"contents"`
	Sections []segment.Section `json:"sections"`
}

// Run prints the generation, the sections of its index and its extensions.
func (i *inspectCmd) Run(e *env) error {
	if err := needSite(i.Site); err != nil {
		return err
	}
	current, err := site.ReadCurrent(i.Site)
	if err != nil {
		return err
	}
	if current.IsZero() {
		return hint.Add(fmt.Errorf("%s is not a site: it has no %s", i.Site, site.CurrentPath), "galbuild SOURCE… -o %s builds one", i.Site)
	}
	c, err := site.ReadCatalog(i.Site, current)
	if err != nil {
		return err
	}
	ix, err := index.Open(filepath.Join(i.Site, filepath.FromSlash(current.IndexPath())))
	if err != nil {
		return err
	}
	defer ix.Close()
	shown, err := i.choose(c)
	if err != nil {
		return err
	}
	found := inspection{Site: i.Site, Generation: current.Generation, Settings: c.Settings, Extensions: shown,
		Index: indexFile{Path: current.IndexPath(), Contents: ix.Stats(), Sections: ix.Sections()}}
	if e.json {
		return e.printJSON(found)
	}
	return found.print(e.stdout, len(i.ids) > 0)
}

// choose returns the extensions to print, with the versions to print.
func (i *inspectCmd) choose(c *catalog.Catalog) ([]catalog.Extension, error) {
	if len(i.ids) == 0 {
		return append([]catalog.Extension{}, c.Extensions...), nil
	}
	var chosen []catalog.Extension
	for _, id := range i.ids {
		x, err := findExtension(c, id, i.Site)
		if err != nil {
			return nil, err
		}
		shown := *x
		if _, shown.Versions, err = matching(x, id); err != nil {
			return nil, err
		}
		chosen = append(chosen, shown)
	}
	return chosen, nil
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
	terminal.Fprintf(table, "base URL\t%s\n", cmp.Or(f.Settings.BaseURL, "not set: update checks are answered by galshim"))
	terminal.Fprintf(table, "unpacked\t%s\n", f.Settings.Unpack)
	contains := f.Index.Contents
	terminal.Fprintf(table, "index\t%s\n", f.Index.Path)
	terminal.Fprintf(table, "contents\t%s, %s, %s, %s\n", plural(contains.Documents, "extension"), plural(contains.Files, "file"),
		plural(contains.Terms, "term"), plural(contains.Postings, "posting"))
	terminal.Fprintf(table, "\nsection\toffset\tbytes\n")
	for _, s := range f.Index.Sections {
		terminal.Fprintf(table, "%s\t%d\t%d\n", s.Name, s.Offset, s.Size)
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
