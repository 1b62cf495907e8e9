package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Parts are a state in parts, for a store that writes only what a transaction has changed.
// [Join] makes the state of them.
//
// The version of the state, as in a whole one, precedes the progress. The other parts have
// the version of the progress that was saved with or after them.
type Parts struct {
	// Progress is the head of the state without its sets. It is part of each save.
	Progress []byte
	// Figures are the sets. They are nil if they have not changed.
	Figures []byte
	// Identities are a segment of the remembered chats: rows as in a whole state, in
	// ascending order of id. They are nil if there are none.
	Identities []byte
}

// MarshalParts returns the parts of the state that the transaction has changed: the progress,
// the figures if a label set or an agent differs, and the identities that differ.
// If all is true, it returns everything, and identities replaces all segments before.
func (t *Transaction) MarshalParts(all bool) (Parts, error) {
	head := t.toV1()
	var parts Parts
	var err error
	if all || t.ledger.restamped || len(t.tallies.changed)+len(t.agents.changed) > 0 {
		if parts.Figures, err = marshalFigures(head.Sets); err != nil {
			return Parts{}, err
		}
	}
	identities := t.changedIdentities()
	count := t.rememberedCount()
	if all {
		identities = t.identities()
	}
	if len(identities) > 0 {
		parts.Identities = appendRows(make([]byte, 0, len(identities)*rowSize), identities)
	}
	parts.Progress, err = marshalProgress(head, count)
	return parts, err
}

// changedIdentities returns the identities that the transaction has changed, sorted by ID.
func (t *Transaction) changedIdentities() []identity {
	changed := make([]identity, 0, len(t.seen))
	for id, e := range t.seen {
		if !e.isForgotten(t.floor) {
			changed = append(changed, identity{id, e})
		}
	}
	return sortByID(changed)
}

// rememberedCount returns the number of identities after the transaction.
func (t *Transaction) rememberedCount() (n int) {
	for id, e := range t.ledger.seen {
		if _, changed := t.seen[id]; !changed && !e.isForgotten(t.floor) {
			n++
		}
	}
	for _, e := range t.seen {
		if !e.isForgotten(t.floor) {
			n++
		}
	}
	return n
}

func marshalProgress(head *stateV1, identities int) ([]byte, error) {
	progress := *head
	progress.Sets = nil
	progress.Identities = identitiesV1{Count: uint64(identities), Columns: columnsV1} //nolint:gosec // A length is not negative.
	encoded, err := encoding.Marshal(progress)
	if err != nil {
		return nil, fmt.Errorf("encoding the state: %w", err)
	}
	return append(versionLine(), encoded...), nil
}

func marshalFigures(sets []setV1) ([]byte, error) {
	encoded, err := encoding.Marshal(stateV1{Sets: sets})
	if err != nil {
		return nil, fmt.Errorf("encoding the state: %w", err)
	}
	return encoded, nil
}

// Split returns all parts of a whole state. The errors are those of [Unmarshal].
func Split(state []byte) (Parts, error) {
	head, rows, err := cutHead(state)
	if err != nil {
		return Parts{}, classify(err)
	}
	var parts Parts
	if parts.Figures, err = marshalFigures(head.Sets); err != nil {
		return Parts{}, err
	}
	if len(rows) > 0 {
		parts.Identities = slices.Clone(rows)
	}
	parts.Progress, err = marshalProgress(head, len(rows)/rowSize)
	return parts, err
}

// Join returns the whole state of its parts, as [Transaction.Marshal] would have returned it.
// segments are in the order in which they were saved: of the rows of an identity, the last
// one counts. The errors are those of [Unmarshal].
func Join(progress, figures []byte, segments [][]byte) ([]byte, error) {
	state, err := join(progress, figures, segments)
	if err != nil {
		return nil, classify(err)
	}
	return state, nil
}

func join(progress, figures []byte, segments [][]byte) ([]byte, error) {
	rest, err := cutVersion(progress)
	if err != nil {
		return nil, err
	}
	var head, sets stateV1
	if err := decoding.Unmarshal(rest, &head); err != nil {
		return nil, decodingError(err)
	}
	if err := decoding.Unmarshal(figures, &sets); err != nil {
		return nil, decodingError(err)
	}
	if !slices.Equal(head.Identities.Columns, columnsV1) {
		return nil, ErrNewer
	}
	head.Sets = sets.Sets
	identities, err := joinSegments(segments, wolkvox.LocalTime(head.Floor))
	if err != nil {
		return nil, err
	}
	if head.Identities.Count != uint64(len(identities)) {
		return nil, fmt.Errorf("it has %d identities, its progress says %d", len(identities), head.Identities.Count)
	}
	return marshalWhole(&head, identities)
}

// joinSegments returns the identities of segments that are not forgotten, sorted by ID.
func joinSegments(segments [][]byte, floor wolkvox.LocalTime) ([]identity, error) {
	size := 0
	for _, segment := range segments {
		size += len(segment)
	}
	last := make(map[wolkvox.ID]entry, size/rowSize)
	for _, segment := range segments {
		if len(segment)%rowSize != 0 {
			return nil, errors.New("a segment of its identities is truncated")
		}
		for row := range slices.Chunk(segment, rowSize) {
			id, e := parseRow(row)
			last[id] = e
		}
	}
	identities := make([]identity, 0, len(last))
	for id, e := range last {
		if !e.isForgotten(floor) {
			identities = append(identities, identity{id, e})
		}
	}
	return sortByID(identities), nil
}

func appendRows(b []byte, identities []identity) []byte {
	for _, i := range identities {
		b = binary.LittleEndian.AppendUint64(b, uint64(i.id))
		b = binary.LittleEndian.AppendUint64(b, uint64(i.facts))
		b = binary.LittleEndian.AppendUint32(b, i.until)
		b = binary.LittleEndian.AppendUint16(b, i.digest)
	}
	return b
}

func parseRow(row []byte) (wolkvox.ID, entry) {
	return wolkvox.ID(binary.LittleEndian.Uint64(row)), entry{
		facts:  facts(binary.LittleEndian.Uint64(row[8:])),
		until:  binary.LittleEndian.Uint32(row[16:]),
		digest: binary.LittleEndian.Uint16(row[20:]),
	}
}
