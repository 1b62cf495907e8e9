package manager

import (
	"sync"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/poller"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
)

// storage keeps the states of operations in a folder, or in memory.
type storage struct {
	folder   *store.Folder // nil for memory
	memories sync.Map      // *store.Memory by operation, kept when an operation is made again
}

// openStorage locks a folder. If the path is empty, states are kept in memory.
func openStorage(path string) (*storage, error) {
	if path == "" {
		return &storage{}, nil
	}
	folder, err := store.Open(path)
	if err != nil {
		return nil, err
	}
	return &storage{folder: folder}, nil
}

// store returns where an operation's state is kept.
func (s *storage) store(operation string) poller.Store {
	if s.folder != nil {
		return poller.Whole(s.folder.File(operation))
	}
	memory, _ := s.memories.LoadOrStore(operation, &store.Memory{})
	return poller.Whole(memory.(*store.Memory))
}

func (s *storage) close() {
	if s != nil && s.folder != nil {
		_ = s.folder.Close() // The process ends next, which releases the lock.
	}
}
