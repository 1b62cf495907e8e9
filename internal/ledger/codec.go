package ledger

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// A saved state is
//
//	"ledger v1\n" | head | identities
//
// The head is a [stateV1] in deterministic CBOR (RFC 8949). Each identity is a row of the
// columns that the head names, little-endian, in ascending order of id. The first line
// has this form in every version. The envelope that a store adds, such as a checksum, has
// its own version.
//
// Version 1 can be extended by names: a measure, an outcome, a sender, a field, a counter,
// a label, or a key of the head, of the progress or of a set. A program keeps unknown names
// and unknown facts, and writes them back. All other changes need version 2: another column
// of identities, another key of a gap or of a histogram, and anything that an older program
// would read incorrectly.
const (
	signature    = "ledger v"
	stateVersion = 1
)

// columnsV1 are the columns of an identity.
var columnsV1 = []columnV1{{"id", 8}, {"facts", 8}, {"until", 4}, {"digest", 2}}

// rowSize is the size of an identity: the sum of its columns.
const rowSize = 8 + 8 + 4 + 2

// Errors of a state that cannot be loaded.
var (
	// ErrNewer is the error of a state written by a newer version of this program.
	ErrNewer = errors.New("written by a newer version of wolkvox_exporter: run that one")
	// ErrCorrupt is the error of a damaged state.
	ErrCorrupt = errors.New("the state is damaged")
	// ErrOlder is the error of a state written by a version that was never released.
	ErrOlder = errors.New("written by a development version before 0.1.0: move it away and start again")
)

// Marshal returns the state to save: the ledger as it will be after the transaction. The
// same ledger always has the same bytes.
func (t *Transaction) Marshal() ([]byte, error) {
	return marshalWhole(t.toV1(), t.identities())
}

func marshalWhole(head *stateV1, identities []identity) ([]byte, error) {
	head.Identities = identitiesV1{Count: uint64(len(identities)), Columns: columnsV1}
	encoded, err := encoding.Marshal(head)
	if err != nil {
		return nil, fmt.Errorf("encoding the state: %w", err)
	}
	line := versionLine()
	state := make([]byte, 0, len(line)+len(encoded)+len(identities)*rowSize)
	return appendRows(append(append(state, line...), encoded...), identities), nil
}

// versionLine returns the first line of a state.
func versionLine() []byte { return fmt.Appendf(nil, "%s%d\n", signature, stateVersion) }

// identity is the ID of a chat and what is remembered of it.
type identity struct {
	id wolkvox.ID
	entry
}

// identities returns the identities after the transaction, sorted by ID.
func (t *Transaction) identities() []identity {
	all := make([]identity, 0, len(t.ledger.seen)+len(t.seen))
	for id, e := range t.ledger.seen {
		if _, changed := t.seen[id]; !changed && !e.isForgotten(t.floor) {
			all = append(all, identity{id, e})
		}
	}
	for id, e := range t.seen {
		if !e.isForgotten(t.floor) {
			all = append(all, identity{id, e})
		}
	}
	return sortByID(all)
}

// sortByID returns identities sorted by their IDs. IDs are hashes, so they divide evenly
// into buckets by their highest bits. Sorting small buckets takes a third of the time of
// sorting all identities at once.
func sortByID(all []identity) []identity {
	width := max(bits.Len(uint(len(all)))-3, 0)
	next := make([]int, 1<<width+1) // next index in each bucket; after the loop the bucket's end
	for _, i := range all {
		next[i.id>>(64-width)+1]++
	}
	for bucket := range 1 << width {
		next[bucket+1] += next[bucket]
	}
	sorted := make([]identity, len(all))
	for _, i := range all {
		index := &next[i.id>>(64-width)]
		sorted[*index] = i
		*index++
	}
	start := 0
	for _, end := range next[:1<<width] {
		slices.SortFunc(sorted[start:end], func(a, b identity) int { return cmp.Compare(a.id, b.id) })
		start = end
	}
	return sorted
}

// Unmarshal returns a ledger from its saved state. The error is [ErrNewer] for the state of
// a newer program, [ErrOlder] for that of an older one, and [ErrCorrupt] for a damaged one.
// now has a monotonic clock reading, so that later changes of the wall clock do not change
// the age of a label set.
func Unmarshal(saved []byte, options Options, now time.Time) (*Ledger, error) {
	l, err := decode(saved, options, now)
	if err != nil {
		return nil, classify(err)
	}
	return l, nil
}

// classify wraps an error of decoding a state in [ErrCorrupt], unless it is one of the others.
func classify(err error) error {
	if !errors.Is(err, ErrNewer) && !errors.Is(err, ErrOlder) {
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return fmt.Errorf("decoding the state: %w", err)
}

// cutHead returns the head of a state and the rows of its identities.
func cutHead(saved []byte) (head *stateV1, rows []byte, err error) {
	rest, err := cutVersion(saved)
	if err != nil {
		return nil, nil, err
	}
	head = &stateV1{}
	rows, err = decoding.UnmarshalFirst(rest, head)
	if err != nil {
		return nil, nil, decodingError(err)
	}
	if !slices.Equal(head.Identities.Columns, columnsV1) {
		return nil, nil, ErrNewer
	}
	if head.Identities.Count != uint64(len(rows)/rowSize) || len(rows)%rowSize != 0 {
		return nil, nil, errors.New("its length does not match its number of identities")
	}
	return head, rows, nil
}

func decode(saved []byte, options Options, now time.Time) (*Ledger, error) {
	head, rows, err := cutHead(saved)
	if err != nil {
		return nil, err
	}
	l := New(options)
	if err := l.fromV1(head, now); err != nil {
		return nil, err
	}
	l.seen = make(map[wolkvox.ID]entry, len(rows)/rowSize)
	for row := range slices.Chunk(rows, rowSize) {
		id, e := parseRow(row)
		l.seen[id] = e
	}
	if len(l.seen) != len(rows)/rowSize {
		return nil, errors.New("it has the same identity twice")
	}
	return l, nil
}

// cutVersion returns what follows the first line of a state of this version.
func cutVersion(saved []byte) ([]byte, error) {
	// States of development versions begin with version 1 or 2 as encoding/gob writes it.
	if gob := []byte{3, 4, 0}; bytes.HasPrefix(saved, append(gob, 2)) || bytes.HasPrefix(saved, append(gob, 4)) {
		return nil, ErrOlder
	}
	line, rest, ended := bytes.Cut(saved, []byte("\n"))
	number, signed := bytes.CutPrefix(line, []byte(signature))
	version, err := strconv.ParseUint(string(number[:min(len(number), 20)]), 10, 32)
	switch {
	case !ended || !signed || err != nil || version < 1:
		return nil, errors.New("it does not begin with its version")
	case version > stateVersion:
		return nil, ErrNewer
	}
	return rest, nil
}

// encoding writes the same bytes for the same values: sorted keys, shortest numbers.
var encoding = must(cbor.CoreDetEncOptions().EncMode())

// decoding rejects what encoding does not write. It finds the end of all items before it
// allocates memory for them, so their number needs no limit.
var decoding = must(cbor.DecOptions{
	DupMapKey:         cbor.DupMapKeyEnforcedAPF,
	IndefLength:       cbor.IndefLengthForbidden,
	TagsMd:            cbor.TagsForbidden,
	MaxArrayElements:  1<<31 - 1,
	MaxMapPairs:       1<<31 - 1,
	ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
	FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
	UTF8:              cbor.UTF8DecodeInvalid, // A label is decoded as it was encoded.
}.DecMode())

func must[T any](mode T, err error) T {
	if err != nil {
		panic(err) // The options are constants.
	}
	return mode
}

// decodingError returns an error that does not contain data of the state.
func decodingError(err error) error {
	if _, ok := errors.AsType[*cbor.UnknownFieldError](err); ok {
		return ErrNewer
	}
	if _, ok := errors.AsType[*cbor.DupMapKeyError](err); ok {
		return errors.New("it has a key twice")
	}
	return err
}
