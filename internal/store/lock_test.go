package store

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"
)

func TestLockError_SaysWhatToChange(t *testing.T) {
	for cause, want := range map[error]string{
		&fs.PathError{Op: "open", Path: "lock", Err: syscall.EACCES}: "of another user: ",
		syscall.ENOLCK:                   "on a file system without locks, such as some NFS mounts: use a local disk: ",
		errors.ErrUnsupported:            "on a file system without locks, such as some NFS mounts: use a local disk: ",
		errors.New("input/output error"): "not lockable: ",
	} {
		if err := lockError(cause); !errors.Is(err, cause) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("have %q, want %q and the cause", err, want)
		}
	}
}
