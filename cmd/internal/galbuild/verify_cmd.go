package galbuild

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"

	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
	"galbuild/render"
)

type verifyCmd struct {
	Target string `arg:"" optional:"" complete:"path" help:"The target: ${readable}."`
	targets.Flags
}

// Validate implements Kong's hook.
func (v *verifyCmd) Validate() error {
	return v.Check(v.Target)
}

// Run verifies the site, and fails if anything in it is wrong.
func (v *verifyCmd) Run(ctx context.Context, e *env) error {
	proof, err := v.verify(ctx, e)
	if err != nil {
		return err
	}
	for _, p := range proof.Problems {
		terminal.Fprintf(e.stderr, "galbuild: wrong: %s\n", p)
	}
	switch {
	case e.json:
		err = e.printJSON(proof)
	case !e.quiet && len(proof.Problems) == 0:
		_, err = terminal.Fprintf(e.stdout, "%s: generation %s is sound: %s, %s, %s served from %s (%s)\n",
			proof.Site, proof.Generation, plural(proof.Extensions, "extension"), plural(proof.Versions, "version"),
			plural(proof.Files, "file"), plural(proof.Blobs, "blob"), humanize.Bytes(uint64(proof.Bytes)))
	}
	if err != nil {
		return err
	}
	if n := len(proof.Problems); n > 0 {
		return hint.Add(fmt.Errorf("%s is damaged: %s", proof.Site, plural(n, "problem")),
			"build it from its packages into an empty folder, or put a good copy back")
	}
	return nil
}

// verify verifies a folder file by file, and another target by its own methods.
func (v *verifyCmd) verify(ctx context.Context, e *env) (*render.Proof, error) {
	if folder, ok := v.Folder(); ok {
		if err := needSite(folder); err != nil {
			return nil, err
		}
		return render.Verify(ctx, folder)
	}
	at, err := v.OpenToRead(e.target)
	if err != nil {
		return nil, err
	}
	return publish.Verify(ctx, at)
}
