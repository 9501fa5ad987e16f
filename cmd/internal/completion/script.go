package completion

import (
	_ "embed"
	"strings"
)

// The scripts have PROGRAM where the name of the program belongs.
var (
	//go:embed script.bash
	bash string
	//go:embed script.zsh
	zsh string
	//go:embed script.fish
	fish string
)

// Script returns the script for "bash", "zsh" or "fish" that completes command lines of a program,
// or "" for another shell.
func Script(shell, program string) string {
	script := map[string]string{"bash": bash, "zsh": zsh, "fish": fish}[shell]
	return strings.ReplaceAll(script, "PROGRAM", program)
}
