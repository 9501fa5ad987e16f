package pack_test

import (
	"fmt"
	"slices"
	"strings"

	"galbuild/build/pack"
)

// An option is a command-line option of vsce.
type option struct {
	value     bool // takes a value
	list      bool // vsce ls has it
	noPackage bool // vsce package does not have it
	set       func(o *pack.Options, value string)
}

func yarn(yes bool) func(*pack.Options, string) {
	return func(o *pack.Options, _ string) { o.Yarn = &yes }
}

// vsceFlags returns the options of vsce that concern packing.
// Source: src/main.ts of https://github.com/microsoft/vscode-vsce at 4.1.
func vsceFlags() map[string]option {
	text := func(field func(*pack.Options) *string) func(*pack.Options, string) {
		return func(o *pack.Options, value string) { *field(o) = value }
	}
	yes := func(field func(*pack.Options) *bool) func(*pack.Options, string) {
		return func(o *pack.Options, _ string) { *field(o) = true }
	}
	return map[string]option{
		"--target":                      {value: true, set: text(func(o *pack.Options) *string { return &o.Platform })},
		"--ignore-other-target-folders": {set: func(*pack.Options, string) {}},
		"--readme-path":                 {value: true, list: true, set: text(func(o *pack.Options) *string { return &o.Readme })},
		"--changelog-path":              {value: true, set: text(func(o *pack.Options) *string { return &o.Changelog })},
		"--no-update-package-json":      {set: func(*pack.Options, string) {}},
		"--githubBranch":                {value: true, set: text(func(o *pack.Options) *string { return &o.Links.GitHubBranch })},
		"--gitlabBranch":                {value: true, set: text(func(o *pack.Options) *string { return &o.Links.GitLabBranch })},
		"--no-rewrite-relative-links":   {set: yes(func(o *pack.Options) *bool { return &o.Links.KeepLinks })},
		"--baseContentUrl":              {value: true, set: text(func(o *pack.Options) *string { return &o.Links.ContentURL })},
		"--baseImagesUrl":               {value: true, set: text(func(o *pack.Options) *string { return &o.Links.ImagesURL })},
		"--yarn":                        {list: true, set: yarn(true)},
		"--no-yarn":                     {list: true, set: yarn(false)},
		"--packagedDependencies":        {value: true, list: true, noPackage: true, set: func(o *pack.Options, v string) { o.PackagedDependencies = append(o.PackagedDependencies, v) }},
		"--ignoreFile":                  {value: true, list: true, set: text(func(o *pack.Options) *string { return &o.IgnoreFile })},
		"--no-gitHubIssueLinking":       {set: yes(func(o *pack.Options) *bool { return &o.Links.KeepGitHubIssues })},
		"--no-gitLabIssueLinking":       {set: yes(func(o *pack.Options) *bool { return &o.Links.KeepGitLabIssues })},
		"--dependencies":                {list: true, set: func(o *pack.Options, _ string) { o.NoDependencies = false }},
		"--no-dependencies":             {list: true, set: yes(func(o *pack.Options) *bool { return &o.NoDependencies })},
		"--pre-release":                 {set: yes(func(o *pack.Options) *bool { return &o.PreRelease })},
		"--allow-star-activation":       {set: yes(func(o *pack.Options) *bool { return &o.AllowStar })},
		"--allow-missing-repository":    {set: yes(func(o *pack.Options) *bool { return &o.AllowRepository })},
		"--allow-unused-files-pattern":  {set: yes(func(o *pack.Options) *bool { return &o.AllowUnusedFiles })},
		"--allow-package-secrets":       {value: true, set: func(o *pack.Options, v string) { o.Secrets.Allow = append(o.Secrets.Allow, v) }},
		"--allow-package-all-secrets":   {set: yes(func(o *pack.Options) *bool { return &o.Secrets.AllowAll })},
		"--allow-package-env-file":      {set: yes(func(o *pack.Options) *bool { return &o.Secrets.AllowEnv })},
		"--skip-license":                {set: yes(func(o *pack.Options) *bool { return &o.SkipLicense })},
		"--follow-symlinks":             {list: true, set: yes(func(o *pack.Options) *bool { return &o.FollowLinks })},
	}
}

// options returns the pack.Options for the arguments of vsce package.
func options(args []string) (o pack.Options, err error) {
	flags := vsceFlags()
	for i := 0; i < len(args); i++ {
		f, ok := flags[args[i]]
		switch {
		case !ok && strings.HasPrefix(args[i], "-"):
			return o, fmt.Errorf("flag %q is unknown in this test", args[i])
		case !ok:
			o.Version = args[i]
		case f.value:
			i++
			f.set(&o, args[i])
		default:
			f.set(&o, "")
		}
	}
	return o, nil
}

// argsOf returns the arguments that a command of vsce, "ls" or "package", accepts.
func argsOf(command string, args []string) (accepted []string) {
	flags := vsceFlags()
	for i := 0; i < len(args); i++ {
		f := flags[args[i]]
		end := i + 1
		if f.value {
			end++
		}
		if command == "ls" && f.list || command == "package" && !f.noPackage {
			accepted = append(accepted, args[i:end]...)
		}
		i = end - 1
	}
	return slices.Clip(accepted)
}
