package test

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// newWithState returns a program that makes one request and saves its state.
func newWithState(t *testing.T) (program invocation, server *wolkvoxtest.Server) {
	t.Helper()
	server = wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken})
	t.Cleanup(server.Close)
	server.Add(endingSoon(0, 10, time.Now().Add(-time.Minute), time.Second)...)
	program = pollCommand(server, "--wolkvox.server=0042", "--storage.path=state", "--poll.interval=52w", "--poll.overlap=0s", "--poll.reconcile-interval=0s")
	program.dir = t.TempDir()
	return program, server
}

func TestState_RefusesSecondProcess(t *testing.T) {
	t.Parallel()
	program, server := newWithState(t)
	first := program.start(t)
	first.await("a first poll", hasTokenInfo)
	requests := len(server.Requests())

	status, stdout, stderr := program.runToEnd(t)
	wantOneLineError(t, status, stdout, stderr, `"state" is in use`)
	if status != 1 {
		t.Errorf("have status %d, want 1", status)
	}
	if have := len(server.Requests()); have != requests {
		t.Errorf("have %d requests by the second program, want none", have-requests)
	}
	first.kill()
	program.start(t).await("a poll once the first is gone", up)
}

func TestState_RefusesAndKeepsUntrustedFile(t *testing.T) {
	t.Parallel()
	program, server := newWithState(t)
	e := program.start(t)
	e.await("a first poll", hasTokenInfo)
	e.stop(syscall.SIGTERM)
	requests := len(server.Requests())
	path := filepath.Join(program.dir, "state", "wv0042.state")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	for _, test := range []struct {
		name, says string
		content    []byte
	}{
		{"corrupt", "corrupt", flipByte(good, len(good)/2)},
		{"cut", "cut", good[:len(good)-7]},
		{"empty", "cut", nil},
		{"foreign", "not a state file", []byte("# a shopping list\n- milk\n")},
		{"newer", "newer", asNewerVersion(good)},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := os.WriteFile(path, test.content, 0o600); err != nil {
				t.Fatal(err)
			}
			before := readDir(t, filepath.Dir(path))
			status, stdout, stderr := program.runToEnd(t)
			wantOneLineError(t, status, stdout, stderr, filepath.Join("state", "wv0042.state"))
			if status != 1 || !strings.Contains(stderr, test.says) {
				t.Errorf("have status %d and stderr %q, want 1 and %q", status, stderr, test.says)
			}
			if after := readDir(t, filepath.Dir(path)); !maps.Equal(before, after) {
				t.Errorf("have other files than before")
			}
		})
	}
	if have := len(server.Requests()); have != requests {
		t.Errorf("have %d requests without a state, want none", have-requests)
	}

	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	program.start(t).await("a poll with the good state", up)
}

func flipByte(good []byte, at int) []byte {
	bad := append([]byte(nil), good...)
	bad[at] ^= 1
	return bad
}

// asNewerVersion returns a state file of a newer version: another number after the first
// line, and a valid checksum.
func asNewerVersion(good []byte) []byte {
	file := append([]byte(nil), good[:len(good)-sha256.Size]...)
	version := file[strings.IndexByte(string(file), '\n')+1:]
	binary.BigEndian.PutUint32(version, binary.BigEndian.Uint32(version)+1)
	sum := sha256.Sum256(file)
	return append(file, sum[:]...)
}

// readDir returns the contents of a folder's files by name.
func readDir(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[entry.Name()] = string(content)
	}
	return files
}

func TestState_EmptyPathWritesNothing(t *testing.T) {
	t.Parallel()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken})
	defer server.Close()
	server.Add(botChat(1, "1101", "web", time.Now().Add(-time.Minute)))
	e := pollCommand(server, "--storage.path=").start(t)
	e.await("a chat", func(s samples) bool { return s.sum("wolkvox_chat_interactions_total") == 1 })
	wantEmptyDir(t, e.dir)
	e.stop(syscall.SIGTERM)
	wantEmptyDir(t, e.dir)
}

func TestState_IsReadableByOwnerOnly(t *testing.T) {
	t.Parallel()
	program, _ := newWithState(t)
	program.start(t).await("a first poll", up)
	for path, want := range map[string]os.FileMode{"state": 0o700, filepath.Join("state", "wv0042.state"): 0o600} {
		info, err := os.Stat(filepath.Join(program.dir, path))
		if err != nil {
			t.Fatal(err)
		}
		if have := info.Mode().Perm(); have&^want != 0 {
			t.Errorf("%s: have mode %o, want %o at most", path, have, want)
		}
	}
}

func TestStart_EndsBeforeAnyRequestIfPortIsInUse(t *testing.T) {
	t.Parallel()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken})
	defer server.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	address := listener.Addr().String()
	// Once is no proof: a request would have to be quicker than the end.
	for range 10 {
		status, _, stderr := invocation{
			args: []string{"--wolkvox.url=" + server.URL(), "--web.listen-address=127.0.0.1:0", "--web.listen-address=" + address},
			env:  []string{"WOLKVOX_TOKEN=" + testToken},
		}.runToEnd(t)
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		last := lines[len(lines)-1]
		if status != 1 || !strings.HasPrefix(last, "wolkvox_exporter: error: ") || !strings.Contains(last, address) || !strings.Contains(last, "in use") {
			t.Errorf("have status %d and %q, want 1 and a line about %s", status, last, address)
		}
	}
	if have := len(server.Requests()); have != 0 {
		t.Errorf("have %d requests, want none", have)
	}
}
