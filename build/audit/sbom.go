package audit

import (
	"io"
	"strconv"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/google/uuid"
	"github.com/package-url/packageurl-go"

	"galbuild/build/blob"
	"galbuild/build/catalog"
)

// specVersion is the version of CycloneDX that is written. Not all tools read later ones yet.
const specVersion = cyclonedx.SpecVersion1_6

// WriteSBOM writes the versions as components of a CycloneDX bill of materials in JSON, and the npm
// packages in a version as its components. Versions that are not served have the scope excluded.
// program is the version of this program.
//
// The serial number and the time depend on the report only, so that the same gallery has the same
// bill of materials.
func (r *Report) WriteSBOM(to io.Writer, program string) error {
	components := make([]cyclonedx.Component, len(r.Versions))
	decisions := make(map[blob.Ref]*Decision, len(r.Decisions))
	for i := range r.Decisions {
		decisions[r.Decisions[i].ID] = &r.Decisions[i]
	}
	for i := range r.Versions {
		components[i] = r.Versions[i].component(decisions)
	}
	bom := cyclonedx.NewBOM()
	bom.SerialNumber = uuid.NewSHA1(uuid.NameSpaceURL, []byte(r.Target+"\n"+r.Generation)).URN()
	bom.Metadata = &cyclonedx.Metadata{
		Tools: &cyclonedx.ToolsChoice{Components: &[]cyclonedx.Component{{
			Type: cyclonedx.ComponentTypeApplication, Name: "galbuild", Version: program,
		}}},
		Component: &cyclonedx.Component{
			BOMRef: "gallery", Type: cyclonedx.ComponentTypePlatform, Name: r.Target, Version: r.Generation,
		},
	}
	if r.History != nil {
		bom.Metadata.Timestamp = date(r.History.When)
	}
	bom.Components = &components
	return cyclonedx.NewBOMEncoder(to, cyclonedx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).EncodeVersion(bom, specVersion)
}

func (v *Version) component(decisions map[blob.Ref]*Decision) cyclonedx.Component {
	id, rest, _ := strings.Cut(v.ID, "@")
	version, platform, _ := strings.Cut(rest, "@")
	publisher, name, _ := strings.Cut(id, ".")
	c := cyclonedx.Component{
		Type: cyclonedx.ComponentTypeApplication, Group: publisher, Name: name, Version: version,
		PackageURL: packageURL(publisher, name, version, platform),
		Hashes:     &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: v.SHA256.String()}},
		Scope:      cyclonedx.ScopeRequired,
	}
	c.BOMRef = c.PackageURL + "#" + v.SHA256.String()[:16] // an id can have had several packages
	if !v.Served {
		c.Scope = cyclonedx.ScopeExcluded
	}
	if v.Licence != "" {
		c.Licenses = &cyclonedx.Licenses{{Expression: v.Licence}}
	}
	properties := v.properties(decisions)
	c.Properties = &properties
	var from []cyclonedx.ExternalReference
	for _, s := range v.Sources {
		if s.URL != "" {
			from = append(from, distribution(s))
		}
	}
	if from != nil {
		c.ExternalReferences = &from
	}
	if len(v.Bundled) > 0 {
		bundled := make([]cyclonedx.Component, len(v.Bundled))
		for i, b := range v.Bundled {
			bundled[i] = npmComponent(b)
		}
		c.Components = &bundled
	}
	return c
}

// distribution returns the address of a source, with the upstream that it was collected from and
// the hash that that states.
func distribution(s catalog.Source) cyclonedx.ExternalReference {
	r := cyclonedx.ExternalReference{Type: cyclonedx.ERTypeDistribution, URL: s.URL}
	if s.Upstream != "" {
		r.Comment = "collected from " + s.Upstream
	}
	if !s.StatedSHA256.IsZero() {
		r.Hashes = &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: s.StatedSHA256.String()}}
	}
	return r
}

// npmComponent returns the component of an npm package in a version.
func npmComponent(b catalog.Bundled) cyclonedx.Component {
	scope, name, scoped := strings.Cut(b.Name, "/")
	if !scoped {
		scope, name = "", b.Name
	}
	c := cyclonedx.Component{
		Type: cyclonedx.ComponentTypeLibrary, Group: scope, Name: name, Version: b.Version,
		PackageURL: packageurl.NewPackageURL(packageurl.TypeNPM, scope, name, b.Version, nil, "").ToString(),
	}
	if b.Licence != "" {
		c.Licenses = &cyclonedx.Licenses{{Expression: b.Licence}}
	}
	return c
}

// properties returns what CycloneDX has no fields for.
func (v *Version) properties(decisions map[blob.Ref]*Decision) (all []cyclonedx.Property) {
	add := func(name, value string) {
		if value != "" {
			all = append(all, cyclonedx.Property{Name: "galbuild:" + name, Value: value})
		}
	}
	add("served", strconv.FormatBool(v.Served))
	add("signed", strconv.FormatBool(v.Signed))
	if v.First != nil {
		add("first-served", date(v.First.When))
		add("first-generation", v.First.Generation)
	}
	if v.Last != nil {
		add("last-generation", v.Last.Generation)
	}
	add("served-until", date(v.Until))
	for _, s := range v.Sources {
		add("source", s.Path)
		add("upstream", s.Upstream)
	}
	for _, ref := range v.Decisions {
		if d := decisions[ref]; d != nil {
			add("decision", d.Text())
		}
	}
	return all
}

// packageURL returns the package URL of a version.
//
// Source: https://github.com/package-url/purl-spec, types/vscode-extension-definition.json
func packageURL(publisher, name, version, platform string) string {
	var qualifiers packageurl.Qualifiers
	if platform != "" {
		qualifiers = packageurl.Qualifiers{{Key: "platform", Value: platform}}
	}
	return packageurl.NewPackageURL(packageurl.TypeVSCodeExtension, publisher, name, version, qualifiers, "").ToString()
}

// Text returns a decision in one line.
func (d *Decision) Text() string {
	text := d.Kind + " " + d.Subject + ", " + date(d.When)
	for _, more := range []struct{ before, value string }{{" by ", d.By}, {", use ", d.Use}, {": ", d.Reason}} {
		if more.value != "" {
			text += more.before + more.value
		}
	}
	return text
}
