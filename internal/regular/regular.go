// Package regular reads regular files of a limited size. It refuses named pipes, devices and
// files without an end: reading them would block or fill the memory.
package regular

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Why a file was not read.
var (
	ErrNotRegular = errors.New("not a regular file")
	ErrTooLarge   = errors.New("too large")
)

// ReadFile returns the content of a file of at most limit bytes. Symbolic links are
// followed. The errors of this package do not name the file: callers add it.
func ReadFile(name string, limit int64) ([]byte, error) {
	// Checked before opening: opening a device can have side effects, and opening a pipe
	// unblocks its writer.
	if err := Check(name, limit); err != nil {
		return nil, err
	}
	// Meanwhile, a pipe may have replaced the file, so the open file is checked again.
	file, err := os.OpenFile(name, os.O_RDONLY|nonBlocking, 0) //nolint:gosec // The path is the caller's.
	if err != nil {
		return nil, withoutPath(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, withoutPath(err)
	}
	if err := check(info, limit); err != nil {
		return nil, err
	}
	// The file may grow while it is read, and files in /proc have size 0.
	var content bytes.Buffer
	content.Grow(int(info.Size()) + bytes.MinRead)
	if _, err := content.ReadFrom(io.LimitReader(file, limit+1)); err != nil {
		return nil, withoutPath(err)
	}
	if int64(content.Len()) > limit {
		return nil, tooLarge(limit)
	}
	return content.Bytes(), nil
}

// Check returns an error unless name is a regular file of at most limit bytes, or a link to
// one. It is for files that a library opens.
func Check(name string, limit int64) error {
	info, err := os.Stat(name)
	if err != nil {
		return withoutPath(err)
	}
	return check(info, limit)
}

func check(info fs.FileInfo, limit int64) error {
	switch mode := info.Mode(); {
	case mode.IsRegular() && info.Size() > limit:
		return tooLarge(limit)
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		return fmt.Errorf("it is a directory, %w", ErrNotRegular)
	case mode&fs.ModeNamedPipe != 0:
		return fmt.Errorf("it is a pipe, %w", ErrNotRegular)
	case mode&fs.ModeSocket != 0:
		return fmt.Errorf("it is a socket, %w", ErrNotRegular)
	case mode&fs.ModeDevice != 0:
		return fmt.Errorf("it is a device, %w", ErrNotRegular)
	default:
		return fmt.Errorf("it is %w", ErrNotRegular)
	}
}

func tooLarge(limit int64) error {
	const kibi, mebi = 1 << 10, 1 << 20
	if limit >= mebi {
		return fmt.Errorf("%w: the maximum is %d MiB", ErrTooLarge, limit/mebi)
	}
	return fmt.Errorf("%w: the maximum is %d KiB", ErrTooLarge, limit/kibi)
}

// withoutPath returns an error without the name of the file.
func withoutPath(err error) error {
	if failure, ok := errors.AsType[*fs.PathError](err); ok {
		return failure.Err
	}
	return err
}
