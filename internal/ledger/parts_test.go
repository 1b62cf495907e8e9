package ledger

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// savedParts is a store of parts.
type savedParts struct {
	progress, figures []byte
	segments          [][]byte
}

func (s *savedParts) save(parts Parts, all bool) {
	s.progress = parts.Progress
	if parts.Figures != nil {
		s.figures = parts.Figures
	}
	if all {
		s.segments = nil
	}
	if parts.Identities != nil {
		s.segments = append(s.segments, parts.Identities)
	}
}

func (s *savedParts) join(t rapid.TB) []byte {
	t.Helper()
	state, err := Join(s.progress, s.figures, s.segments)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func mustMarshalParts(t rapid.TB, transaction *Transaction, all bool) Parts {
	t.Helper()
	parts, err := transaction.MarshalParts(all)
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

func TestTransaction_MarshalsOnlyWhatItChanged(t *testing.T) {
	l := full(t)
	var saved savedParts
	saved.save(mustMarshalParts(t, l.Begin(clock(noon)), true), true)

	quiet := l.Begin(clock(noon))
	quiet.Apply(ended(1, 0, handedOff, lastWrote(wolkvox.Agent), by("1201"), under("3101234567", "whatsapp")), Polling)
	quiet.Progress.CompleteUntil = noon.Add(time.Minute)
	if parts := mustMarshalParts(t, quiet, false); parts.Figures != nil || len(parts.Progress) == 0 || len(parts.Progress) > 1000 {
		t.Errorf("a poll without news: have %d bytes of progress and %d of figures, want some and none", len(parts.Progress), len(parts.Figures))
	}

	busy := l.Begin(clock(noon))
	busy.Apply(ended(50, 0), Polling)
	busy.Stamp(noon)
	parts := mustMarshalParts(t, busy, false)
	if len(parts.Identities) != rowSize || parts.Figures == nil {
		t.Errorf("a new chat: have %d bytes of identities and %d of figures, want %d and some", len(parts.Identities), len(parts.Figures), rowSize)
	}
	saved.save(parts, false)
	want, err := busy.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if have := saved.join(t); !bytes.Equal(have, want) {
		t.Errorf("joined: have\n%q\nwant\n%q", have, want)
	}
}

// A label set that was born in the future is no longer new, also after the next load.
func TestTransaction_MarshalsFiguresAfterClockWasSetBack(t *testing.T) {
	l, err := Unmarshal(mustMarshal(t, full(t)), withAgents(2), noon.Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	transaction := l.Begin(clock(noon))
	if parts := mustMarshalParts(t, transaction, false); parts.Figures == nil {
		t.Error("have no figures, want those with other origins")
	}
	transaction.Commit()
	if parts := mustMarshalParts(t, l.Begin(clock(noon)), false); parts.Figures != nil {
		t.Error("committed: have figures, want none")
	}
}

// The parts of a released version must be joined forever, so -update only writes those that
// are missing.
func TestSplit_MatchesGoldenParts(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "state-v1*.state"))
	if err != nil || len(files) == 0 {
		t.Fatal("no golden states", err)
	}
	for _, file := range files {
		state, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parts, err := Split(state)
		if err != nil {
			t.Fatal(err)
		}
		golden := map[string][]byte{".progress": parts.Progress, ".figures": parts.Figures}
		for suffix, have := range golden {
			name := strings.TrimSuffix(file, ".state") + suffix
			if *update {
				writeMissing(t, name, have)
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(have, want) {
				t.Errorf("%s: have\n%q\nwant\n%q", name, have, want)
			}
			golden[suffix] = want
		}
		if !bytes.HasSuffix(state, parts.Identities) {
			t.Errorf("%s: its identities are not those of the parts", file)
		}
		joined, err := Join(golden[".progress"], golden[".figures"], [][]byte{parts.Identities})
		if err != nil || !bytes.Equal(joined, state) {
			t.Errorf("%s: joined, have\n%q, %v\nwant\n%q", file, joined, err, state)
		}
	}
}

func TestJoin_RefusesPartsThatDoNotBelongTogether(t *testing.T) {
	parts := mustMarshalParts(t, full(t).Begin(clock(noon)), true)
	newer := append([]byte("ledger v2\n"), parts.Progress[len(versionLine()):]...)
	columns, err := encoding.Marshal(stateV1{Identities: identitiesV1{Columns: append(slices.Clone(columnsV1), columnV1{"agent", 4})}})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		progress, figures []byte
		segments          [][]byte
		want              error
	}{
		"no progress":         {nil, parts.Figures, [][]byte{parts.Identities}, ErrCorrupt},
		"no figures":          {parts.Progress, nil, [][]byte{parts.Identities}, ErrCorrupt},
		"no segment":          {parts.Progress, parts.Figures, nil, ErrCorrupt},
		"a truncated segment": {parts.Progress, parts.Figures, [][]byte{parts.Identities[:rowSize+1]}, ErrCorrupt},
		"truncated figures":   {parts.Progress, parts.Figures[:len(parts.Figures)-1], [][]byte{parts.Identities}, ErrCorrupt},
		"a newer version":     {newer, parts.Figures, [][]byte{parts.Identities}, ErrNewer},
		"another column":      {append(versionLine(), columns...), parts.Figures, nil, ErrNewer},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Join(tt.progress, tt.figures, tt.segments); !errors.Is(err, tt.want) {
				t.Errorf("have %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := Split([]byte("no state")); !errors.Is(err, ErrCorrupt) {
		t.Errorf("Split: have %v, want %v", err, ErrCorrupt)
	}
}

func FuzzJoin(f *testing.F) {
	parts := mustMarshalParts(f, full(f).Begin(clock(noon)), true)
	f.Add(parts.Progress, parts.Figures, parts.Identities, []byte(nil))
	f.Add(parts.Progress, parts.Figures, parts.Identities[:rowSize], parts.Identities[rowSize:])
	f.Add([]byte("ledger v2\n"), parts.Figures, parts.Identities, parts.Identities)
	f.Fuzz(func(t *testing.T, progress, figures, first, second []byte) {
		state, err := Join(progress, figures, [][]byte{first, second})
		if err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewer) && !errors.Is(err, ErrOlder) {
				t.Errorf("have %v, which no caller knows", err)
			}
			return
		}
		split, err := Split(state)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Join(split.Progress, split.Figures, [][]byte{split.Identities})
		if err != nil || !bytes.Equal(again, state) {
			t.Errorf("have\n%q, %v\nwant\n%q", again, err, state)
		}
	})
}
