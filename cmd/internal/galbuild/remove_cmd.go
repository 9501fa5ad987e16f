package galbuild

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/cmd/internal/hint"
)

type removeCmd struct {
	IDs   []string `arg:"" name:"id" complete:"path" help:"What to remove: publisher.name@version[@platform]. NAME VERSION is accepted too, as by dbem. The last argument is the target if it is an address or the folder of a site."`
	All   bool     `help:"Remove all versions of extensions that are named without a version."`
	Purge bool     `help:"Delete everything that the target has of them, also in earlier generations, so that nothing answers at any address and no rollback brings it back."`
	ids   []catalog.ID

	deciding
}

// Validate implements Kong's hook.
func (r *removeCmd) Validate() (err error) {
	if err := r.transfer.check(); err != nil {
		return err
	}
	if _, err := r.author(); err != nil {
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

// Run removes versions from a published site, and keeps them out. Their files stay until a prune,
// so that a rollback is possible.
func (r *removeCmd) Run(ctx context.Context, e *env) error {
	if r.purge = r.Purge; r.purge {
		r.how = " --purge"
	}
	return r.run(ctx, e, func(c *catalog.Catalog, a decision.Author) ([]catalog.Record, error) {
		subjects, err := r.resolve(c)
		if err != nil {
			return nil, err
		}
		return decision.Add(c.Records, a, decision.Removed, subjects, "")
	})
}

// resolve returns the subjects of the decisions: the versions and platforms that are named, and all
// versions that the gallery has of extensions that are named without one.
func (r *removeCmd) resolve(c *catalog.Catalog) (subjects []catalog.Subject, err error) {
	r.earlier = nil
	for _, id := range r.ids {
		x, err := findExtension(c, id, r.where)
		if err != nil && r.Purge && r.wasDecided(c, id) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if id.Version == "" && !r.All {
			id.Extension, id.Version = x.ID(), x.Versions[0].Version
			return nil, hint.Add(fmt.Errorf("%s: the version is missing; it has %s", x.ID(), versionsOf(x)), "name one, such as %s, or remove all of them with --all", id)
		}
		_, found, err := matching(x, id)
		if err != nil && r.Purge && r.wasDecided(c, id) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, v := range found {
			named := catalog.ID{Extension: x.Key(), Version: strings.ToLower(v.Version), Platform: id.Platform}
			subjects = append(subjects, catalog.Subject{ID: named})
		}
	}
	slices.SortFunc(subjects, func(a, b catalog.Subject) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(subjects), nil
}

// wasDecided reports whether versions that an id stands for are kept out already, and then adds
// them to those to purge: an earlier purge may have failed.
func (r *removeCmd) wasDecided(c *catalog.Catalog, id catalog.ID) bool {
	named, err := catalog.ParseSubject(id.String())
	before := len(r.earlier)
	for _, d := range decision.Of(c).All() {
		if err == nil && d.Kind != decision.Deprecated && standsFor(named, d.Subject) {
			r.earlier = append(r.earlier, d.Subject)
		}
	}
	return len(r.earlier) > before
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
