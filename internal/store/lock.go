package store

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// lockError returns what an error of locking says about a folder, to follow "storage folder is".
func lockError(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("of another user: %w", err)
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.ENOLCK):
		return fmt.Errorf("on a file system without locks, such as some NFS mounts: use a local disk: %w", err)
	default:
		return fmt.Errorf("not lockable: %w", err)
	}
}
