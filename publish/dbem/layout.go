package dbem

import (
	"encoding/base64"
	"fmt"
	"os"
	"slices"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	repo "galbuild/build/dbem"
	"galbuild/build/site"
	"galbuild/build/vsix/manifest"
	"galbuild/publish/target"
)

// maxIcon limits the size of an icon, in bytes, because every client downloads all of them with
// the list.
const maxIcon = 1 << 20

// A layout is a site in the layout of dbem.
type layout struct {
	blobs    *blob.Store
	entries  []repo.Entry
	packages []target.Object
	others   []target.Object // readmes and changelogs
	keys     map[string]bool // of the versions in the layout
	warnings []string
}

// layOut returns the site at root in the layout of dbem.
func layOut(root string) (*layout, error) {
	_, c, err := site.Read(root)
	if err != nil {
		return nil, err
	}
	l := &layout{blobs: blob.ReadStore(root), keys: make(map[string]bool), warnings: []string{}}
	for i := range c.Extensions {
		if err := l.add(&c.Extensions[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Extensions[i].ID(), err)
		}
	}
	return l, nil
}

func (l *layout) warn(format string, args ...any) {
	l.warnings = append(l.warnings, fmt.Sprintf(format, args...))
}

func (l *layout) add(x *catalog.Extension) error {
	if strings.EqualFold(x.Name, repo.Name) {
		l.warn("%s is left out: its folder would have the name of the list", x.ID())
		return nil
	}
	var current *catalog.Version
	for _, v := range l.universal(x) {
		l.addVersion(x, v)
		if current == nil || current.PreRelease && !v.PreRelease {
			current = v
		}
	}
	if current == nil {
		return nil
	}
	icon, err := l.icon(x, current)
	if err != nil {
		return err
	}
	l.entries = append(l.entries, repo.Entry{
		ExtID: x.ID(), CurrentVersion: current.Version, Icon: icon, Describe: current.Description,
		DateCreated: repo.FormatDate(x.Released), LastUpdate: repo.FormatDate(current.Updated),
	})
	return nil
}

// universal returns the versions that have a package for all platforms, newest first. It warns
// about the others.
func (l *layout) universal(x *catalog.Extension) (found []*catalog.Version) {
	for first := 0; first < len(x.Versions); {
		var platforms []string
		v := &x.Versions[first]
		for ; first < len(x.Versions) && x.Versions[first].Version == v.Version; first++ {
			if platform := x.Versions[first].Platform; platform != "" {
				platforms = append(platforms, platform)
			} else {
				found = append(found, &x.Versions[first])
			}
		}
		if len(found) == 0 || found[len(found)-1].Version != v.Version {
			l.warn("%s@%s is left out: it has no universal package, only %s", x.ID(), v.Version, strings.Join(platforms, ", "))
		}
	}
	return found
}

// addVersion adds a version. Its path has the name of the extension, which clients use, even if
// the version spells it differently.
func (l *layout) addVersion(x *catalog.Extension, v *catalog.Version) {
	l.keys[catalog.Key(x.Publisher.Name, x.Name, v.Version, "")] = true
	l.packages = append(l.packages, l.object(repo.PackagePath(x.Name, v.Version), v.Package))
	readme, changelog := repo.DocumentPaths(x.Name, v.Version)
	for _, a := range v.Assets {
		switch a.Type {
		case catalog.DetailsAsset:
			l.others = append(l.others, l.object(readme, a.File))
		case catalog.ChangelogAsset:
			l.others = append(l.others, l.object(changelog, a.File))
		}
	}
}

func (l *layout) object(key string, f catalog.File) target.Object {
	return target.File(key, f.Type, target.Immutable, l.blobs.File(f.Ref), f.Ref, f.Size)
}

// icon returns a version's icon as a data URI, "" if it has none.
func (l *layout) icon(x *catalog.Extension, v *catalog.Version) (string, error) {
	i := slices.IndexFunc(v.Assets, func(a catalog.Asset) bool { return a.Type == manifest.AssetIcon })
	if i < 0 {
		return "", nil
	}
	f := v.Assets[i].File
	if f.Size > maxIcon {
		l.warn("the icon of %s is left out: it has %d bytes, more than the limit of %d", x.ID(), f.Size, maxIcon)
		return "", nil
	}
	image, err := os.ReadFile(l.blobs.File(f.Ref))
	if err != nil {
		return "", err
	}
	return "data:" + f.Type + ";base64," + base64.StdEncoding.EncodeToString(image), nil
}
