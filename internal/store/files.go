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

// maxFile is the size of the largest state file. A chat takes 16 bytes and a label
// set some kilobytes: 10 million chats and 100,000 label sets fit.
const maxFile = 512 << 20

// files is what the store does to a disk: tests put failures and power cuts here.
type files struct {
	read    func(name string) ([]byte, error)
	write   func(name string, content io.Reader) error // by a temporary file, synced, then renamed
	link    func(from, to string) error
	replace func(from, to string) error // rename over what is there
	remove  func(name string) error
	syncDir func(dir string) error // makes the names in the folder durable
}

var osFiles = files{
	read:    func(name string) ([]byte, error) { return regular.ReadFile(name, maxFile) },
	write:   writeFile,
	link:    os.Link,
	replace: atomic.ReplaceFile,
	remove:  os.Remove,
	syncDir: syncDir,
}

func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // a folder cannot be synced there: atomic.ReplaceFile writes through
	}
	d, err := os.Open(dir) //nolint:gosec // G304: which folder is for the user to say
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		return nil // some network file systems have no such thing; there is no more to be had
	}
	return err
}
