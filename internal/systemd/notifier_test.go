package systemd

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"go.uber.org/goleak"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeSystemd is a notifier's other end.
type fakeSystemd struct {
	mu         sync.Mutex
	states     []string
	operations []status.Snapshot
	code       int // of the handler's answers
}

func (f *fakeSystemd) process() Process {
	return Process{
		Snapshots: func() []status.Snapshot {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.operations
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			f.mu.Lock()
			defer f.mu.Unlock()
			w.WriteHeader(f.code)
		}),
		CheckPath: "/-/healthy",
	}
}

func (f *fakeSystemd) notifier() *Notifier {
	f.code = http.StatusOK
	n := NewNotifier(log.NewNopLogger())
	n.send = func(state string) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.states = append(f.states, state)
		return nil
	}
	return n
}

func (f *fakeSystemd) change(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// count returns how many states have come that begin with this since the last call.
func (f *fakeSystemd) count(prefix string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.states {
		if strings.HasPrefix(s, prefix) {
			n++
		}
	}
	f.states = nil
	return n
}

func TestNotifier_ReportsReloadsOnceReady(t *testing.T) {
	f := &fakeSystemd{}
	n := f.notifier()
	n.BeginReload()() // systemd would take its end for the end of the start
	n.Ready()
	end := n.BeginReload()
	end()
	late := n.BeginReload()
	n.Stopping()
	late()
	n.BeginReload()()
	reloading := regexp.MustCompile(`^RELOADING=1\nMONOTONIC_USEC=\d+\n?$`)
	for i, s := range f.states {
		if reloading.MatchString(s) {
			f.states[i] = "RELOADING"
		}
	}
	if want := []string{"READY=1", "RELOADING", "READY=1", "RELOADING", "STOPPING=1\nSTATUS=stopping"}; !slices.Equal(f.states, want) {
		t.Errorf("have %q, want %q", f.states, want)
	}
}

func TestNotifier_ReportsStatusWhenItChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeSystemd{operations: []status.Snapshot{{Operation: "a"}, {Operation: "b"}}}
		n := f.notifier()
		ctx, cancel := context.WithCancel(t.Context())
		go n.Run(ctx, f.process())
		time.Sleep(time.Minute)
		if have := f.count("STATUS=polling 2 operations"); have != 1 {
			t.Errorf("have %d, want 1", have)
		}
		f.change(func() {
			f.operations = []status.Snapshot{{Operation: "a"}, {Operation: "b", Status: status.Status{Failure: "refused"}}}
		})
		time.Sleep(time.Minute)
		if have := f.count("STATUS=polling 2 operations, 1 failing"); have != 1 {
			t.Errorf("have %d, want 1", have)
		}
		cancel()
		synctest.Wait()
	})
}

func TestNotifier_ReportsAliveOnlyWhileProcessWorks(t *testing.T) {
	t.Setenv("WATCHDOG_USEC", "30000000")
	synctest.Test(t, func(t *testing.T) {
		f := &fakeSystemd{}
		n := f.notifier()
		ctx, cancel := context.WithCancel(t.Context())
		go n.Run(ctx, f.process())
		operation := status.Snapshot{Operation: "a"}
		time.Sleep(5 * time.Second) // between two reports
		for _, test := range []struct {
			name   string
			change func()
			want   int // in 30 seconds, at a timeout of 30
		}{
			{"works", func() {}, 3},
			{"unreachable API", func() { operation.Status.Failure = "connection refused" }, 3},
			{"not loaded", func() { operation.Status.NotLoaded = status.StateCorrupt }, 3},
			{"stuck", func() { operation.Status.StuckAfter = time.Now() }, 0},
			{"goes on", func() { operation.Status.StuckAfter = time.Now().Add(time.Hour) }, 3},
			{"handler fails", func() { f.code = http.StatusInternalServerError }, 0},
		} {
			f.change(func() { test.change(); f.operations = []status.Snapshot{operation} })
			time.Sleep(30 * time.Second)
			synctest.Wait()
			if have := f.count("WATCHDOG=1"); have != test.want {
				t.Errorf("%s: have %d, want %d", test.name, have, test.want)
			}
		}
		cancel()
		synctest.Wait()
	})
}

func TestDescribe_CountsOperations(t *testing.T) {
	now := time.Now()
	operation := func(s status.Status) status.Snapshot { return status.Snapshot{Status: s} }
	up, failing := operation(status.Status{Up: true}), operation(status.Status{Failure: "refused"})
	for want, snapshots := range map[string][]status.Snapshot{
		"polling 0 operations":                          nil,
		"polling 1 operation":                           {up},
		"polling 3 operations, 1 failing":               {up, failing, up},
		"polling 3 operations, 1 not loaded, 1 stuck":   {up, operation(status.Status{NotLoaded: status.TokenFile, Failure: "x"}), operation(status.Status{Failure: "x", StuckAfter: now.Add(-1)})},
		"polling 2 operations, 1 failing, 1 not loaded": {failing, operation(status.Status{NotLoaded: status.TokenFile})},
	} {
		if have := Describe(snapshots, now); have != want {
			t.Errorf("have %q, want %q", have, want)
		}
	}
}

func TestNotifier_SendsToSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	NewNotifier(log.NewNopLogger()).Ready()
	state := make([]byte, 100)
	length, err := socket.Read(state)
	if have := string(state[:length]); err != nil || have != "READY=1" {
		t.Errorf("have %q, %v", have, err)
	}
}

func TestNotifier_LogsFirstFailure(t *testing.T) {
	var logged bytes.Buffer
	n := NewNotifier(log.NewLogfmtLogger(&logged))
	n.send = func(string) error { return errors.New("no such socket") }
	n.Ready()
	n.Stopping()
	if have := logged.String(); strings.Count(have, "\n") != 1 || !strings.Contains(have, "no such socket") {
		t.Errorf("have %q, want one line", have)
	}
}
