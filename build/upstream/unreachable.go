package upstream

import "errors"

// An unreachable error is that of a request without a response.
type unreachable struct{ error }

func (u unreachable) Unwrap() error { return u.error }

// IsUnreachable reports whether err is that of a request to which there was no response, so that it
// says nothing about what is at the address.
func IsUnreachable(err error) bool {
	_, ok := errors.AsType[unreachable](err)
	return ok
}
