package postgres

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
)

const (
	// mergeAfter is the number of segments that are replaced by one.
	mergeAfter = 48
	// maxPart is the size of the largest part, half of what PostgreSQL allows.
	maxPart = 512 << 20
)

// Operation is the state of one operation. Each save replaces exactly the state that was
// loaded or saved last, so that of several processes only one can save. It is for one
// goroutine at a time.
type Operation struct {
	db   *DB
	name string

	loaded   bool  // since the last error
	version  int64 // 0 if there is no state
	digest   []byte
	figures  [sha256.Size]byte // hash of the compressed figures
	chain    [sha256.Size]byte // hash of the segments
	segments int
	// size of the compressed figures and of the segments, in bytes
	figuresSize, segmentsSize int
}

// Operation returns the state of an operation.
func (db *DB) Operation(name string) *Operation { return &Operation{db: db, name: name} }

// loadSQL returns the operation's row, and then its segments, all of one moment.
const loadSQL = `SELECT version, progress, figures, digest, NULL FROM wolkvox.operation WHERE name = $1::text
UNION ALL
SELECT version, NULL, NULL, NULL, entries FROM wolkvox.seen WHERE operation = $1::text
ORDER BY 4 NULLS LAST, 1`

// Load returns the state that was saved last, as the ledger would write it in a file, or
// [fs.ErrNotExist] if there is none.
func (o *Operation) Load() ([]byte, error) {
	o.loaded = false
	rows, err := o.db.query("load", statement{loadSQL, [][]byte{[]byte(o.name)}, []int16{0, 1, 1, 1, 1}})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		*o = Operation{db: o.db, name: o.name, loaded: true}
		return nil, fmt.Errorf("operation %q in database %s: %w", o.name, o.db.target, fs.ErrNotExist)
	}
	state, err := o.join(rows)
	if err != nil {
		return nil, fmt.Errorf("operation %q in database %s: %w", o.name, o.db.target, err)
	}
	o.loaded = true
	return state, nil
}

// join returns the state of the rows of a load.
func (o *Operation) join(rows [][][]byte) ([]byte, error) {
	var segments [][]byte
	loaded := Operation{db: o.db, name: o.name}
	for _, row := range rows[1:] {
		segments = append(segments, row[4])
		loaded.addSegment(row[4])
	}
	progress, figures := rows[0][1], rows[0][2]
	version, err := strconv.ParseInt(string(rows[0][0]), 10, 64)
	if err != nil {
		return nil, ErrCorrupt
	}
	loaded.version, loaded.digest = version, rows[0][3]
	loaded.setFigures(figures)
	if !bytes.Equal(loaded.digest, loaded.sum(progress)) {
		return nil, ErrCorrupt
	}
	plain, _ := decompress(figures) // Join refuses what is incomplete.
	state, err := ledger.Join(progress, plain, segments)
	if err != nil {
		return nil, err
	}
	*o = loaded
	return state, nil
}

func (o *Operation) setFigures(figures []byte) {
	o.figures, o.figuresSize = sha256.Sum256(figures), len(figures)
}

func (o *Operation) addSegment(entries []byte) {
	hash := sha256.New()
	hash.Write(o.chain[:])
	hash.Write(entries)
	hash.Sum(o.chain[:0])
	o.segments++
	o.segmentsSize += len(entries)
}

// sum returns the digest of the state with the given progress.
func (o *Operation) sum(progress []byte) []byte {
	hash := sha256.New()
	hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(progress))))
	hash.Write(progress)
	hash.Write(o.figures[:])
	hash.Write(o.chain[:])
	return hash.Sum(nil)
}

// Save saves the ledger as it will be after the transaction, and returns the size of the
// state. It needs a Load after an error.
func (o *Operation) Save(t *ledger.Transaction) (size int, err error) {
	all := o.version == 0 || o.segments >= mergeAfter
	parts, err := t.MarshalParts(all)
	if err != nil {
		return 0, err
	}
	return o.save("save", &parts, all)
}

const (
	// insertSQL saves the first state of an operation.
	insertSQL = `WITH saved AS (
	INSERT INTO wolkvox.operation (name, version, progress, figures, digest) VALUES ($1::text, 1, $2, $3, $4)
	ON CONFLICT DO NOTHING RETURNING name, version),
kept AS (INSERT INTO wolkvox.seen (operation, version, entries) SELECT name, version, $5 FROM saved WHERE $5::bytea IS NOT NULL)
SELECT version, ` + durable + ` FROM saved`
	// updateSQL saves a state over the one with a version and a digest. Figures that are
	// NULL stay as they are. If the last parameter is not NULL, earlier segments are removed.
	updateSQL = `WITH saved AS (
	UPDATE wolkvox.operation SET version = version + 1, progress = $4, figures = coalesce($5, figures), digest = $6, saved_at = clock_timestamp()
	WHERE name = $1::text AND version = $2::text::bigint AND digest = $3
	RETURNING name, version),
gone AS (DELETE FROM wolkvox.seen s USING saved WHERE $8::bytea IS NOT NULL AND s.operation = saved.name AND s.version < saved.version),
kept AS (INSERT INTO wolkvox.seen (operation, version, entries) SELECT name, version, $7 FROM saved WHERE $7::bytea IS NOT NULL)
SELECT version, ` + durable + ` FROM saved`
	// durable makes the transaction wait until it is on the disk, whatever the role's setting.
	durable = `CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'local', true) END`
)

// save saves parts over the state that was loaded or saved last.
func (o *Operation) save(request string, parts *ledger.Parts, all bool) (size int, err error) {
	if !o.loaded {
		return 0, errNotLoaded
	}
	for _, part := range [][]byte{parts.Progress, parts.Figures, parts.Identities} {
		if len(part) > maxPart {
			return 0, fmt.Errorf("%w: a part of it has %d bytes, at most %d are allowed", errTooLarge, len(part), maxPart)
		}
	}
	next := *o
	var figures []byte
	if parts.Figures != nil {
		figures = compress(parts.Figures)
		next.setFigures(figures)
	}
	var merge []byte
	if all {
		next.chain, next.segments, next.segmentsSize, merge = [sha256.Size]byte{}, 0, 0, []byte{1}
	}
	if parts.Identities != nil {
		next.addSegment(parts.Identities)
	}
	next.digest = next.sum(parts.Progress)
	next.version++

	s := statement{updateSQL, [][]byte{
		[]byte(o.name), formatInt(o.version), o.digest, parts.Progress, figures, next.digest, parts.Identities, merge,
	}, nil}
	if o.version == 0 {
		s = statement{insertSQL, [][]byte{[]byte(o.name), parts.Progress, figures, next.digest, parts.Identities}, nil}
	}
	o.loaded = false
	rows, err := o.db.query(request, s)
	if err != nil {
		return 0, err
	}
	if len(rows) == 0 {
		return 0, fmt.Errorf("operation %q in database %s: %w", o.name, o.db.target, ErrConflict)
	}
	*o = next
	return len(parts.Progress) + o.figuresSize + o.segmentsSize, nil
}
