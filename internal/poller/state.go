package poller

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
)

// Store keeps the state of a ledger.
//
// Load returns [fs.ErrNotExist] before the first Save. Save saves the ledger as it will be
// after the transaction, and returns the size of the state. Once it has returned no error,
// the state survives a crash. After an error, Load returns the state before or the one that
// Save tried to save; the next call is Load.
type Store interface {
	Load() ([]byte, error)
	Save(t *ledger.Transaction) (size int, err error)
}

// ByteStore keeps a state as bytes.
type ByteStore interface {
	Load() ([]byte, error)
	Save(state []byte) error
}

// Whole returns a [Store] that saves a whole state each time.
func Whole(s ByteStore) Store { return wholeStore{s} }

type wholeStore struct{ ByteStore }

// Save implements [Store].
func (s wholeStore) Save(t *ledger.Transaction) (size int, err error) {
	state, err := t.Marshal()
	if err != nil {
		return 0, err
	}
	return len(state), s.ByteStore.Save(state)
}

// stateError is the error of loading or saving a state. Its type makes it a kind of its own
// for package fault, even if another file fails with the same system error.
type stateError struct {
	task string
	err  error
}

// Error implements error.
func (e *stateError) Error() string { return fmt.Sprintf("%s the state: %s", e.task, e.err) }

// Unwrap returns the store's error.
func (e *stateError) Unwrap() error { return e.err }

// errBehind is the error of a saved state with lower counts than those that were shown.
var errBehind = errors.New("it has lower counts than those that were shown, so an older state has replaced it: " +
	"its metrics are not shown; restart the exporter to continue from the older state")

// loadLedger loads the operation's ledger, or creates one if none was saved.
func loadLedger(s Store, options ledger.Options) (l *ledger.Ledger, isSaved bool, err error) {
	saved, err := s.Load()
	if errors.Is(err, fs.ErrNotExist) {
		return ledger.New(options), false, nil
	}
	if err == nil {
		l, err = ledger.Unmarshal(saved, options, time.Now())
	}
	return l, err == nil, err
}

// save saves the ledger as it will be after t.
func (p *Poller) save(t *ledger.Transaction) error {
	if _, err := p.store.Save(t); err != nil {
		p.unsure = true
		return &stateError{"saving", err}
	}
	return nil
}

// reload loads and publishes the ledger again if the last save failed. Its answer may be lost
// although it has saved, and another process may have written.
func (p *Poller) reload() error {
	if !p.unsure {
		return nil
	}
	loaded, _, err := loadLedger(p.store, p.options.Ledger)
	if err != nil {
		return &stateError{"loading", err}
	}
	view := loaded.View()
	if view.IsBehind(p.shown) {
		p.status.NotLoaded = status.StateBehind
		return &stateError{"loading", errBehind}
	}
	p.ledger, p.unsure, p.status.NotLoaded = loaded, false, ""
	if !view.Progress.Reconciled.Before(p.cursor.began) {
		p.cursor = reconcileCursor{} // The last save of that reconcile was saved after all.
	}
	p.publish(view)
	return nil
}
