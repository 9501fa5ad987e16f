package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"galbuild/build/similar"
)

// Universal is the platform of an [ID] for packages without a target platform.
const Universal = "universal"

// ID is the name of an extension, of a version or of a package, as people write it:
//
//	publisher.name[@version][@platform]
//
// An ID without a version stands for all versions, and one without a platform for the packages
// of all platforms.
type ID struct {
	Extension string // publisher.name, or only the name
	Version   string
	Platform  string // lower case; Universal stands for the package without a target platform
}

const wantID = "want publisher.name[@version][@platform], such as acme.hello@1.2.3@linux-x64"

// ParseID parses an id. It does not check that anything has the id.
func ParseID(s string) (ID, error) {
	parts := strings.Split(s, "@")
	switch {
	case s == "":
		return ID{}, errors.New("the id is empty: " + wantID)
	case parts[0] == "":
		return ID{}, fmt.Errorf("%.200q: the extension is missing before \"@\": %s", s, wantID)
	case slices.Contains(parts, ""):
		return ID{}, fmt.Errorf("%.200q: nothing follows an \"@\": %s", s, wantID)
	case len(parts) > 3:
		return ID{}, fmt.Errorf("%.200q has %d \"@\", and an id has at most two: %s", s, len(parts)-1, wantID)
	}
	id := ID{Extension: parts[0]}
	publisher, name, ok := strings.Cut(id.Extension, ".")
	if !ok {
		publisher, name = "any", id.Extension
	}
	if err := CheckID(publisher, name); err != nil {
		return ID{}, fmt.Errorf("%.200q is not an id: %w", s, err)
	}
	if err := id.qualify(s, parts[1:]); err != nil {
		return ID{}, err
	}
	return id, nil
}

// qualify sets the version and the platform of the id s, the parts after the extension.
func (id *ID) qualify(s string, parts []string) error {
	if len(parts) > 0 && (len(parts) == 2 || isVersion(parts[0])) {
		if !isVersion(parts[0]) {
			return fmt.Errorf("%.200q: %q is not a version: %s%s", s, parts[0], wantID, withoutV(s, parts[0]))
		}
		id.Version, parts = parts[0], parts[1:]
	}
	if len(parts) == 0 {
		return nil
	}
	platform, err := ParsePlatform(parts[0])
	if err != nil {
		kind := "neither a version nor a platform"
		if id.Version != "" {
			kind = "not a platform"
		}
		return fmt.Errorf("%.200q: %q is %s: %s%s", s, parts[0], kind, wantID,
			cmp.Or(withoutV(s, parts[0]), similar.Question(parts[0], Platforms())))
	}
	id.Platform = cmp.Or(platform, Universal)
	return nil
}

// isVersion reports whether a part of an id is a version and not a platform: versions begin
// with a digit.
func isVersion(part string) bool {
	return part[0] >= '0' && part[0] <= '9' && len(part) <= maxName && !strings.ContainsFunc(part, notInVersion)
}

func notInVersion(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune(".+-", r)
}

// withoutV returns the question whether the id was to have the version 1.2.3 instead of v1.2.3, or
// "" if part is not such a version.
func withoutV(s, part string) string {
	if rest := strings.TrimPrefix(part, "v"); rest != part && rest != "" && isVersion(rest) {
		return similar.Ask([]string{strings.Replace(s, "@"+part, "@"+rest, 1)})
	}
	return ""
}

// String returns the id as [ParseID] reads it.
func (id ID) String() string {
	s := id.Extension
	for _, part := range []string{id.Version, id.Platform} {
		if part != "" {
			s += "@" + part
		}
	}
	return s
}

// Matches reports whether v, a version of its extension, is one of those that the id stands for.
func (id ID) Matches(v *Version) bool {
	return (id.Version == "" || strings.EqualFold(id.Version, v.Version)) &&
		(id.Platform == "" || id.Platform == cmp.Or(v.Platform, Universal))
}

// CheckExtension returns an error if the id names a version or a platform, where only whole
// extensions can be named.
func (id ID) CheckExtension() error {
	if id.Version != "" || id.Platform != "" {
		return fmt.Errorf("%q: want an extension without a version or platform, such as %s", id, id.Extension)
	}
	return nil
}
