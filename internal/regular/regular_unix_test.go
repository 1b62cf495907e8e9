//go:build unix

package regular

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func TestReadFile_RefusesIrregularFiles(t *testing.T) {
	t.Chdir(t.TempDir()) // The path of a socket is short.
	if err := syscall.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", "socket")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if err := os.Symlink("pipe", "link"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"pipe": "pipe", "link": "pipe", "socket": "socket", "/dev/zero": "device",
	} {
		content, err := ReadFile(name, 8)
		if content != nil || err == nil || err.Error() != "it is a "+want+", not a regular file" {
			t.Errorf("%s: have %q and error %v", name, content, err)
		}
	}
}

// A pipe that takes a file's place after Check has seen it.
func TestNonBlocking_OpensPipeWithoutWriter(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(name, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if check(info, 8) == nil {
		t.Error("have no error for an open pipe")
	}
}

func TestReadFile_LimitsFileWithoutSize(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no /proc")
	}
	have, err := ReadFile("/proc/self/maps", 1<<20)
	if err != nil || !strings.Contains(string(have), "\n") {
		t.Errorf("have %q and error %v", have, err)
	}
	if _, err := ReadFile("/proc/self/maps", 64); !errors.Is(err, ErrTooLarge) {
		t.Errorf("have error %v, want the limit", err)
	}
}
