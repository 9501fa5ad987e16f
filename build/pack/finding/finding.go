// Package finding has the type of the problems of an extension's folder: errors, with which it
// cannot be packed, and warnings.
package finding

import "fmt"

// A Finding is an error or a warning. Its texts are sentences without a full stop.
type Finding struct {
	// Warning is false for an error, with which the folder cannot be packed.
	Warning bool `json:"warning"`
	// Where is the slashed path of a file below the folder, with line and column if they
	// are known, such as README.md:12; "" is the folder as a whole.
	Where string `json:"where"`
	// What is the problem, with the value that has it.
	What string `json:"message"`
	// Hint is the next step for the author; "" if What makes it clear.
	Hint string `json:"hint"`
}

// Error returns a finding with which the folder cannot be packed.
func Error(where, hint, format string, args ...any) Finding {
	return Finding{Where: where, Hint: hint, What: fmt.Sprintf(format, args...)}
}

// Warning returns a finding with which the folder can still be packed.
func Warning(where, hint, format string, args ...any) Finding {
	return Finding{Warning: true, Where: where, Hint: hint, What: fmt.Sprintf(format, args...)}
}

// String returns the finding without its hint.
func (f Finding) String() string {
	if f.Where == "" {
		return f.What
	}
	return f.Where + ": " + f.What
}
