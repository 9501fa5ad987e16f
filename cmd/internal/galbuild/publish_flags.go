package galbuild

import (
	"errors"
	"fmt"

	"github.com/alecthomas/kong"

	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
)

// publishPackFlags are the flags of package, without the one that names the file to write.
type publishPackFlags struct {
	Target targetNames `short:"t" placeholder:"PLATFORM" group:"Packing:" help:"Publish a package for each of these platforms, such as linux-x64."`
	packFlags

	named         []string // names of the flags that are on the command line
	settingTarget string   // "target" of "vsce"
}

// keys returns the fields for the settings of "vsce" in package.json.
func (f *publishPackFlags) keys() map[string]setting {
	keys := f.packFlags.keys()
	keys["target"], keys["targets"] = &f.settingTarget, (*[]string)(&f.Target)
	return keys
}

// AfterApply implements Kong's hook. Flags that are set by the environment are not among the steps.
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

// vscePublish are the flags of vsce publish that are not for packing.
type vscePublish struct {
	PackagePath   packagePaths `short:"i" name:"packagePath" complete:"path" placeholder:"VSIX" help:"Publish this package, as if it were an argument."`
	SkipDuplicate bool         `help:"Skip versions that are already published, even with different content."`

	// These have no effect: any extension may use proposed APIs.
	NoVerify             bool     `name:"no-verify" hidden:""`
	AllowProposedAPIs    apiNames `name:"allow-proposed-apis" hidden:""`
	AllowAllProposedAPIs bool     `name:"allow-all-proposed-apis" hidden:""`

	// These are refused.
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
			"%s; its credentials come from the environment or the config file (-c)", targets.Hint)
	case len(v.ManifestPath)+len(v.SignaturePath)+len(v.SigzipPath) > 0:
		return hint.Add(errors.New("--manifestPath, --signaturePath and --sigzipPath: signatures are not named by flags"),
			"put the signature next to the package: x.sigzip next to x.vsix is published with it")
	}
	return nil
}

// checkPacking refuses flags for packing if nothing is packed.
func (p *publishCmd) checkPacking() error {
	if len(p.named) == 0 {
		return nil
	}
	return hint.Add(fmt.Errorf("%s is for an extension's folder, and none is published", p.named[0]), "galbuild publish DIR packages a folder; existing packages are published as they are")
}
