package ledger

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// stateVersion rises when an older program could not read a state rightly.
const stateVersion = 2

// Errors of a state of another version.
var (
	// ErrNewer says that a state was written by a newer version of this program.
	ErrNewer = errors.New("written by a newer version of wolkvox_exporter: run that one")
	// ErrCorrupt says that a state is damaged.
	ErrCorrupt = errors.New("the state is damaged")
	// ErrOlder says that a state was written by a version that was never released.
	ErrOlder = errors.New("written by a development version before 0.1.0: move it away and start again")
)

// state is a book as it is saved: its version and this, encoded by
// encoding/gob. What is remembered of the chats, nearly all of it, is packed by
// hand: 18 bytes each.
type state struct {
	Progress Progress
	Floor    wolkvox.LocalTime
	Tallies  []LabelSet // a map of gob's may claim any size
	Agents   []AgentSet // likewise
	Counts   Counts
	Seen     []byte
}

// entrySize is an ID, parts, a date and a digest.
const entrySize = 8 + 4 + 4 + 2

// Marshal is the book as it will be after the transaction, to be saved. Its new
// label sets are born now, and not when their first chats were asked for: that may
// be longer ago than anybody holds them back.
func (t *Transaction) Marshal(now time.Time) ([]byte, error) {
	t.tallies.stamp(now)
	t.agents.stamp(now)
	tallies, agents := t.tallies.all(), t.agents.all()
	s := state{
		Progress: t.Progress,
		Floor:    t.floor,
		Tallies:  make([]LabelSet, 0, len(tallies)),
		Agents:   make([]AgentSet, 0, len(agents)),
		Counts:   t.counts,
		Seen:     make([]byte, 0, (len(t.book.seen)+len(t.seen))*entrySize),
	}
	for labels, tally := range tallies {
		s.Tallies = append(s.Tallies, LabelSet{labels, tally})
	}
	for agent, tally := range agents {
		s.Agents = append(s.Agents, AgentSet{agent, tally})
	}
	for id, e := range t.book.seen {
		if _, changed := t.seen[id]; !changed && !e.forgotten(t.floor) {
			s.Seen = e.append(s.Seen, id)
		}
	}
	for id, e := range t.seen {
		if !e.forgotten(t.floor) {
			s.Seen = e.append(s.Seen, id)
		}
	}
	var encoded bytes.Buffer
	encoder := gob.NewEncoder(&encoded)
	if err := errors.Join(encoder.Encode(stateVersion), encoder.Encode(s)); err != nil {
		return nil, fmt.Errorf("encoding the state: %w", err)
	}
	return encoded.Bytes(), nil
}

func (e entry) append(to []byte, id wolkvox.ID) []byte {
	to = binary.LittleEndian.AppendUint64(to, uint64(id))
	to = binary.LittleEndian.AppendUint32(to, uint32(e.parts))
	to = binary.LittleEndian.AppendUint32(to, e.until)
	return binary.LittleEndian.AppendUint16(to, e.digest)
}

// Unmarshal is a book from its saved state. The error is [ErrNewer] for that
// of a newer program, [ErrOlder] for that of an older one, and [ErrCorrupt] for one that
// is damaged. With now, which has a monotonic clock's reading, the age of
// a label set does not depend on how the wall clock is set from then on.
func Unmarshal(saved []byte, options Options, now time.Time) (*Book, error) {
	s, err := decode(saved)
	switch {
	case errors.Is(err, ErrNewer), errors.Is(err, ErrOlder):
		return nil, fmt.Errorf("decoding the state: %w", err)
	case err != nil:
		return nil, fmt.Errorf("decoding the state: %w: %w", ErrCorrupt, err)
	}
	b := New(options)
	b.progress, b.floor, b.counts = s.Progress, s.Floor, s.Counts
	for _, set := range s.Tallies {
		set.load(&options, now)
		b.tallies[set.Labels] = set.Tally
	}
	for _, set := range s.Agents {
		set.load(now)
		b.agents[set.Agent] = set.AgentTally
	}
	b.seen = make(map[wolkvox.ID]entry, len(s.Seen)/entrySize)
	for seen := s.Seen; len(seen) > 0; seen = seen[entrySize:] {
		b.seen[wolkvox.ID(binary.LittleEndian.Uint64(seen))] = entry{
			parts:  parts(binary.LittleEndian.Uint32(seen[8:])),
			until:  binary.LittleEndian.Uint32(seen[12:]),
			digest: binary.LittleEndian.Uint16(seen[16:]),
		}
	}
	return b, nil
}

// decode reads the version before the rest, whose layout goes with it.
func decode(saved []byte) (s state, err error) {
	decoder := gob.NewDecoder(bytes.NewReader(saved))
	var version int
	if err := decoder.Decode(&version); err != nil {
		return s, err
	}
	switch {
	case version > stateVersion:
		return s, ErrNewer
	case version < 1:
		return s, errors.New("it has no version")
	case version < stateVersion:
		return s, ErrOlder
	}
	if err := decoder.Decode(&s); err != nil {
		return s, err
	}
	return s, s.check()
}

// check makes sure that what was decoded can be counted on with.
func (s *state) check() error {
	if len(s.Seen)%entrySize != 0 {
		return errors.New("what is remembered of the chats is cut")
	}
	for _, set := range s.Tallies {
		if set.Tally == nil {
			return errors.New("a label set has no figures")
		}
		for m := range Measure(Measures) {
			if !set.Histograms[m].fits() {
				return errors.New("a label set has buckets that do not fit")
			}
		}
	}
	for _, set := range s.Agents {
		if set.AgentTally == nil {
			return errors.New("an agent has no figures")
		}
	}
	return nil
}
