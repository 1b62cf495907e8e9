//go:build unix

package backfill

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/regular"
)

func TestOpenSpool_RefusesPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openSpool(path, nil); !errors.Is(err, regular.ErrNotRegular) {
		t.Errorf("have error %v, want %v", err, regular.ErrNotRegular)
	}
}
