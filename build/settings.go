package build

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"galbuild/build/catalog"
	"galbuild/build/headers"
)

// Names of settings, which are those of their flags.
const (
	settingBaseURL    = "base-url"
	settingContentURL = "content-url"
	settingUnpack     = "unpack"
	settingSign       = "sign"
	settingFeatured   = "featured"
	settingControl    = "control"
	settingPolicy     = "policy"
	settingNoPages    = "no-pages"
	settingView       = "view" // not a flag: the command view sets it
	settingCompanions = "with"
	settingStats      = "stats" // not among catalog.Settings, but given and dropped like them
)

// Over returns the settings of s, and those of old that s does not have. The version of rendering
// is that of s.
func Over(s, old catalog.Settings) catalog.Settings {
	old.Render = s.Render
	old.BaseURL = cmp.Or(s.BaseURL, old.BaseURL)
	old.ContentURL = cmp.Or(s.ContentURL, old.ContentURL)
	old.Unpack = cmp.Or(s.Unpack, old.Unpack)
	old.Sign = cmp.Or(s.Sign, old.Sign)
	old.Policy = cmp.Or(s.Policy, old.Policy)
	old.NoPages = s.NoPages || old.NoPages
	old.View = s.View || old.View
	if len(s.Featured) > 0 {
		old.Featured = s.Featured
	}
	if s.Control != nil {
		old.Control = s.Control
	}
	if len(s.Companions) > 0 {
		old.Companions = s.Companions
	}
	return old
}

// Dropped returns the names of the settings that from has and to does not have.
func Dropped(from, to catalog.Settings) (names []string) {
	for _, d := range []struct {
		name      string
		had, lost bool
	}{
		{settingBaseURL, from.BaseURL != "", to.BaseURL == ""},
		{settingContentURL, from.ContentURL != "", to.ContentURL == ""},
		{settingSign, from.Sign != "", to.Sign == ""},
		{settingFeatured, len(from.Featured) > 0, len(to.Featured) == 0},
		{settingControl, from.Control != nil, to.Control == nil},
		{settingPolicy, from.Policy != "", to.Policy == ""},
		{settingNoPages, from.NoPages, !to.NoPages},
		{settingView, from.View, !to.View},
		{settingCompanions, len(from.Companions) > 0, len(to.Companions) == 0},
	} {
		if d.had && d.lost {
			names = append(names, d.name)
		}
	}
	return names
}

// Changed returns the names of the settings that differ.
func Changed(a, b catalog.Settings) (names []string) {
	for _, d := range []struct {
		name    string
		differs bool
	}{
		{settingBaseURL, a.BaseURL != b.BaseURL},
		{settingContentURL, a.ContentURL != b.ContentURL},
		{settingUnpack, a.Unpack != b.Unpack},
		{settingSign, a.Sign != b.Sign},
		{settingFeatured, !slices.Equal(a.Featured, b.Featured)},
		{settingControl, !reflect.DeepEqual(a.Control, b.Control)},
		{settingPolicy, a.Policy != b.Policy},
		{settingNoPages, a.NoPages != b.NoPages},
		{settingView, a.View != b.View},
		{settingCompanions, !slices.Equal(a.Companions, b.Companions)},
	} {
		if d.differs {
			names = append(names, d.name)
		}
	}
	return names
}

// Drop returns s without the settings of these names.
func Drop(s catalog.Settings, names []string) catalog.Settings {
	drop := func(name string) bool { return slices.Contains(names, name) }
	if drop(settingBaseURL) {
		s.BaseURL = ""
	}
	if drop(settingContentURL) {
		s.ContentURL = ""
	}
	if drop(settingSign) {
		s.Sign = ""
	}
	if drop(settingFeatured) {
		s.Featured = nil
	}
	if drop(settingControl) {
		s.Control = nil
	}
	if drop(settingPolicy) {
		s.Policy = ""
	}
	if drop(settingNoPages) {
		s.NoPages = false
	}
	if drop(settingView) {
		s.View = false
	}
	if drop(settingCompanions) {
		s.Companions = nil
	}
	return s
}

// keepSettings makes the settings of the run those that are given and those of the last generation,
// except the ones to drop.
func (c *Config) keepSettings(old catalog.Settings) error {
	s := Over(c.Settings, Drop(old, c.Drop))
	s.Unpack = cmp.Or(s.Unpack, "web")
	c.Settings = s
	return CheckOrigins(s)
}

// CheckOrigins refuses a content URL with the host and port of the base URL. It would not separate
// anything, since browsers distinguish hosts and ports, not paths.
func CheckOrigins(s catalog.Settings) error {
	if s.ContentURL != "" && headers.Origin(s.ContentURL) == headers.Origin(s.BaseURL) {
		return fmt.Errorf("--content-url=%s: has the host and port of --base-url=%s", s.ContentURL, s.BaseURL)
	}
	return nil
}
