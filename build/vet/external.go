package vet

import (
	"context"
	"time"
)

// Verdict is the result of an external scanner.
type Verdict struct {
	Command string // as it was given
	Found   bool   // exit status 1: the scanner has found something
	Output  string // shortened
}

// RunScanner runs a scanner with the path of a package. The words of command are separated by white
// space, and quotes group them; {} is replaced by the path, which is otherwise appended. Exit status
// 0 means that nothing was found, 1 that something was; anything else is an error, and so is a
// scanner that needs longer than the timeout.
func RunScanner(ctx context.Context, command, path string, timeout time.Duration) (Verdict, error) {
	return Verdict{}, nil
}
