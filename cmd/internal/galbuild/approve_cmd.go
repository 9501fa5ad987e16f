package galbuild

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"aead.dev/minisign"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/records"
	"galbuild/build/source"
	"galbuild/build/vsix"
	"galbuild/cmd/internal/addresses"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
)

// recordKeyFlags name the secret key that signs records. It is the key of a person, and need not be
// the one that signs heads of histories.
type recordKeyFlags struct {
	Key             string `type:"existingfile" placeholder:"FILE" help:"Sign the records with this minisign secret key. Its password is read from the variable GALBUILD_KEY_PASSWORD, --key-password-file or the terminal."`
	KeyPasswordFile string `type:"existingfile" placeholder:"FILE" help:"File with the password of that key."`
}

// recordKey returns the key, or nil if there is none.
func (k *recordKeyFlags) recordKey(e *env) (*minisign.PrivateKey, error) {
	return secretKey{k.Key, k.KeyPasswordFile, "GALBUILD_KEY_PASSWORD", "--key-password-file"}.read(e)
}

type approveCmd struct {
	IDs    []string `arg:"" name:"id" complete:"path" help:"What to approve: publisher.name@version[@platform] or sha256: and the hash of a package. The last argument is the target if it is an address or the folder of a site, and packages if it is a .vsix file or a folder of them."`
	Revoke bool     `help:"Revoke the approvals of these packages."`
	recordKeyFlags
	deciding

	packages string // the folder or the file of packages; "" if there is a target
}

// Validate implements Kong's hook.
func (a *approveCmd) Validate() error {
	if a.Key == "" && !a.Revoke {
		return errors.New("--key FILE is missing: an approval counts only if it is signed")
	}
	ids := a.IDs
	if n := len(ids); n > 0 && isPackages(ids[n-1]) {
		a.packages, ids = ids[n-1], ids[:n-1]
	}
	var err error
	switch {
	case a.packages == "":
		err = a.parse(ids)
	case len(ids) > 0:
		err = a.parseSubjects(ids)
	case isFolder(a.packages):
		err = fmt.Errorf("name what to approve before the folder %s", a.packages)
	}
	if err != nil {
		return err
	}
	for _, s := range a.subjects {
		if s.SHA256.IsZero() && s.Version == "" {
			return fmt.Errorf("%s: the version is missing: want publisher.name@version[@platform]", s)
		}
	}
	_, err = a.author()
	return err
}

// isPackages reports whether an argument is a package, a folder that is not a site, or a path that
// does not exist and cannot be an id.
func isPackages(arg string) bool {
	if addresses.Scheme(arg) != "" || isSite(arg) {
		return false
	}
	isPackage := strings.HasSuffix(strings.ToLower(arg), ".vsix")
	info, err := os.Stat(arg)
	if err != nil {
		_, notID := catalog.ParseSubject(arg)
		return isPackage || notID != nil
	}
	return info.IsDir() || isPackage
}

// kind returns the kind of the records.
func (a *approveCmd) kind() string {
	if a.Revoke {
		return decision.Revoked
	}
	return decision.Approved
}

// Run approves packages, for policies that require approvals.
func (a *approveCmd) Run(ctx context.Context, e *env) error {
	key, err := a.recordKey(e)
	if err != nil {
		return err
	}
	if a.packages != "" {
		return a.approvePackages(ctx, e, key)
	}
	if a.Revoke {
		a.how = " --revoke"
	}
	return a.run(ctx, e, func(c *catalog.Catalog, by decision.Author) ([]catalog.Record, error) {
		hashes, err := a.hashes(c)
		if err != nil {
			return nil, err
		}
		return decision.Attest(c.Records, by, catalog.Record{Kind: a.kind()}, hashes, key)
	})
}

// hashes returns the hashes of the packages that are named: those that the gallery serves, and
// those that were kept out of it.
func (a *approveCmd) hashes(c *catalog.Catalog) (all []blob.Ref, err error) {
	for _, s := range a.subjects {
		if !s.SHA256.IsZero() {
			all = append(all, s.SHA256)
			continue
		}
		found, err := hashesOf(c, s.ID, a.where)
		if err != nil {
			return nil, err
		}
		for _, key := range slices.Sorted(maps.Keys(found)) {
			all = append(all, found[key])
			a.names[catalog.Subject{SHA256: found[key]}.String()] = key
		}
	}
	return all, nil
}

// hashesOf returns the hashes of the packages of a version, by key: one for each platform.
func hashesOf(c *catalog.Catalog, id catalog.ID, where string) (map[string]blob.Ref, error) {
	known := make(map[string][]blob.Ref) // by key
	for _, p := range c.Packages {
		if matchesKey(id, p.ID) {
			known[p.ID] = append(known[p.ID], p.SHA256)
		}
	}
	for key, v := range c.Versions() {
		if matchesKey(id, key) {
			known[key] = []blob.Ref{v.Package.Ref}
		}
	}
	all := make(map[string]blob.Ref)
	for key, hashes := range known {
		if len(hashes) > 1 {
			return nil, hint.Add(fmt.Errorf("%s: there are %d packages of that name", key, len(hashes)), "name one of them: %s", hashNames(hashes))
		}
		all[key] = hashes[0]
	}
	if len(all) == 0 {
		return nil, hint.Add(fmt.Errorf("%s knows no package of %s", where, id),
			"it is known once a build or add has read it, also if it was kept out; sha256:HASH approves any package")
	}
	return all, nil
}

// matchesKey reports whether an id with a version is that of a [catalog.Key], or of one of its
// platforms.
func matchesKey(id catalog.ID, key string) bool {
	named, err := catalog.ParseID(key)
	return err == nil && named.Extension == strings.ToLower(id.Extension) && named.Version == strings.ToLower(id.Version) &&
		(id.Platform == "" || id.Platform == cmp.Or(named.Platform, catalog.Universal))
}

func hashNames(hashes []blob.Ref) string {
	var names []string
	for _, h := range hashes {
		names = append(names, catalog.Subject{SHA256: h}.String())
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// approvedFile is a record that was written next to a package.
type approvedFile struct {
	File string `json:"file"` // with the record
	recorded
}

// approvedFiles is the JSON document of approve for packages.
type approvedFiles struct {
	Decisions []approvedFile `json:"decisions"`
}

// approvePackages writes records next to packages.
func (a *approveCmd) approvePackages(ctx context.Context, e *env, key *minisign.PrivateKey) error {
	files, err := a.files(ctx, e)
	if err != nil {
		return err
	}
	by, err := a.author()
	if err != nil {
		return err
	}
	made := approvedFiles{Decisions: []approvedFile{}}
	for _, f := range files {
		r, err := records.Append(f.path, f.sha256, by.Record(catalog.Record{Kind: a.kind()}), key)
		if err != nil {
			return err
		}
		made.Decisions = append(made.Decisions, approvedFile{records.Path(f.path), newRecorded(&r)})
		if !e.json && !e.quiet {
			terminal.Fprintf(e.stdout, "%-7s  %s in %s\n", r.Kind, f.key, records.Path(f.path))
		}
	}
	if e.json {
		return e.printJSON(made)
	}
	return nil
}

// packageFile is a package in a file.
type packageFile struct {
	path, key string
	sha256    blob.Ref
}

// files returns the packages that are named. Each name must be that of a package.
func (a *approveCmd) files(ctx context.Context, e *env) (named []packageFile, err error) {
	items, problems, err := source.Expand(ctx, []string{a.packages}, source.Config{Log: e.log})
	if err != nil {
		return nil, err
	}
	for _, p := range problems {
		return nil, fmt.Errorf("%s: %w", p.Name, p.Err)
	}
	missing := slices.Clone(a.subjects)
	for _, item := range items {
		f, err := readPackageFile(item)
		if err != nil && len(items) == 1 {
			return nil, err
		}
		if err != nil {
			continue // another one may be meant; see below
		}
		is := func(s catalog.Subject) bool {
			return s.SHA256 == f.sha256 || s.SHA256.IsZero() && matchesKey(s.ID, f.key)
		}
		if len(a.subjects) == 0 || slices.ContainsFunc(a.subjects, is) {
			named = append(named, f)
		}
		missing = slices.DeleteFunc(missing, is)
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%s has no package of %s", a.packages, missing[0])
	}
	return named, nil
}

func readPackageFile(item source.Item) (f packageFile, err error) {
	f.path = item.Name
	if f.key, err = publish.PackageKey(item.Path, vsix.Limits{}); err == nil {
		f.sha256, _, err = blob.SumFile(item.Path)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", item.Name, err)
	}
	return f, err
}
