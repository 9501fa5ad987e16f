// Package finding is the word for what is wrong, or odd, with an extension's
// folder.
package finding

import "fmt"

// A Finding is one thing that is wrong or odd. Its texts are sentences without a
// full stop, as they stand after "galbuild: ".
type Finding struct {
	// Warning is false for what keeps the folder from being packed.
	Warning bool `json:"warning"`
	// Where is the file it is in, slashed and below the folder, with a line if
	// that helps, such as README.md:12; "" is the folder as a whole.
	Where string `json:"where,omitempty"`
	// What is wrong, with the value it is about.
	What string `json:"what"`
	// Way is what to do about it, "" if What says it.
	Way string `json:"way,omitempty"`
}

// Error is a finding that keeps the folder from being packed.
func Error(where, way, format string, args ...any) Finding {
	return Finding{Where: where, Way: way, What: fmt.Sprintf(format, args...)}
}

// Warning is a finding that does not.
func Warning(where, way, format string, args ...any) Finding {
	return Finding{Warning: true, Where: where, Way: way, What: fmt.Sprintf(format, args...)}
}

// String is the finding without its way out.
func (f Finding) String() string {
	if f.Where == "" {
		return f.What
	}
	return f.Where + ": " + f.What
}
