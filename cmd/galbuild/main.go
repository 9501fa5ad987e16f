// Command galbuild makes a gallery of VS Code extensions, a tree of plain files, out of .vsix
// files.
package main

import "galbuild/cmd/internal/galbuild"

func main() { galbuild.Main() }
