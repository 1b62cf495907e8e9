package backfill

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/regular"
)

// settings are names and values.
type settings [][2]string

// position is how far a run has come.
type position struct {
	Read    time.Time // the report is read up to there
	Next    int       // sample
	State   []byte    // of the ledger
	Waiting []ended
}

// spool keeps on disk how the metrics change, metric by metric, and the position
// that this is the truth of. Both are saved at once, or neither.
type spool struct{ db *bbolt.DB }

// The buckets: settings by name; the position; for each metric a bucket of its
// chunks by their first sample.
var (
	settingsBucket = []byte("settings")
	positionBucket = []byte("position")
	metricsBucket  = []byte("metrics")

	positionKey = []byte("now")
)

// openSpool begins a spool, or goes on with one of the same settings.
func openSpool(path string, want settings) (*spool, error) {
	if err := regular.Check(path, math.MaxInt64); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("opening the spool %q: %w", path, err)
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if errors.Is(err, bbolterrors.ErrTimeout) {
		err = errors.New("in use by another backfill")
	}
	if err != nil {
		return nil, fmt.Errorf("opening the spool %q: %w", path, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		if bucket := tx.Bucket(settingsBucket); bucket != nil {
			return want.compare(path, bucket)
		}
		return want.begin(tx)
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &spool{db}, nil
}

func (s settings) begin(tx *bbolt.Tx) error {
	for _, name := range [][]byte{settingsBucket, positionBucket, metricsBucket} {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	for _, setting := range s {
		if err := tx.Bucket(settingsBucket).Put([]byte(setting[0]), []byte(setting[1])); err != nil {
			return err
		}
	}
	return nil
}

func (s settings) compare(path string, bucket *bbolt.Bucket) error {
	for _, setting := range s {
		if was := bucket.Get([]byte(setting[0])); string(was) != setting[1] {
			return fmt.Errorf("%q cannot be resumed: its %s is %s, not %s", path, setting[0], was, setting[1])
		}
	}
	return nil
}

func (s *spool) close() error { return s.db.Close() }

// position is the zero position in a new spool.
func (s *spool) position() (p position, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		saved := tx.Bucket(positionBucket).Get(positionKey)
		if saved == nil {
			return nil
		}
		return gob.NewDecoder(bytes.NewReader(saved)).Decode(&p)
	})
	if err != nil {
		return p, fmt.Errorf("reading the spool: %w", err)
	}
	return p, nil
}

// save adds chunks. What it returned nil for is there after a crash.
func (s *spool) save(p position, chunks map[string]chunk) error {
	var encoded bytes.Buffer
	if err := gob.NewEncoder(&encoded).Encode(p); err != nil {
		return fmt.Errorf("encoding the position: %w", err)
	}
	err := s.db.Update(func(tx *bbolt.Tx) error {
		if err := tx.Bucket(positionBucket).Put(positionKey, encoded.Bytes()); err != nil {
			return err
		}
		metrics := tx.Bucket(metricsBucket)
		for key, chunk := range chunks {
			metric, err := metrics.CreateBucketIfNotExists([]byte(key))
			if err != nil {
				return err
			}
			first := binary.BigEndian.AppendUint64(nil, uint64(chunk.first)) //nolint:gosec // Samples are numbered from 0.
			if err := metric.Put(first, chunk.changes); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("saving to the spool: %w", err)
	}
	return nil
}

// each gives the changes of a metric, oldest first. The values are good until the
// next.
func (s *spool) each(key string, do func(n int, values []float64)) error {
	return s.db.View(func(tx *bbolt.Tx) error {
		metric := tx.Bucket(metricsBucket).Bucket([]byte(key))
		if metric == nil {
			return nil
		}
		return metric.ForEach(func(_, changes []byte) error { return eachChange(changes, do) })
	})
}
