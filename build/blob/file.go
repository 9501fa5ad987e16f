package blob

import (
	"errors"
	"os"
	"syscall"
)

// blobMode makes a file readable by the web server and writable by no one: a blob
// never changes.
const blobMode = 0o444

// writeNew makes a file that holds b. A gallery is hundreds of thousands of them,
// so it is done by the three calls that it takes; an os.File makes as many again
// for the runtime's poller, which files have no use for.
func writeNew(name string, b []byte) error {
	fd, err := syscall.Open(name, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_EXCL|syscall.O_CLOEXEC, blobMode)
	for err == syscall.EINTR {
		fd, err = syscall.Open(name, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_EXCL|syscall.O_CLOEXEC, blobMode)
	}
	if err != nil {
		return &os.PathError{Op: "open", Path: name, Err: err}
	}
	for len(b) > 0 && err == nil {
		var n int
		if n, err = syscall.Write(fd, b); err == syscall.EINTR {
			err = nil
		}
		b = b[max(n, 0):]
	}
	if err = errors.Join(err, syscall.Close(fd)); err != nil {
		os.Remove(name)
		return &os.PathError{Op: "write", Path: name, Err: err}
	}
	return nil
}

// rename is os.Rename without its look at the target first.
func rename(from, to string) error {
	err := syscall.Rename(from, to)
	for err == syscall.EINTR {
		err = syscall.Rename(from, to)
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}
