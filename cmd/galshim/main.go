// Galshim answers the questions editors ask of an extension gallery, from the
// index of a site that galbuild made. See galshim --help.
package main

import (
	"context"
	"os"

	"galbuild/cmd/internal/galshim"
)

func main() {
	os.Exit(galshim.Main(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}
