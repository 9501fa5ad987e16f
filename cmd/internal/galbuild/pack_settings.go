package galbuild

import (
	"encoding/json"
	"maps"
	"slices"

	"galbuild/build/pack/finding"
)

// A setting is where a key of "vsce" in package.json goes: *string, **bool or
// *[]string, each empty if the command line did not say.
type setting = any

// settings are the keys that vsce knows, by its own names.
// Source: patchOptionsWithManifest in src/util.ts, IPackageOptions in
// src/package.ts of https://github.com/microsoft/vscode-vsce at 4.1.
func (f *packFlags) settings() map[string]setting {
	return map[string]setting{
		"readmePath": &f.ReadmePath, "changelogPath": &f.ChangelogPath, "ignoreFile": &f.IgnoreFile,
		"dependencies": &f.Dependencies, "yarn": &f.Yarn, "useYarn": &f.Yarn, "packagedDependencies": &f.only,
		"followSymlinks": &f.FollowSymlinks, "preRelease": &f.PreRelease, "ignoreOtherTargetFolders": &f.IgnoreOtherTargets,
		"commitMessage":  &f.Message,
		"baseContentUrl": &f.BaseContentURL, "baseImagesUrl": &f.BaseImagesURL,
		"githubBranch": &f.GitHubBranch, "gitlabBranch": &f.GitLabBranch,
		"allowStarActivation": &f.AllowStar, "allowMissingRepository": &f.AllowRepository,
		"allowUnusedFilesPattern": &f.AllowUnused, "skipLicense": &f.SkipLicense,
		"allowPackageSecrets": (*[]string)(&f.AllowSecrets), "allowPackageAllSecrets": &f.AllowAllSecrets, "allowPackageEnvFile": &f.AllowEnvFile,
	}
}

// flagOnly are keys without effect: vsce takes them from the command line only,
// where they are a flag --no-….
var flagOnly = map[string]string{
	"gitTagVersion": "--no-git-tag-version", "updatePackageJson": "--no-update-package-json",
	"rewriteRelativeLinks": "--no-rewrite-relative-links",
	"gitHubIssueLinking":   "--no-gitHubIssueLinking", "gitLabIssueLinking": "--no-gitLabIssueLinking",
}

// elsewhere are keys that mean something to vsce publish, and nothing here.
var elsewhere = []string{
	"allowAllProposedApis", "allowProposedApis", "azureCredential", "manifestPath", "noVerify", "oidc", "packagePath", "pat",
	"signaturePath", "sigzipPath", "skipDuplicate", "target", "targets",
}

// applySettings takes over what "vsce" says and the command line does not.
func applySettings(values map[string]json.RawMessage, into map[string]setting) []finding.Finding {
	var odd []finding.Finding
	warn := func(key, way, format string, args ...any) {
		odd = append(odd, finding.Warning("package.json", way, "vsce."+key+": "+format, args...))
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		to, known := into[key]
		switch {
		case flagOnly[key] != "":
			warn(key, "use the flag "+flagOnly[key], "has no effect in package.json, as with vsce")
		case key == "signTool":
			warn(key, "", "has no effect: packages are not signed here")
		case !known && !slices.Contains(elsewhere, key):
			warn(key, "", "no such setting")
		case known && !applySetting(values[key], to):
			warn(key, "", "want %s, got %.40s", kindOf(to), values[key])
		}
	}
	return odd
}

// applySetting returns false if the value is of another type.
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

// setUnless decodes the value, and sets it unless the command line said so already.
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

func kindOf(to setting) string {
	switch to.(type) {
	case *string:
		return "a string"
	case **bool:
		return "true or false"
	}
	return "a list of strings"
}
