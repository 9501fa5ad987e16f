package s3test

import "golang.org/x/sys/unix"

func hasAttributes(folder string) bool {
	return unix.Setxattr(folder, "user.galbuild", []byte("x"), 0) == nil
}
