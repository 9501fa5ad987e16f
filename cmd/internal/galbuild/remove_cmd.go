package galbuild

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"galbuild/build"
	"galbuild/build/catalog"
	"galbuild/build/similar"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
	"galbuild/publish/target"
)

type removeCmd struct {
	IDs []string `arg:"" name:"id" type:"id" help:"Versions to remove: publisher.name@version, or …@version@platform for one platform's package. dbem's NAME VERSION is understood."`
	All bool     `help:"Remove all versions of ids without a version."`

	transfer
	location
}

// Validate implements Kong's hook.
func (r *removeCmd) Validate() error {
	if err := r.transfer.check(); err != nil {
		return err
	}
	return r.location.Validate()
}

// removed is the result of remove, as --json prints it.
type removed struct {
	publish.Result
	Removed []string `json:"removed"`
}

// Run removes versions from the gallery of a target. Their files stay until a prune, so that a
// rollback is possible.
func (r *removeCmd) Run(ctx context.Context, e *env) error {
	at, err := r.open(e)
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
func (r *removeCmd) resolve(c *catalog.Catalog, at target.Target) ([]string, error) {
	var keys []string
	for _, name := range r.names() {
		id, version, _ := strings.Cut(name, "@")
		x, err := findExtension(c, id, at)
		if err != nil {
			return nil, err
		}
		if version == "" && !r.All {
			return nil, hint.Add(fmt.Errorf("%s: the version is missing; it has %s", x.ID(), versionsOf(x)), "name one, as %s@%s, or remove all of them with --all", x.ID(), x.Versions[0].Version)
		}
		found := matching(x, version)
		if len(found) == 0 {
			return nil, noVersion(x, version)
		}
		keys = append(keys, found...)
	}
	slices.Sort(keys)
	return slices.Compact(keys), nil
}

// names returns the versions as id@version, or ids. Two arguments of which the second is a version
// are one extension, as in dbem.
func (r *removeCmd) names() []string {
	if len(r.IDs) == 2 && !strings.Contains(r.IDs[0], "@") {
		if _, err := semver.StrictNewVersion(r.IDs[1]); err == nil {
			return []string{r.IDs[0] + "@" + r.IDs[1]}
		}
	}
	return r.IDs
}

// findExtension returns the extension with an id, or with a name that only one has.
func findExtension(c *catalog.Catalog, id string, at target.Target) (*catalog.Extension, error) {
	if id == "" {
		return nil, errors.New("the id is missing: want publisher.name or publisher.name@version")
	}
	if x := c.Find(strings.ToLower(id)); x != nil {
		return x, nil
	}
	missing := hint.Add(fmt.Errorf("%s is not at %s%s", id, at, build.Suggest(c, id)), "galbuild ls-remote lists the ids that are")
	if strings.Contains(id, ".") {
		return nil, missing
	}
	switch found := build.Named(c, id); len(found) {
	case 0:
		return nil, missing
	case 1:
		return found[0], nil
	default:
		return nil, fmt.Errorf("%s may be %s or %s: name the publisher too", id, found[0].ID(), found[1].ID())
	}
}

// matching returns the keys of the versions of x that match version@platform. Without a version all
// of them match, and without a platform the packages for all platforms.
func matching(x *catalog.Extension, version string) []string {
	version, platform, onePlatform := strings.Cut(version, "@")
	var keys []string
	for key, v := range x.Keyed() {
		if (version == "" || v.Version == version) && (!onePlatform || v.Platform == platform || platform == "universal" && v.Platform == "") {
			keys = append(keys, key)
		}
	}
	return keys
}

// noVersion returns the error for an extension without a version, which is written as
// version@platform.
func noVersion(x *catalog.Extension, wanted string) error {
	version, platform, _ := strings.Cut(wanted, "@")
	var versions, platforms []string
	for _, v := range x.Versions {
		versions = append(versions, v.Version)
		if v.Version == version || version == "" {
			platforms = append(platforms, cmp.Or(v.Platform, "universal"))
		}
	}
	if len(platforms) > 0 {
		return fmt.Errorf("%s has no package for the platform %s; it has %s%s", strings.TrimSuffix(x.ID()+"@"+version, "@"), platform,
			strings.Join(platforms, ", "), similar.Question(platform, platforms))
	}
	return fmt.Errorf("%s has no version %s; it has %s%s", x.ID(), version, versionsOf(x), similar.Question(version, versions))
}

// versionsOf returns the first versions of an extension as text.
func versionsOf(x *catalog.Extension) string {
	var all []string
	for _, v := range x.Versions {
		all = append(all, v.Version)
	}
	all = slices.Compact(all)
	if len(all) > 8 {
		return strings.Join(all[:8], ", ") + fmt.Sprintf(" and %d more", len(all)-8)
	}
	return strings.Join(all, ", ")
}
