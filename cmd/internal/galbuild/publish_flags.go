package galbuild

import (
	"errors"
	"fmt"

	"github.com/alecthomas/kong"

	"galbuild/cmd/internal/hint"
)

// publishPackFlags are those of package, but for the one that says where to.
type publishPackFlags struct {
	Target targetNames `short:"t" placeholder:"PLATFORM" group:"Packing:" help:"Make a package for each of these platforms."`
	packFlags

	named         []string // names of those that are on the command line
	settingTarget string   // "target" of "vsce"
}

// keys returns where the settings of "vsce" in package.json are stored.
func (f *publishPackFlags) keys() map[string]setting {
	all := f.packFlags.keys()
	all["target"], all["targets"] = &f.settingTarget, (*[]string)(&f.Target)
	return all
}

// AfterApply implements Kong's hook. What the environment says does not count.
func (f *publishPackFlags) AfterApply(c *kong.Context) error {
	for _, step := range c.Path {
		if step.Flag != nil && step.Flag.Group != nil && step.Flag.Group.Key == packingGroup {
			f.named = append(f.named, "--"+step.Flag.Name)
		}
	}
	return nil
}

// packingGroup is the group of all flags for packing.
const packingGroup = "Packing:"

// vscePublish are flags of vsce publish besides those for packing.
type vscePublish struct {
	PackagePath   packagePaths `short:"i" name:"packagePath" placeholder:"VSIX" help:"Publish this package, as if it were an argument."`
	SkipDuplicate bool         `help:"Skip packages whose version is published already, even with different content."`

	// Without effect: any extension may use proposed APIs.
	NoVerify             bool     `name:"no-verify" hidden:""`
	AllowProposedAPIs    apiNames `name:"allow-proposed-apis" hidden:""`
	AllowAllProposedAPIs bool     `name:"allow-all-proposed-apis" hidden:""`

	// Refused.
	Token           string   `short:"p" name:"pat" hidden:"" env:"-"`
	AzureCredential bool     `name:"azure-credential" hidden:""`
	OIDC            bool     `name:"oidc" hidden:""`
	ManifestPath    []string `name:"manifestPath" hidden:""`
	SignaturePath   []string `name:"signaturePath" hidden:""`
	SigzipPath      []string `name:"sigzipPath" hidden:""`
}

func (v *vscePublish) check() error {
	switch {
	case v.Token != "" || v.AzureCredential || v.OIDC:
		return hint.Add(errors.New("--pat, --azure-credential and --oidc are for the Marketplace, and this publishes to a gallery of your own"),
			"name the target with -o, --s3, --oss, --artifactory, --dropbox or -c; its credentials come from the environment or the file of -c")
	case len(v.ManifestPath)+len(v.SignaturePath)+len(v.SigzipPath) > 0:
		return hint.Add(errors.New("--manifestPath, --signaturePath and --sigzipPath: a signature is not named by a flag"),
			"put it beside the package: x.sigzip beside x.vsix is taken over")
	}
	return nil
}

// checkPacking refuses flags for packing where nothing is packed.
func (p *publishCmd) checkPacking() error {
	if len(p.named) == 0 {
		return nil
	}
	return hint.Add(fmt.Errorf("%s: packs an extension's folder, and none is published", p.named[0]), "galbuild publish DIR packs one; made packages stay as they are")
}
