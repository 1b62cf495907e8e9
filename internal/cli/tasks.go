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

// shutdownTimeout is how long a command has to end after a signal. State saves under way
// have this time to finish; an interrupted save keeps the previous state.
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

// tasks holds the names of the tasks under way that may block. They explain a shutdown
// that takes too long. The zero value has none.
type tasks struct {
	mu      sync.Mutex
	nextID  int
	running map[int]string // by ID, which rises
}

// begin adds a task until end is called.
func (t *tasks) begin(name string) (end func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running == nil {
		t.running = map[int]string{}
	}
	id := t.nextID
	t.nextID++
	t.running[id] = name
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.running, id)
	}
}

// String returns the newest tasks, newest first, and the number of the others.
func (t *tasks) String() string {
	const limit = 3
	t.mu.Lock()
	defer t.mu.Unlock()
	ids := slices.Sorted(maps.Keys(t.running))
	slices.Reverse(ids)
	var names []string
	for i, id := range ids {
		if i == limit {
			names = append(names, fmt.Sprintf("%d more", len(ids)-limit))
			break
		}
		names = append(names, t.running[id])
	}
	return strings.Join(names, ", ")
}
