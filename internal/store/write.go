package store

import (
	"io"
	"os"
	"path/filepath"

	"github.com/natefinch/atomic"
)

// writeFile replaces a file atomically: it writes a temporary file, syncs it and renames it.
// Unlike those of atomic.WriteFile, its errors wrap the system's error.
func writeFile(name string, content io.Reader) error {
	dir, base := filepath.Split(name)
	file, err := os.CreateTemp(dir, base)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	if err == nil {
		err = file.Sync() // Otherwise a power cut could leave an empty file.
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = atomic.ReplaceFile(file.Name(), name)
	}
	if err != nil {
		_ = os.Remove(file.Name()) // If this fails, the next Open removes the file.
	}
	return err
}
