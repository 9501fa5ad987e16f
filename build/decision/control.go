package decision

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	json2 "github.com/go-json-experiment/json"

	"galbuild/build/catalog"
	"galbuild/build/policy"
)

// deprecation is what a control manifest says about a deprecated extension. Without a replacement
// and a reason, it is true.
type deprecation struct {
	Extension      *replacement `json:"extension,omitempty"`
	AdditionalInfo string       `json:"additionalInfo,omitempty"`
}

type replacement struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
}

// Control returns the control manifest of a gallery: the one in its settings, with what the policy
// says about deprecated extensions, and the decisions in force. About the same extension, the
// policy is stronger than the manifest, and a decision is stronger than both. Control returns nil
// if there is none of these. Editors then do this:
//
//	malicious    refuse to install the extension, and uninstall every version of it
//	deprecated   mark the extension, show the reason, and offer the replacement
//	autoUpdate   replace an installed version up to this one by the newest that is compatible
//
// A malicious version, as opposed to a malicious extension, is in autoUpdate if the gallery serves
// a newer one.
func Control(c *catalog.Catalog, p *policy.Policy) []byte {
	s := In(c.Records, nil)
	malicious, deprecated, update := s.malicious(), s.deprecations(c, p), s.updates(c)
	if len(malicious)+len(deprecated)+len(update) == 0 {
		return c.Control
	}
	// Catalogues have only manifests that ParseControl has checked, so none of this fails.
	manifest := map[string]json.RawMessage{"malicious": json.RawMessage("[]")}
	_ = json2.Unmarshal(c.Control, &manifest)
	manifest["malicious"] = withIDs(manifest["malicious"], malicious)
	for key, add := range map[string]map[string]any{"deprecated": deprecated, "autoUpdate": update} {
		if len(add) > 0 {
			manifest[key] = withKeys(manifest[key], add)
		}
	}
	text, _ := json2.Marshal(manifest, json2.Deterministic(true))
	return text
}

// malicious returns the ids of malicious extensions.
func (s *Set) malicious() (ids []string) {
	for id, r := range s.entry {
		if r.Kind == Malicious && r.Subject.Extension != "" && r.Subject.CheckExtension() == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// deprecations returns the values of "deprecated", by id. The reasons of decisions are private.
func (s *Set) deprecations(c *catalog.Catalog, p *policy.Policy) map[string]any {
	all := make(map[string]any)
	for _, d := range p.Deprecated {
		all[d.ID] = newDeprecation(c, d.Use, d.Reason)
	}
	for id, r := range s.deprecated {
		all[id] = newDeprecation(c, r.Use, "")
	}
	return all
}

// newDeprecation returns a value of "deprecated". The extension to use instead and the reason may
// be "".
func newDeprecation(c *catalog.Catalog, use, reason string) any {
	if use == "" && reason == "" {
		return true
	}
	d := deprecation{AdditionalInfo: reason}
	if use == "" {
		return d
	}
	d.Extension = &replacement{use, use}
	if e := c.Find(use); e != nil {
		d.Extension = &replacement{e.ID(), e.Versions[0].DisplayName}
	}
	return d
}

// updates returns the values of "autoUpdate", by id: the newest malicious version of each extension
// of which the gallery serves a newer one.
func (s *Set) updates(c *catalog.Catalog) map[string]any {
	newest := make(map[string]*semver.Version)
	for _, r := range s.entry {
		v, err := semver.StrictNewVersion(r.Subject.Version)
		if r.Kind != Malicious || err != nil || !servesNewer(c.Find(r.Subject.Extension), v) {
			continue
		}
		if other := newest[r.Subject.Extension]; other == nil || v.GreaterThan(other) {
			newest[r.Subject.Extension] = v
		}
	}
	all := make(map[string]any, len(newest))
	for id, v := range newest {
		all[id] = v.Original()
	}
	return all
}

// servesNewer reports whether e, which may be nil, has a version newer than v.
func servesNewer(e *catalog.Extension, v *semver.Version) bool {
	if e == nil {
		return false
	}
	first, err := semver.StrictNewVersion(e.Versions[0].Version)
	return err == nil && first.GreaterThan(v)
}

// withIDs appends ids to a list of ids that lacks them.
func withIDs(list json.RawMessage, ids []string) json.RawMessage {
	var all []string
	_ = json2.Unmarshal(list, &all)
	for _, id := range ids {
		if !slices.ContainsFunc(all, func(other string) bool { return strings.EqualFold(id, other) }) {
			all = append(all, id)
		}
	}
	text, _ := json2.Marshal(append([]string{}, all...))
	return text
}

// withKeys returns an object, which may be nil, with more keys. They replace keys that differ only
// in case.
func withKeys(object json.RawMessage, add map[string]any) json.RawMessage {
	all := make(map[string]any)
	_ = json2.Unmarshal(object, &all)
	for id := range all {
		if _, ok := add[strings.ToLower(id)]; ok {
			delete(all, id)
		}
	}
	for id, value := range add {
		all[id] = value
	}
	text, _ := json2.Marshal(all, json2.Deterministic(true))
	return text
}
