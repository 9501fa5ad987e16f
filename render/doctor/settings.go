package doctor

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/tidwall/gjson"

	"galbuild/build/jsonc"
)

// MaxSettings is the size of the largest file of settings that is read.
const MaxSettings = 4 << 20

// Names of each setting, in product.json and EXTENSIONS_GALLERY, VSCodium's variables, and the
// settings of Windsurf, Antigravity and GitLab.
var (
	serviceNames = []string{
		"serviceUrl", "VSCODE_GALLERY_SERVICE_URL", "windsurf.marketplaceExtensionGalleryServiceURL",
		"antigravity.marketplaceExtensionGalleryServiceURL", "service_url",
	}
	itemNames = []string{
		"itemUrl", "VSCODE_GALLERY_ITEM_URL", "windsurf.marketplaceGalleryItemURL", "antigravity.marketplaceGalleryItemURL", "item_url",
	}
	resourceNames = []string{"resourceUrlTemplate", "VSCODE_GALLERY_RESOURCE_URL_TEMPLATE", "resource_url_template"}
	latestNames   = []string{"extensionUrlTemplate", "VSCODE_GALLERY_EXTENSION_URL_TEMPLATE"}
	controlNames  = []string{"controlUrl", "VSCODE_GALLERY_CONTROL_URL"}
	// policyNames are those of VS Code and Cursor. Their values are the address of a
	// manifest, or a service URL.
	policyNames = []string{"ExtensionGalleryServiceUrl", "extensions.gallery.serviceUrl"}
)

// ErrNoSettings is returned for a text without the address of a gallery.
var ErrNoSettings = errors.New("has no address of a gallery")

// ParseSettings returns the addresses in the settings of an editor. The text is a product.json, the
// value of EXTENSIONS_GALLERY, settings.json, a policy, or lines that set variables, such as those
// that galbuild config prints.
func ParseSettings(name string, text []byte) (Gallery, error) {
	values, err := settingValues(name, text)
	if err != nil {
		return Gallery{}, err
	}
	first := func(names []string) string {
		for _, n := range names {
			if v := values[n]; v != "" {
				return v
			}
		}
		return ""
	}
	g := Gallery{
		Service: first(serviceNames), Item: first(itemNames), Publisher: values["publisherUrl"], Resource: first(resourceNames),
		Latest: first(latestNames), Control: first(controlNames),
	}
	policy := first(policyNames)
	switch {
	case g.Service == "" && policy == "":
		return Gallery{}, fmt.Errorf("%s: %w; it is the key serviceUrl, or ExtensionGalleryServiceUrl in a policy", name, ErrNoSettings)
	case g.Service == "":
		if g, err = ParseURL(policy); err != nil {
			return Gallery{}, fmt.Errorf("%s: ExtensionGalleryServiceUrl: %w", name, err)
		}
		return g, nil
	}
	if err := checkAddress("serviceUrl", g.Service); err != nil {
		return Gallery{}, fmt.Errorf("%s: %w", name, err)
	}
	return g, nil
}

// settingValues returns the values of a JSON document, or of lines that set variables.
func settingValues(name string, text []byte) (map[string]string, error) {
	values := make(map[string]string)
	if plain := bytes.TrimSpace(comments.ReplaceAll(text, nil)); bytes.HasPrefix(plain, []byte("{")) {
		document, err := jsonc.Parse(name, plain)
		if err != nil {
			return nil, err
		}
		document.Root.Standardize()
		collect(values, gjson.ParseBytes(document.Root.Pack()))
		return values, nil
	}
	for _, m := range variable.FindAllSubmatch(text, -1) {
		value := strings.Trim(strings.TrimRight(string(m[2]), "\r"), `'"`)
		if strings.HasPrefix(value, "{") && gjson.Valid(value) {
			collect(values, gjson.Parse(value))
			continue
		}
		values[string(m[1])] = cmp.Or(values[string(m[1])], value)
	}
	return values, nil
}

var (
	comments = regexp.MustCompile(`(?m)^[ \t]*#.*$`)
	variable = regexp.MustCompile(`(?m)^[ \t]*(?:export[ \t]+|-[ \t]+)?([A-Za-z_][A-Za-z0-9_.]*)[ \t]*[:=][ \t]*(\S.*?)[ \t]*$`)
)

// collect adds the texts in an object, and in objects in it, to values by their keys. The first of
// several with the same key is kept.
func collect(values map[string]string, object gjson.Result) {
	object.ForEach(func(key, value gjson.Result) bool {
		switch {
		case value.Type == gjson.String:
			values[key.String()] = cmp.Or(values[key.String()], value.String())
		case value.IsObject():
			collect(values, value)
		}
		return true
	})
}

// checkSettings checks what an editor would read.
func checkSettings(_ context.Context, x *examination) outcome {
	if !x.Settings {
		return skip("no --settings")
	}
	g := x.at
	var problems, lines []string
	problem := func(line, format string, args ...any) {
		problems, lines = append(problems, fmt.Sprintf(format, args...)), append(lines, line)
	}
	if strings.HasSuffix(g.Service, "/") {
		problem(fmt.Sprintf("settings: \"serviceUrl\": %q", strings.TrimRight(g.Service, "/")), "serviceUrl ends with a slash, so requests have two")
	}
	for _, a := range []struct{ key, value string }{{"itemUrl", g.Item}, {"resourceUrlTemplate", g.Resource}, {"extensionUrlTemplate", g.Latest}, {"controlUrl", g.Control}} {
		if a.value == "" {
			continue
		}
		if err := checkAddress(a.key, a.value); err != nil {
			problem("settings: write "+a.key+" as https://HOST/…", "%s", err)
		}
	}
	if missing := missingPlaceholders(g.Resource, "{publisher}", "{name}", "{version}", "{path}"); missing != "" {
		problem(`settings: "resourceUrlTemplate": "https://HOST/files/{publisher}/{name}/{version}/{path}"`, "resourceUrlTemplate lacks %s", missing)
	}
	if missing := missingPlaceholders(g.Latest, "{publisher}", "{name}"); missing != "" {
		problem(`settings: "extensionUrlTemplate": "https://HOST/api/vscode/{publisher}/{name}/latest"`, "extensionUrlTemplate lacks %s", missing)
	}
	if len(problems) > 0 {
		return fail(lines, "%s", strings.Join(problems, "; "))
	}
	if g.Resource == "" {
		return warn(mend(`settings: "resourceUrlTemplate": "https://HOST/files/{publisher}/{name}/{version}/{path}"`),
			"there is no resourceUrlTemplate, so web extensions cannot be installed and themes cannot be browsed")
	}
	return ok("serviceUrl is %s", g.Service)
}

// missingPlaceholders returns those that a template lacks, or "" for an empty template.
func missingPlaceholders(template string, placeholders ...string) string {
	var missing []string
	for _, p := range placeholders {
		if template != "" && !strings.Contains(template, p) {
			missing = append(missing, p)
		}
	}
	return strings.Join(missing, ", ")
}
