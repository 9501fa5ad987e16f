package target

import "context"

// Purger is implemented by targets that may keep what Delete removes: earlier versions of objects,
// or a trash.
type Purger interface {
	// Purge removes for good what is left of objects that were deleted. It returns what it
	// could not remove. The error means that it could not find out.
	Purge(ctx context.Context, keys []string) ([]Leftover, error)
}

// Leftover is something that a target keeps of a deleted object.
type Leftover struct {
	Key    string `json:"path"`   // "" if it concerns all keys
	Reason string `json:"reason"` // what is kept, and how it can be removed
}
