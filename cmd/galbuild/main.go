// Command galbuild turns a folder of .vsix files into a gallery of VS Code
// extensions made of plain files.
package main

import "galbuild/cmd/internal/galbuild"

func main() { galbuild.Main() }
