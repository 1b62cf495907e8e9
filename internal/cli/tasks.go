package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// shutdownTimeout is how long a command has to end after a signal. State saves under
// way are finished in it; one that is cut off costs nothing but itself.
const shutdownTimeout = 4 * time.Second

// await returns the exit status of a command that ends when ctx is done. ended is
// false if it has not ended shutdownTimeout after that: a file system that does not
// answer cannot be interrupted.
func await(ctx context.Context, command func() int) (status int, ended bool) {
	result := make(chan int, 1)
	go func() { result <- command() }()
	select {
	case status := <-result:
		return status, true
	case <-ctx.Done():
	}
	select {
	case status := <-result:
		return status, true
	case <-time.After(shutdownTimeout):
		return 0, false
	}
}

// tasks are what the program is busy with that may block: an end that takes too long
// is explained by them. The zero value has none.
type tasks struct {
	mu      sync.Mutex
	begun   int
	running map[int]string // by how many were begun before
}

// begin adds a task until end is called.
func (t *tasks) begin(name string) (end func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running == nil {
		t.running = map[int]string{}
	}
	task := t.begun
	t.begun++
	t.running[task] = name
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.running, task)
	}
}

// String returns the tasks that were begun last, the last one first, and how many
// more there are.
func (t *tasks) String() string {
	const shown = 3
	t.mu.Lock()
	defer t.mu.Unlock()
	begun := slices.Sorted(maps.Keys(t.running))
	slices.Reverse(begun)
	var names []string
	for i, task := range begun {
		if i == shown {
			names = append(names, fmt.Sprintf("%d more", len(begun)-shown))
			break
		}
		names = append(names, t.running[task])
	}
	return strings.Join(names, ", ")
}
