package galbuild

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"galbuild/build"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
	"galbuild/publish/target"
)

type removeCmd struct {
	IDs []string `arg:"" name:"id" complete:"path" help:"What to remove: publisher.name@version[@platform]. NAME VERSION is accepted too, as by dbem. The last argument is the target if it is an address or the folder of a site."`
	All bool     `help:"Remove all versions of extensions that are named without a version."`
	ids []catalog.ID

	transfer
	targets.Flags
}

// Validate implements Kong's hook.
func (r *removeCmd) Validate() (err error) {
	if err := r.transfer.check(); err != nil {
		return err
	}
	ids, named, err := r.Last(r.IDs, otherID)
	if err != nil {
		return err
	}
	if r.IDs = ids; len(ids) == 0 {
		return errors.New("name the versions to remove; the target is the last argument")
	}
	for _, id := range ids {
		if err := idType().check(id); err != nil {
			return fmt.Errorf("<id>: %w", err)
		}
	}
	if r.ids, err = parseIDs(r.joined()); err != nil {
		return err
	}
	return r.Check(named)
}

// removed is the JSON document of remove.
type removed struct {
	publish.Result
	Removed []string `json:"removed"` // ids of packages
}

// Run removes versions from a published site. Their files stay until a prune, so that a rollback is
// possible.
func (r *removeCmd) Run(ctx context.Context, e *env) error {
	at, err := r.Open(e.target)
	if err != nil {
		return err
	}
	var keys []string
	var result publish.Result
	err = e.inWorkspace(func(dir *site.Dir, bar *progress) error {
		result, err = publish.Change(ctx, at, dir, r.options(bar), func(old publish.State) (*catalog.Catalog, error) {
			if old.IsZero() {
				return nil, nothingAt(at)
			}
			if keys, err = r.resolve(old.Catalog, at); err != nil {
				return nil, err
			}
			return build.Without(old.Catalog, func(key string) bool { return slices.Contains(keys, key) }), nil
		})
		return err
	})
	if err != nil {
		return explainPublish(err)
	}
	if e.json {
		return e.printJSON(removed{result, keys})
	}
	if !e.quiet {
		for _, key := range keys {
			terminal.Fprintf(e.stdout, "removed  %s\n", key)
		}
	}
	return e.printResult(result)
}

// resolve returns the keys of the versions to remove.
func (r *removeCmd) resolve(c *catalog.Catalog, at target.Target) (keys []string, err error) {
	for _, id := range r.ids {
		x, err := findExtension(c, id, at.String())
		if err != nil {
			return nil, err
		}
		if id.Version == "" && !r.All {
			id.Extension, id.Version = x.ID(), x.Versions[0].Version
			return nil, hint.Add(fmt.Errorf("%s: the version is missing; it has %s", x.ID(), versionsOf(x)), "name one, such as %s, or remove all of them with --all", id)
		}
		found, _, err := matching(x, id)
		if err != nil {
			return nil, err
		}
		keys = append(keys, found...)
	}
	slices.Sort(keys)
	return slices.Compact(keys), nil
}

// joined returns the ids of the command line. It joins the two arguments NAME VERSION to one id.
func (r *removeCmd) joined() []string {
	if len(r.IDs) == 2 && !strings.Contains(r.IDs[0], "@") {
		if _, err := semver.StrictNewVersion(r.IDs[1]); err == nil {
			return []string{r.IDs[0] + "@" + r.IDs[1]}
		}
	}
	return r.IDs
}
