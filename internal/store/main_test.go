package store

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// children are the programs that this test binary runs if a test starts it as another process.
// They run in the given folder and write to standard output.
var children = map[string]func(){
	"hold": func() { // locks "data" until it is killed
		if _, err := Open("data"); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("held")
		_, _ = io.Copy(io.Discard, os.Stdin)
	},
	"open": func() {
		_, err := Open("data")
		fmt.Println(err)
	},
}

func TestMain(m *testing.M) {
	if child := children[os.Getenv("STORE_TEST_CHILD")]; child != nil {
		child()
		return
	}
	os.Exit(m.Run())
}

// startChild returns the running child and its lines.
func startChild(t *testing.T, name, dir string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "STORE_TEST_CHILD="+name)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // closes when we end
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd, bufio.NewScanner(out)
}

func nextLine(t *testing.T, lines *bufio.Scanner) string {
	t.Helper()
	if !lines.Scan() {
		t.Fatalf("the child ended early: %v", lines.Err())
	}
	return lines.Text()
}

func mustOpen(t *testing.T, dir string, sys fileSystem) *Folder {
	t.Helper()
	folder, err := open(dir, sys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Close() })
	return folder
}

func mustSave(t *testing.T, file *File, state string) {
	t.Helper()
	if err := file.Save([]byte(state)); err != nil {
		t.Fatal(err)
	}
}

func mustLoad(t *testing.T, file *File, want string) {
	t.Helper()
	have, err := file.Load()
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Fatalf("have %q, want %q", have, want)
	}
}

func mustSay(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("have no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("have %q, want %q in it", err, part)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("have %q, want one line", err)
	}
}
