package gallery

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"galbuild/build/catalog"
	"galbuild/index"
	"galbuild/render/splice"
)

// A fragment is the JSON of one extension up to its statistics, with placeholders for the base URL.
type fragment struct {
	json         []byte
	placeholders []splice.Placeholder
}

// payload returns the fragment as the index stores it.
func (p *fragment) payload() index.Payload {
	ends := make([]uint32, len(p.placeholders))
	for i, h := range p.placeholders {
		ends[i] = uint32(h.End)
	}
	return index.Payload{JSON: p.json, Placeholders: ends}
}

// render returns the JSON of an extension in a response, with these versions. The fields and
// their order are those of Microsoft's gallery. The last one, the statistics, and the brace after
// it are left out, see appendStatistics.
func render(e *catalog.Extension, versions []catalog.Version) *fragment {
	const typical = 4 << 10 // bytes of a version
	p := &fragment{json: make([]byte, 0, typical*len(versions))}
	newest := &versions[0]
	p.raw(`{"publisher":`)
	p.publisher(&e.Publisher)
	p.field("extensionId", e.UUID)
	p.field("extensionName", e.Name)
	p.field("displayName", newest.DisplayName)
	p.field("flags", extensionFlags(newest.Preview))
	p.date("lastUpdated", e.Updated)
	p.date("publishedDate", e.Published)
	p.date("releaseDate", e.Released)
	p.field("shortDescription", newest.Description)
	p.raw(`,"versions":[`)
	for i := range versions {
		p.comma(i)
		p.version(e, &versions[i])
	}
	p.raw(`]`)
	p.list("categories", newest.Categories)
	p.list("tags", newest.Tags)
	return p
}

func (p *fragment) publisher(of *catalog.Publisher) {
	p.raw(`{"publisherId":`)
	p.str(of.ID)
	p.field("publisherName", of.Name)
	p.field("displayName", of.DisplayName)
	if of.Domain == "" {
		p.raw(`,"domain":null`)
	} else {
		p.field("domain", of.Domain)
	}
	p.raw(`,"isDomainVerified":` + strconv.FormatBool(of.Domain != "" && of.Verified) + `}`)
}

func (p *fragment) version(e *catalog.Extension, v *catalog.Version) {
	dir := "/" + catalog.AssetsDir + urlPath(catalog.VersionDir(e.Publisher.Name, e.Name, v.Version, v.Platform))
	p.raw(`{"version":`)
	p.str(v.Version)
	if v.Platform != "" {
		p.field("targetPlatform", v.Platform)
	}
	p.field("flags", "validated")
	p.date("lastUpdated", v.Updated)
	p.raw(`,"files":[`)
	for i, a := range listed(v.Assets) {
		p.comma(i)
		p.raw(`{"assetType":`)
		p.str(a.Type)
		p.raw(`,`)
		p.url(sourcePlaceholder, dir+"/"+a.Type)
		p.raw(`}`)
	}
	p.raw(`],"properties":[`)
	for i, property := range properties(v) {
		p.comma(i)
		p.raw(`{"key":`)
		p.str(property.Key)
		p.field("value", property.Value)
		p.raw(`}`)
	}
	p.raw(`],`)
	p.url(assetPlaceholder, dir)
	p.raw(`,`)
	p.url(fallbackPlaceholder, dir)
	p.raw(`}`)
}

// listed returns the assets that editors request: not those of the gallery itself.
func listed(assets []catalog.Asset) []catalog.Asset {
	return slices.DeleteFunc(slices.Clone(assets), func(a catalog.Asset) bool { return catalog.IsOwnAsset(a.Type) })
}

// properties returns the properties of a version. A version without a genuine signature is
// marked as one of a private gallery. Without the mark, VS Code 1.100 and later disables its
// Install button, and builds that verify signatures refuse it.
func properties(v *catalog.Version) []catalog.Property {
	const private = "PrivateMarketplace"
	all := slices.DeleteFunc(slices.Clone(v.Properties), func(p catalog.Property) bool { return p.Key == private })
	if !v.Signed {
		all = append(all, catalog.Property{Key: private, Value: "true"})
	}
	return all
}

func (p *fragment) raw(s string) { p.json = append(p.json, s...) }

func (p *fragment) str(s string) { p.json = gjson.AppendJSONString(p.json, s) }

func (p *fragment) comma(i int) {
	if i > 0 {
		p.raw(`,`)
	}
}

// field writes a member that is not the first of its object.
func (p *fragment) field(key, value string) {
	p.raw(`,"` + key + `":`)
	p.str(value)
}

func (p *fragment) date(key string, t time.Time) {
	p.field(key, t.UTC().Format(time.RFC3339))
}

func (p *fragment) list(key string, values []string) {
	p.raw(`,"` + key + `":[`)
	for i, v := range values {
		p.comma(i)
		p.str(v)
	}
	p.raw(`]`)
}

// url writes a member whose value is the base URL and a path. The path must not contain characters
// that are escaped in JSON.
func (p *fragment) url(kind int, path string) {
	p.json = appendPlaceholder(p.json, kind)
	p.placeholders = append(p.placeholders, splice.Placeholder{Kind: kind, End: len(p.json)})
	p.raw(path + `"`)
}

// urlPath escapes the plus sign, which versions may contain, because object stores decode a plus
// sign in a path to a space.
func urlPath(path string) string { return strings.ReplaceAll(path, "+", "%2B") }
