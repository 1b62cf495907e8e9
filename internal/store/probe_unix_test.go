//go:build unix

package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func init() {
	children["probe"] = func() { // another user, who may not write
		if os.Getuid() == 0 {
			if err := syscall.Setuid(65534); err != nil {
				fmt.Println(err)
				return
			}
		}
		for _, dir := range []string{"data", filepath.Join("data", "new", "newer")} {
			fmt.Println(Probe(dir))
		}
		if err := os.Chdir("secret"); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(Probe("."))
	}
}

func TestProbe_NamesUnwritableFolder(t *testing.T) {
	tmp := t.TempDir()
	data, secret := filepath.Join(tmp, "data"), filepath.Join(tmp, "secret")
	t.Cleanup(func() { _ = os.Chmod(data, 0o700) })
	for _, err := range []error{
		os.Mkdir(data, 0o700), os.Chmod(data, 0o555),
		os.Mkdir(secret, 0o700), os.WriteFile(filepath.Join(secret, "lock"), nil, 0), os.Chmod(secret, 0o755),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	_, lines := startChild(t, "probe", tmp)
	for _, want := range []string{
		`true writing to "data": permission denied`,
		`false writing to "data": permission denied`,
		`true storage folder "." is of another user: open lock: permission denied`,
	} {
		if have := nextLine(t, lines); !strings.HasPrefix(have, want) {
			t.Errorf("have %q, want %q", have, want)
		}
	}
}
