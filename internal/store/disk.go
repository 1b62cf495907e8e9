package store

import (
	"errors"
	"io"
	"os"
	"runtime"
	"syscall"

	"github.com/natefinch/atomic"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/regular"
)

// maxFileSize is the size of the largest state file: enough for 10 million chats of 22 bytes
// and 100,000 label sets of some kilobytes.
const maxFileSize = 512 << 20

// fileSystem holds the operations of the store on a disk. Tests replace them to simulate
// failures and power cuts.
type fileSystem struct {
	read    func(name string) ([]byte, error)
	write   func(name string, content io.Reader) error // to a temporary file, which is synced and renamed
	link    func(from, to string) error
	replace func(from, to string) error // renames and replaces
	remove  func(name string) error
	syncDir func(dir string) error // makes the names in the folder durable
}

var osFiles = fileSystem{
	read:    func(name string) ([]byte, error) { return regular.ReadFile(name, maxFileSize) },
	write:   writeFile,
	link:    os.Link,
	replace: atomic.ReplaceFile,
	remove:  os.Remove,
	syncDir: syncDir,
}

func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // A folder cannot be synced there, but atomic.ReplaceFile is durable.
	}
	d, err := os.Open(dir) //nolint:gosec // G304: The user chooses the folder.
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		return nil // Some network file systems do not support it.
	}
	return err
}
