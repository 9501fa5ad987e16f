package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"galbuild/build/ecmascript"
	"galbuild/build/npmsemver"
)

// CheckEditors refuses a package that every editor refuses after the download. Editors read
// package.json from the .vsix file itself, so a gallery cannot correct it. [ParsePackage] checks
// the first rules, and CheckEditors the last, in the order of the editor:
//
//   - the text is decoded as UTF-8 and parsed with JSON.parse, which fails on a byte order mark
//     and on UTF-16: "package.json is not a JSON file";
//   - publisher, name and version must be those of the gallery: "manifest mismatch with
//     Marketplace". The publisher in extension.vsixmanifest is not read;
//   - publisher, name, version and engines.vscode must be strings; extensionDependencies and
//     activationEvents, if present, lists of strings; main and browser, if present, strings;
//     null is not allowed; activationEvents need main or browser; version must be valid for
//     node-semver; engines.vscode must be valid for [CheckEngine] and begin with a number, or it
//     must be * and there must be neither main nor browser: "Cannot read the extension".
//
// Newer editors also require extensionAffinity to be a list of strings. It is not checked, because
// older editors ignore it.
//
// Sources: getManifest, downloadAndExtractGalleryExtension and validateExtensionManifest, whose
// errors make the scanner leave the extension out, in
// https://github.com/microsoft/vscode/blob/1.100.0/src/vs/platform/extensionManagement/node/extensionManagementUtil.ts
// https://github.com/microsoft/vscode/blob/1.100.0/src/vs/platform/extensionManagement/node/extensionManagementService.ts
// https://github.com/microsoft/vscode/blob/1.100.0/src/vs/platform/extensions/common/extensionValidator.ts
//
// The end-to-end test TestEditor of package vsix installs a package of each kind with code-server.
func (p *Package) CheckEditors() error {
	for _, key := range []string{"extensionDependencies", "activationEvents"} {
		if p.has(key) && !allStrings(p.fields[key]) {
			return fmt.Errorf("%s is %.40s; editors want a list of strings", key, p.fields[key])
		}
	}
	for _, key := range []string{"main", "browser"} {
		if p.has(key) && !isString(p.fields[key]) {
			return fmt.Errorf("%s is %.40s; editors want a string", key, p.fields[key])
		}
	}
	code := p.has("main") || p.has("browser")
	if p.has("activationEvents") && !code {
		return errors.New("activationEvents without main or browser; editors refuse that")
	}
	return p.checkEngine(code)
}

// checkText refuses encodings that editors cannot read.
func checkText(packageJSON []byte) error {
	if plain, ok := fromMark(packageJSON); ok && len(plain) == len(packageJSON)-len(bomUTF8) {
		return errors.New("it begins with a byte order mark; editors cannot read JSON with one")
	} else if ok {
		return errors.New("it is UTF-16; editors read UTF-8")
	}
	return nil
}

func isString(raw json.RawMessage) bool { return len(raw) > 0 && raw[0] == '"' }

func allStrings(raw json.RawMessage) bool {
	var list []json.RawMessage
	err := json.Unmarshal(raw, &list)
	other := func(raw json.RawMessage) bool { return !isString(raw) }
	return err == nil && list != nil && !slices.ContainsFunc(list, other)
}

func (p *Package) checkEngine(code bool) error {
	raw, ok := p.object.object("engines").fields["vscode"]
	if !ok {
		return errors.New("engines.vscode is missing; editors refuse a package without it")
	}
	if !isString(raw) {
		return fmt.Errorf("engines.vscode is %.40s; editors want a string", raw)
	}
	text, _ := p.readString(raw)
	if err := checkEngine(text, code); err != nil {
		return fmt.Errorf("engines.vscode %.100q: %w", text, err)
	}
	return nil
}

// checkEngine refuses an engines.vscode that editors cannot parse, or that is not specific
// enough for them. They accept white space around it, but not around *.
func checkEngine(text string, code bool) error {
	trimmed := strings.TrimFunc(text, ecmascript.IsSpace)
	if err := CheckEngine(trimmed); err != nil {
		return err
	}
	m := engineForm.FindStringSubmatch(trimmed)
	switch {
	case m == nil && (code || text != trimmed):
		return errors.New("editors accept * only without main and browser; want a number, such as ^1.0.0")
	case m == nil:
		return nil
	case m[1] == "x":
		return errors.New("want a number first, such as 1.x.x")
	case strings.Trim(m[1], "0") == "" && m[2] == "x":
		return errors.New("want two numbers for editors before 1.0.0, such as 0.10.x")
	}
	return nil
}

// engineForm matches the versions that editors parse.
// Source: VERSION_REGEXP in
// https://github.com/microsoft/vscode/blob/1.100.0/src/vs/platform/extensions/common/extensionValidator.ts
var engineForm = regexp.MustCompile(`^(?:\^|>=)?([0-9]+|x)\.([0-9]+|x)\.(?:[0-9]+|x)(?:-[^\n\r\x{2028}\x{2029}]*)?$`)

// CheckEngine refuses an engines.vscode that editors and vsce cannot parse.
func CheckEngine(s string) error {
	if s == "*" || engineForm.MatchString(s) {
		return nil
	}
	return errors.New("want *, or three numbers such as ^1.90.0, >=1.90.0 or 1.90.x, " +
		"where x is any number")
}

// checkVersion refuses versions that node-semver, which every editor uses, cannot parse, such as
// one with a number above 2^53-1.
func checkVersion(version string) error {
	if _, err := npmsemver.ParseVersion(version); err != nil {
		return fmt.Errorf("version %.200q: %w", version, err)
	}
	return nil
}
