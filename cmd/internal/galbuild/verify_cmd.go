package galbuild

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"

	"galbuild/cmd/internal/hint"
	"galbuild/render"
)

type verifyCmd struct {
	Site string `arg:"" default:"site" help:"The site's folder (default: ${default})."`
}

// Run proves the site, and fails if anything in it is not what it should be.
func (v *verifyCmd) Run(ctx context.Context, e *env) error {
	proof, err := render.Verify(ctx, v.Site)
	if err != nil {
		return err
	}
	for _, p := range proof.Problems {
		fmt.Fprintf(e.stderr, "galbuild: wrong: %s\n", p)
	}
	switch {
	case e.json:
		err = e.printJSON(proof)
	case !e.quiet && len(proof.Problems) == 0:
		_, err = fmt.Fprintf(e.stdout, "%s: generation %s is sound: %s, %s, %s served from %s (%s)\n",
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
