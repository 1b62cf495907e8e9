package store

import (
	"io"
	"os"
	"path/filepath"

	"github.com/natefinch/atomic"
)

// writeFile writes a whole file or leaves what was there: to a temporary file, which it
// syncs and renames. Its errors are those of the system, so that their cause can be
// found out; those of atomic.WriteFile hide it.
func writeFile(name string, content io.Reader) error {
	dir, base := filepath.Split(name)
	file, err := os.CreateTemp(dir, base)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	if err == nil {
		err = file.Sync() // or a power cut could leave the new name with no content
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = atomic.ReplaceFile(file.Name(), name)
	}
	if err != nil {
		_ = os.Remove(file.Name()) // The next Open removes what stays.
	}
	return err
}
