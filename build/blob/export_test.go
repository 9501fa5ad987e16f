package blob

import "errors"

// WithoutHardLinks makes a store behave as on a disk that has no hard links, such as exFAT.
func WithoutHardLinks(s *Store) {
	s.link = func(*folder, string, *folder, string) error { return errors.ErrUnsupported }
}
