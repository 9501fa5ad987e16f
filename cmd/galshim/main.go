// Command galshim answers the queries of editors to a gallery of VS Code extensions, from the
// index of a site that galbuild made.
package main

import (
	"context"
	"os"

	"galbuild/cmd/internal/galshim"
)

func main() {
	os.Exit(galshim.Main(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}
