package poller

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// partStore keeps whole states and checks that a failed Save is followed by Load. Unless tests
// are short, it also checks of some saves that the parts of a state, as a database has them,
// are those of the whole state.
type partStore struct {
	t    *testing.T
	kept ByteStore

	loaded   bool // since the last failed save
	saves    int  // since the last load; it counts as one
	figures  []byte
	segments [][]byte
}

// Load implements Store.
func (s *partStore) Load() ([]byte, error) {
	state, err := s.kept.Load()
	s.loaded = err == nil || errors.Is(err, fs.ErrNotExist)
	s.saves = 0
	if err == nil && !testing.Short() {
		parts, _ := ledger.Split(state) // A state that is refused later cannot be split.
		s.saves, s.figures, s.segments = 1, parts.Figures, [][]byte{parts.Identities}
	}
	return state, err
}

// Save implements Store.
func (s *partStore) Save(t *ledger.Transaction) (int, error) {
	s.t.Helper()
	if !s.loaded {
		s.t.Error("a failed save was not followed by a load")
	}
	whole, err := t.Marshal()
	if err != nil {
		return 0, err
	}
	if !testing.Short() {
		s.checkParts(t, whole)
	}
	if err := s.kept.Save(whole); err != nil {
		s.loaded = false
		return 0, err
	}
	return len(whole), nil
}

// checkParts looks at five saves in a row of twenty: of the first one it takes all parts, and
// after the last one it compares them.
func (s *partStore) checkParts(t *ledger.Transaction, whole []byte) {
	s.t.Helper()
	step := s.saves % 20
	s.saves++
	if step > 4 {
		return
	}
	parts, err := t.MarshalParts(step == 0)
	if err != nil {
		s.t.Error(err)
	}
	if step == 0 {
		s.segments = nil
	}
	if parts.Figures != nil {
		s.figures = parts.Figures
	}
	s.segments = append(s.segments, parts.Identities)
	if step < 4 {
		return
	}
	joined, err := ledger.Join(parts.Progress, s.figures, s.segments)
	if err != nil || !bytes.Equal(joined, whole) {
		s.t.Errorf("the parts of a state are not those of the whole one: %v", err)
	}
}

// lossyStore saves, but its answer is lost while lost is true.
type lossyStore struct {
	store.Memory
	lost, down bool
}

func (s *lossyStore) Save(state []byte) error {
	err := s.Memory.Save(state)
	if s.lost {
		return errors.New("connection reset by peer")
	}
	return err
}

func (s *lossyStore) Load() ([]byte, error) {
	if s.down {
		return nil, errors.New("connection refused")
	}
	return s.Memory.Load()
}

// The saved state is shown after the next load, although the answer of its save was lost, and
// no chat of it is counted again.
func TestPoller_LoadsAgainAfterLostAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := &lossyStore{}
		report := &fakeReport{chats: []wolkvox.Chat{chat(1, time.Now())}}
		p := newPoller(t, report, kept, options())
		p.poll(t.Context())
		kept.lost = true
		time.Sleep(5 * time.Minute)
		report.chats = append(report.chats, chat(2, time.Now()))
		p.poll(t.Context())
		if have := interactions(p); have != 1 || p.Snapshot().Status.Up {
			t.Errorf("the answer was lost: have %d interactions, up %t, want 1 and false", have, p.Snapshot().Status.Up)
		}

		kept.lost, kept.down = false, true
		time.Sleep(5 * time.Minute)
		requests := len(report.windows)
		p.poll(t.Context())
		if have, failure := interactions(p), p.Snapshot().Status.Failure; have != 1 || !strings.HasPrefix(failure, "loading the state: connection refused") {
			t.Errorf("nothing can be loaded: have %d interactions and %q, want 1 and an error of loading", have, failure)
		}
		if len(report.windows) != requests {
			t.Error("nothing can be loaded: have a request, want none")
		}

		kept.down = false
		if err := p.reload(); err != nil || interactions(p) != 2 {
			t.Errorf("loaded: have %d interactions, %v, want 2", interactions(p), err)
		}
		p.poll(t.Context())
		if have := p.Snapshot(); interactions(p) != 2 || !have.Status.Up || have.View.Counts.Records[ledger.Counted] != 2 {
			t.Errorf("polled: have %d interactions, up %t, want 2 and true", interactions(p), have.Status.Up)
		}
	})
}

func TestPoller_ShowsNothingOfOlderState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := &lossyStore{}
		report := &fakeReport{}
		var lines lines
		o := options()
		o.Logger = lines.logger()
		p := newPoller(t, report, kept, o)
		p.poll(t.Context())
		backup, err := kept.Memory.Load()
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		report.chats = []wolkvox.Chat{chat(1, time.Now())}
		p.poll(t.Context())
		latest, err := kept.Memory.Load()
		if err != nil {
			t.Fatal(err)
		}

		kept.lost = true
		time.Sleep(5 * time.Minute)
		p.poll(t.Context())
		kept.lost = false
		_ = kept.Memory.Save(backup)
		for range 2 {
			time.Sleep(5 * time.Minute)
			p.poll(t.Context())
			have := p.Snapshot()
			if have.View != nil || have.Status.NotLoaded != status.StateBehind || have.Status.Up || !strings.Contains(have.Status.Failure, "restart the exporter") {
				t.Fatalf("restored: have %+v, want no counts and what to do", have.Status)
			}
		}
		if have := lines.count("poll failed, will retry"); have != 2 { // the lost answer, and this
			t.Errorf("have %d lines, want 2:\n%s", have, lines.text.String())
		}

		if restarted := newPoller(t, report, kept, options()); interactions(restarted) != 0 {
			t.Errorf("restarted: have %d interactions, want none", interactions(restarted))
		}
		_ = kept.Memory.Save(latest)
		p.poll(t.Context())
		if have := p.Snapshot(); have.View == nil || interactions(p) != 1 || have.Status.NotLoaded != "" || !have.Status.Up {
			t.Errorf("the newer state is back: have %+v, want it shown", have.Status)
		}
	})
}

// A reconcile whose last save was saved, although its answer was lost, is not repeated.
func TestPoller_EndsReconcileWhoseAnswerWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := &lossyStore{}
		p := newPoller(t, &fakeReport{}, kept, options())
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
		defer cancel()
		p.Run(ctx)
		began := p.Snapshot().View.Progress.Reconciled
		p.cursor, p.unsure = reconcileCursor{began: began}, true
		if err := p.reload(); err != nil || !p.cursor.began.IsZero() {
			t.Errorf("have %v, %v, want no reconcile under way", p.cursor, err)
		}
		p.cursor, p.unsure = reconcileCursor{began: began.Add(time.Second)}, true
		if err := p.reload(); err != nil || p.cursor.began.IsZero() {
			t.Errorf("have %v, %v, want the reconcile to go on", p.cursor, err)
		}
	})
}
