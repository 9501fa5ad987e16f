// Command galshim responds to the queries of editors, from the index of a gallery of VS Code
// extensions that galbuild made.
package main

import (
	"context"
	"os"

	"galbuild/cmd/internal/galshim"
)

func main() {
	os.Exit(galshim.Main(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}
