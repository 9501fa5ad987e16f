package galbuild

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"galbuild/build/pack"
	"galbuild/build/pack/finding"
	"galbuild/build/pack/npm"
)

// packSettings are the flags for packing, and the keys of "vsce" in package.json. A flag takes
// precedence over the key.
type packSettings struct {
	flags *packFlags
	keys  map[string]setting // the fields for the values of the keys
}

// complete stores the keys of package.json. It returns the options for packing, and warnings
// about the flags and keys.
func (s packSettings) complete(pkg *npm.Package, dir, version string) (pack.Options, []finding.Finding, error) {
	warnings := s.flags.ineffective(version)
	flags := *s.flags
	warnings = append(warnings, applySettings(pkg.Settings, s.keys)...)
	warnings = append(warnings, s.flags.unknownSecrets()...)
	options, err := s.flags.options(dir)
	if err == nil {
		return options, warnings, nil
	}
	if _, failed := flags.options(dir); failed == nil {
		err = fmt.Errorf(`package.json: "vsce": %w`, err) // without its settings, the flags are valid
	}
	return pack.Options{}, warnings, err
}

// A setting points to the field for the value of a key of "vsce" in package.json: it is a *string,
// a **bool or a *[]string. The field is empty if the flag was not given.
type setting = any

// keys returns the fields for the settings of vsce, by vsce's names.
// Source: patchOptionsWithManifest in src/util.ts, IPackageOptions in
// src/package.ts of https://github.com/microsoft/vscode-vsce at 4.1.
func (f *packFlags) keys() map[string]setting {
	return map[string]setting{
		"readmePath": &f.ReadmePath, "changelogPath": &f.ChangelogPath, "ignoreFile": &f.IgnoreFile,
		"dependencies": &f.Dependencies, "yarn": &f.Yarn, "useYarn": &f.Yarn, "packagedDependencies": &f.packagedDependencies,
		"followSymlinks": &f.FollowSymlinks, "preRelease": &f.PreRelease, "ignoreOtherTargetFolders": &f.IgnoreOtherTargets,
		"commitMessage":  &f.Message,
		"baseContentUrl": &f.BaseContentURL, "baseImagesUrl": &f.BaseImagesURL,
		"githubBranch": &f.GitHubBranch, "gitlabBranch": &f.GitLabBranch,
		"allowStarActivation": &f.AllowStar, "allowMissingRepository": &f.AllowRepository,
		"allowUnusedFilesPattern": &f.AllowUnused, "skipLicense": &f.SkipLicense,
		"allowPackageSecrets": (*[]string)(&f.AllowSecrets), "allowPackageAllSecrets": &f.AllowAllSecrets, "allowPackageEnvFile": &f.AllowEnvFile,
	}
}

// flagOnly has keys without effect, and the flags to use instead: vsce reads these settings only
// from the command line.
var flagOnly = map[string]string{
	"gitTagVersion": "--no-git-tag-version", "updatePackageJson": "--no-update-package-json",
	"rewriteRelativeLinks": "--no-rewrite-relative-links",
	"gitHubIssueLinking":   "--no-gitHubIssueLinking", "gitLabIssueLinking": "--no-gitLabIssueLinking",
}

// ofPublish are the keys of vsce publish. Those that the command does not use have no effect.
var ofPublish = []string{
	"allowAllProposedApis", "allowProposedApis", "azureCredential", "manifestPath", "noVerify", "oidc", "packagePath", "pat",
	"signaturePath", "sigzipPath", "skipDuplicate", "target", "targets",
}

// applySettings stores the values of "vsce" whose flags were not given. It returns warnings about
// keys that are unknown, have no effect, or have a value of another type.
func applySettings(values map[string]json.RawMessage, into map[string]setting) []finding.Finding {
	var warnings []finding.Finding
	warn := func(key, hint, format string, args ...any) {
		warnings = append(warnings, finding.Warning(packageJSON, hint, "vsce."+key+": "+format, args...))
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		to, exists := into[key]
		switch {
		case flagOnly[key] != "":
			warn(key, "use the flag "+flagOnly[key], "has no effect in package.json, as with vsce")
		case key == "signTool":
			warn(key, "", "has no effect: galbuild does not sign packages")
		case !exists && !slices.Contains(ofPublish, key):
			warn(key, "", "no such setting")
		case exists && !applySetting(values[key], to):
			warn(key, "", "want %s, got %.40s", kindOf(to), values[key])
		}
	}
	return warnings
}

// applySetting stores a value if the flag was not given. It returns false if the value has another
// type.
func applySetting(value json.RawMessage, to setting) bool {
	switch to := to.(type) {
	case *string:
		return setUnless(*to != "", value, to)
	case **bool:
		return setUnless(*to != nil, value, to)
	case *[]string:
		return setUnless(len(*to) > 0, value, to)
	}
	return false
}

// setUnless decodes a value, and stores it unless the flag was given. It returns false if the value
// has another type.
func setUnless[T any](given bool, value json.RawMessage, to *T) bool {
	var v T
	if json.Unmarshal(value, &v) != nil {
		return false
	}
	if !given {
		*to = v
	}
	return true
}

// kindOf returns the type of a setting for messages.
func kindOf(to setting) string {
	switch to.(type) {
	case *string:
		return "a string"
	case **bool:
		return "true or false"
	}
	return "a list of strings"
}
