package atomicfile

import (
	"errors"
	"os"
)

// LinkWithoutHardLinks is [Link] on a disk that has no hard links.
func LinkWithoutHardLinks(root *os.Root, from, to string) error {
	return link(root, from, to, func(_, _ string) error { return errors.ErrUnsupported })
}
