package regular

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestReadFile_ReturnsContentUpToLimit(t *testing.T) {
	for _, content := range []string{"", "a", "12345678"} {
		if have, err := ReadFile(write(t, content), 8); string(have) != content || err != nil {
			t.Errorf("%q: have %q and error %v", content, have, err)
		}
	}
	if have, err := ReadFile(write(t, "123456789"), 8); have != nil || err == nil {
		t.Errorf("have %q and error %v, want an error for a byte too many", have, err)
	}
}

func TestReadFile_FollowsSymbolicLinks(t *testing.T) {
	name := write(t, "content")
	if err := os.Symlink(name, name+".link"); err != nil {
		t.Skip(err)
	}
	if have, err := ReadFile(name+".link", 8); string(have) != "content" || err != nil {
		t.Errorf("have %q and error %v", have, err)
	}
}

func TestReadFile_ReportsMissingFile(t *testing.T) {
	_, err := ReadFile(filepath.Join(t.TempDir(), "missing"), 8)
	if !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "missing") {
		t.Errorf("have error %v, want fs.ErrNotExist without the name", err)
	}
}

func TestReadFile_RefusesFolder(t *testing.T) {
	if _, err := ReadFile(t.TempDir(), 8); err == nil || err.Error() != "it is a directory, not a regular file" {
		t.Errorf("have error %v", err)
	}
}

func TestReadFile_RefusesSparseFileUnread(t *testing.T) {
	name := write(t, "")
	if err := os.Truncate(name, 10<<30); err != nil {
		t.Skip(err)
	}
	for limit, want := range map[int64]string{64 << 10: "too large: the maximum is 64 KiB", 16 << 20: "too large: the maximum is 16 MiB"} {
		if _, err := ReadFile(name, limit); err == nil || err.Error() != want {
			t.Errorf("have error %v, want %q", err, want)
		}
	}
}
