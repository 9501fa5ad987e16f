package galbuild

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"galbuild/build/catalog"
	"galbuild/build/pack"
	"galbuild/build/pack/finding"
	"galbuild/build/pack/npm"
	"galbuild/build/pack/npm/modules"
	"galbuild/build/pack/readme"
	secrets "galbuild/build/secret"
	"galbuild/build/similar"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
)

// collectFlags select the files of a package. These flags and packFlags have the names that vsce
// gives them, in two styles.
// Source: src/main.ts of https://github.com/microsoft/vscode-vsce at 4.1.
type collectFlags struct {
	ReadmePath     string `name:"readme-path" complete:"path" placeholder:"FILE" group:"Packing:" help:"Readme, relative to the extension's folder (default: README.md)."`
	IgnoreFile     string `name:"ignoreFile" complete:"path" placeholder:"FILE" group:"Packing:" help:"File with patterns of files to leave out, relative to the extension's folder (default: .vscodeignore)."`
	Dependencies   *bool  `negatable:"" group:"Packing:" help:"Package the dependencies from node_modules (default: yes)."`
	Yarn           *bool  `negatable:"" group:"Packing:" help:"Use yarn, or npm with --no-yarn (default: the package manager that package.json or the lock file is for)."`
	FollowSymlinks *bool  `name:"follow-symlinks" group:"Packing:" help:"Follow symbolic links to folders."`
}

// packFlags are the flags for packing an extension's folder. A pointer is nil and a string is empty
// if the flag was not given; then the value of "vsce" in package.json is used.
type packFlags struct {
	collectFlags

	ChangelogPath      string `name:"changelog-path" complete:"path" placeholder:"FILE" group:"Packing:" help:"Change log, relative to the extension's folder (default: CHANGELOG.md)."`
	PreRelease         *bool  `name:"pre-release" group:"Packing:" help:"Mark the package as a pre-release."`
	IgnoreOtherTargets *bool  `name:"ignore-other-target-folders" group:"Packing:" help:"Has no effect, as with vsce."`

	NoPrepublish  bool   `name:"no-prepublish" group:"Packing:" help:"Do not run the script vscode:prepublish first."`
	Message       string `short:"m" placeholder:"TEXT" group:"Packing:" help:"Message for the commit of npm version, if VERSION is given."`
	NoGitTag      bool   `name:"no-git-tag-version" group:"Packing:" help:"Make no commit and no tag, if VERSION is given."`
	NoPackageJSON bool   `name:"no-update-package-json" group:"Packing:" help:"Change the version in the package only, not in package.json, if VERSION is given."`

	BaseContentURL     string `name:"baseContentUrl" placeholder:"URL" group:"Packing:" help:"Base URL of relative links in the readme and the change log (default: derived from the repository)."`
	BaseImagesURL      string `name:"baseImagesUrl" placeholder:"URL" group:"Packing:" help:"Base URL of relative images in the readme and the change log (default: the base URL of links)."`
	GitHubBranch       string `name:"githubBranch" placeholder:"BRANCH" group:"Packing:" help:"Branch in base URLs that are derived from the repository (default: HEAD)."`
	GitLabBranch       string `name:"gitlabBranch" placeholder:"BRANCH" group:"Packing:" help:"Another name for --githubBranch."`
	NoRewriteLinks     bool   `name:"no-rewrite-relative-links" group:"Packing:" help:"Do not change relative links."`
	NoGitHubIssueLinks bool   `name:"no-gitHubIssueLinking" group:"Packing:" help:"Do not turn issues on GitHub, such as #12, into links."`
	NoGitLabIssueLinks bool   `name:"no-gitLabIssueLinking" group:"Packing:" help:"Do not turn issues on GitLab, such as #12, into links."`

	AllowStar       *bool       `name:"allow-star-activation" group:"Packing:" help:"Do not warn if * activates the extension."`
	AllowRepository *bool       `name:"allow-missing-repository" group:"Packing:" help:"Do not warn if package.json names no repository."`
	AllowUnused     *bool       `name:"allow-unused-files-pattern" group:"Packing:" help:"Allow patterns in \"files\" that match no file."`
	SkipLicense     *bool       `name:"skip-license" group:"Packing:" help:"Do not warn if there is no licence."`
	AllowSecrets    secretNames `name:"allow-package-secrets" placeholder:"NAME" group:"Packing:" help:"Allow secrets of this kind, which a finding names in brackets. May be repeated."`
	AllowAllSecrets *bool       `name:"allow-package-all-secrets" group:"Packing:" help:"Allow secrets of all kinds."`
	AllowEnvFile    *bool       `name:"allow-package-env-file" group:"Packing:" help:"Allow .env files."`

	SignTool string `name:"sign-tool" hidden:""`

	packagedDependencies []string // of "vsce" in package.json
}

// check returns an error for flags of vsce that galbuild does not have.
func (f *packFlags) check() error {
	if f.SignTool != "" {
		return hint.Add(errors.New("--sign-tool: galbuild does not sign packages"), hintSign)
	}
	return nil
}

// ineffective returns a warning if there are flags that have no effect without a version.
func (f *packFlags) ineffective(version string) []finding.Finding {
	if version != "" || f.Message == "" && !f.NoGitTag && !f.NoPackageJSON {
		return nil
	}
	return []finding.Finding{finding.Warning("", "", "-m, --no-git-tag-version and --no-update-package-json have no effect without VERSION")}
}

// unknownSecrets returns a warning for each name that is not a kind of secret.
func (f *packFlags) unknownSecrets() (warnings []finding.Finding) {
	for _, name := range f.AllowSecrets {
		if !isSecretRule(name) {
			warnings = append(warnings, finding.Warning("", "the kinds are "+strings.Join(secrets.Rules(), ", "), "--allow-package-secrets=%s: no such kind of secret%s", name, similar.Question(name, secrets.Rules())))
		}
	}
	return warnings
}

// options returns the options for packing, without platform and version.
func (f *packFlags) options(dir string) (pack.Options, error) {
	o, err := f.collectFlags.options(dir)
	if err != nil {
		return o, err
	}
	if o.Time, err = sourceDate(); err != nil {
		return o, err
	}
	if o.Changelog, err = below(dir, "--changelog-path", f.ChangelogPath); err != nil {
		return o, err
	}
	o.PreRelease, o.PackagedDependencies = isTrue(f.PreRelease), f.packagedDependencies
	o.Links = readme.Options{
		ContentURL: f.BaseContentURL, ImagesURL: f.BaseImagesURL, GitHubBranch: f.GitHubBranch, GitLabBranch: f.GitLabBranch,
		KeepLinks: f.NoRewriteLinks, KeepGitHubIssues: f.NoGitHubIssueLinks, KeepGitLabIssues: f.NoGitLabIssueLinks,
	}
	o.AllowStar, o.AllowRepository = isTrue(f.AllowStar), isTrue(f.AllowRepository)
	o.AllowUnusedFiles, o.SkipLicense = isTrue(f.AllowUnused), isTrue(f.SkipLicense)
	o.Secrets.Allow, o.Secrets.AllowAll, o.Secrets.AllowEnv = f.AllowSecrets, isTrue(f.AllowAllSecrets), isTrue(f.AllowEnvFile)
	return o, nil
}

func (f *collectFlags) options(dir string) (o pack.Options, err error) {
	if o.Readme, err = below(dir, "--readme-path", f.ReadmePath); err != nil {
		return o, err
	}
	if err := f.readIgnore(dir, &o); err != nil {
		return o, err
	}
	if o.OnDisk, err = modules.OnDisk(dir); err != nil {
		return o, err
	}
	o.NoDependencies = f.Dependencies != nil && !*f.Dependencies
	o.Yarn, o.FollowLinks = f.Yarn, isTrue(f.FollowSymlinks)
	return o, nil
}

// readIgnore reads the list that is used instead of .vscodeignore. Several extensions may share
// it, so it may be outside of the extension's folder.
func (f *collectFlags) readIgnore(dir string, o *pack.Options) (err error) {
	if f.IgnoreFile == "" {
		return nil
	}
	file := f.IgnoreFile
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	o.IgnoreFile = f.IgnoreFile
	if o.Ignore, err = targets.ReadSmallFile(file, maxList); err != nil {
		return hint.Add(fmt.Errorf("--ignoreFile=%s: %w", f.IgnoreFile, err), "the path is relative to the extension's folder")
	}
	return nil
}

// maxList is the largest size of a list of files to leave out, in bytes.
const maxList = 1 << 20

func isTrue(b *bool) bool { return b != nil && *b }

// below returns the path of a file relative to dir, with slashes. The path in the flag is absolute
// or relative to dir. It is an error if the file is not in dir.
func below(dir, flag, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	rel := name
	if filepath.IsAbs(name) {
		root, err := filepath.Abs(dir)
		if err != nil {
			return "", err
		}
		if rel, err = filepath.Rel(root, name); err != nil {
			return "", err
		}
	}
	if !filepath.IsLocal(rel) {
		return "", hint.Add(fmt.Errorf("%s=%s: is not in the extension's folder %s", flag, name, dir), "copy the file into that folder; the path is relative to it")
	}
	return filepath.ToSlash(filepath.Clean(rel)), nil
}

// sourceDate returns the time of SOURCE_DATE_EPOCH, or zero if the variable is not set.
// Source: https://reproducible-builds.org/specs/source-date-epoch/.
func sourceDate() (time.Time, error) {
	s := os.Getenv("SOURCE_DATE_EPOCH")
	if s == "" {
		return time.Time{}, nil
	}
	seconds, err := strconv.ParseInt(s, 10, 64)
	if err != nil || seconds < 0 {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH: want seconds since 1970, got %q", s)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// secretNames, targetNames, packagePaths and apiNames are flags that take several words.
type (
	secretNames  []string
	targetNames  []string
	packagePaths []string
	apiNames     []string
)

// Decode implements kong.MapperValue.
func (s *secretNames) Decode(c *kong.DecodeContext) error {
	return decodeWords(c, (*[]string)(s), isSecretRule)
}

// Decode implements kong.MapperValue.
func (t *targetNames) Decode(c *kong.DecodeContext) error {
	return decodeWords(c, (*[]string)(t), isTarget)
}

// Decode implements kong.MapperValue.
func (p *packagePaths) Decode(c *kong.DecodeContext) error {
	return decodeWords(c, (*[]string)(p), isPackagePath)
}

// Decode implements kong.MapperValue.
func (a *apiNames) Decode(c *kong.DecodeContext) error {
	return decodeWords(c, (*[]string)(a), isAPIName)
}

// decodeWords reads the words of a flag. They may be separated by commas, or by spaces as for
// vsce, and the flag may be repeated. After a space, a word belongs to the flag only if isWord
// returns true, because it may be an argument of the command.
func decodeWords(c *kong.DecodeContext, words *[]string, isWord func(string) bool) error {
	var first string
	if err := c.Scan.PopValueInto("word", &first); err != nil {
		return err
	}
	*words = append(*words, strings.Split(first, ",")...)
	for {
		next, ok := c.Scan.Peek().Value.(string)
		if !ok || !c.Scan.Peek().IsValue() || !isWord(next) {
			return nil
		}
		*words = append(*words, next)
		c.Scan.Pop()
	}
}

func isSecretRule(name string) bool { return slices.Contains(secrets.Rules(), name) }

func isTarget(name string) bool { return slices.Contains(catalog.Platforms(), name) }

func isPackagePath(name string) bool { return strings.EqualFold(filepath.Ext(name), ".vsix") }

// isAPIName reports whether a word may be the name of a proposed API: it is neither a file nor a
// version.
func isAPIName(word string) bool {
	_, err := os.Lstat(word)
	return err != nil && !npm.IsVersion(word) && !isPackagePath(word)
}

// checkTargets returns an error for a platform that does not exist.
func checkTargets(flag string, targets ...string) error {
	for _, t := range targets {
		if t != "" && !isTarget(t) {
			return fmt.Errorf("%s=%s: want one of %s%s", flag, t, strings.Join(catalog.Platforms(), ", "), similar.Question(t, catalog.Platforms()))
		}
	}
	return nil
}
