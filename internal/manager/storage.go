package manager

import (
	"context"
	"errors"
	"sync"

	"github.com/go-kit/log/level"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/fault"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/poller"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/postgres"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
)

// storage keeps the states of operations in a folder, in a database, or in memory.
type storage struct {
	folder   *store.Folder // nil for a database and for memory
	db       *postgres.DB  // nil for a folder and for memory
	memories sync.Map      // *store.Memory by operation, kept when an operation is made again
}

// openStorage connects to a database or locks a folder. A database that is not available now
// is no error: operations are loaded once it is. If the path is empty too, states are kept in
// memory.
func (m *Manager) openStorage(ctx context.Context) (*storage, error) {
	if m.options.Database.URL != "" {
		return m.openDatabase(ctx)
	}
	if m.options.StoragePath == "" {
		return &storage{}, nil
	}
	folder, err := store.Open(m.options.StoragePath)
	if err != nil {
		return nil, err
	}
	return &storage{folder: folder}, nil
}

func (m *Manager) openDatabase(ctx context.Context) (*storage, error) {
	options := m.options.Database
	options.Observe = m.database.Observe
	db, err := postgres.Open(ctx, options)
	if err != nil {
		return nil, err
	}
	server, err := db.Check()
	switch {
	case errors.Is(err, postgres.ErrUnavailable):
		level.Warn(m.options.Logger).Log("msg", "the database cannot be used yet", "err", fault.OneLine(err))
	case err != nil:
		db.Close()
		return nil, err
	default:
		level.Info(m.options.Logger).Log("msg", "connected to the database", "database", db.Target(), "server", server)
	}
	return &storage{db: db}, nil
}

// store returns where an operation's state is kept.
func (s *storage) store(operation string) poller.Store {
	if s.db != nil {
		return s.db.Operation(operation)
	}
	if s.folder != nil {
		return poller.Whole(s.folder.File(operation))
	}
	memory, _ := s.memories.LoadOrStore(operation, &store.Memory{})
	return poller.Whole(memory.(*store.Memory))
}

func (s *storage) close() {
	if s == nil {
		return
	}
	if s.db != nil {
		s.db.Close()
	}
	if s.folder != nil {
		_ = s.folder.Close() // The process ends next, which releases the lock.
	}
}
