package gallery

import (
	"cmp"

	"galbuild/build/catalog"
	"galbuild/build/jsondoc"
)

// Control is the control manifest of a gallery without malicious or deprecated extensions.
// Editors require all three members.
const Control = `{"malicious":[],"deprecated":{},"search":[]}` + "\n"

// Manifest returns the manifest of the gallery. An editor requests it from the address in its
// policy extensions.gallery.serviceUrl, and then ignores the gallery in its product.json.
// Unlike product.json, it states that packages are not signed, and no address for statistics.
// content is the address of the files of packages, or "" if it is the base URL.
//
// Source: IExtensionGalleryManifest in VS Code's extensionGalleryManifest.ts.
func Manifest(base, content string) []byte {
	m := manifest{
		Version: "1",
		Resources: []resource{
			{base + "/api/extensionquery", "ExtensionQueryService"},
			{base + "/" + LatestPath("{publisher}", "{name}"), "ExtensionLatestVersionUriTemplate"},
			{base + "/item?itemName={publisher}.{name}", "ExtensionDetailsViewUriTemplate"},
			{base + "/publishers/{publisher}", "PublisherViewUriTemplate"},
			{cmp.Or(content, base) + "/" + catalog.FilesDir + "{publisher}/{name}/{version}/{path}", "ExtensionResourceUriTemplate"},
		},
	}
	m.Capabilities.ExtensionQuery.Filtering = []value{
		{"Tag", 1}, {"ExtensionId", 4}, {"Category", 5}, {"ExtensionName", 7}, {"Target", 8},
		{"Featured", 9}, {"SearchText", 10}, {"ExcludeWithFlags", 12},
	}
	m.Capabilities.ExtensionQuery.Sorting = []value{
		{"NoneOrRelevance", 0}, {"LastUpdatedDate", 1}, {"Title", 2}, {"PublisherName", 3},
		{"InstallCount", 4}, {"AverageRating", 6}, {"PublishedDate", 10}, {"WeightedRating", 12},
	}
	m.Capabilities.ExtensionQuery.Flags = []value{
		{"None", 0}, {"IncludeVersions", 0x1}, {"IncludeFiles", 0x2}, {"IncludeCategoryAndTags", 0x4},
		{"IncludeVersionProperties", 0x10}, {"ExcludeNonValidated", 0x20}, {"IncludeAssetUri", 0x80},
		{"IncludeStatistics", 0x100}, {"IncludeLatestVersionOnly", 0x200}, {"Unpublished", 0x1000},
		{"IncludeLatestPrereleaseAndStableVersionOnly", 0x10000},
	}
	text, err := jsondoc.Line(m)
	if err != nil {
		panic(err) // a struct of strings and numbers can always be encoded
	}
	return text
}

type manifest struct {
	Version      string     `json:"version"`
	Resources    []resource `json:"resources"`
	Capabilities struct {
		ExtensionQuery struct {
			Filtering []value `json:"filtering"`
			Sorting   []value `json:"sorting"`
			Flags     []value `json:"flags"`
		} `json:"extensionQuery"`
		Signing struct {
			AllPublicRepositorySigned  bool `json:"allPublicRepositorySigned"`
			AllPrivateRepositorySigned bool `json:"allPrivateRepositorySigned"`
		} `json:"signing"`
	} `json:"capabilities"`
}

type resource struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

type value struct {
	Name  string `json:"name"`
	Value int    `json:"value"`
}
