package backfill

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"time"

	"github.com/fxamacker/cbor/v2"
	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/regular"
)

// settings holds names and values.
type settings [][2]string

// position is the progress of a run.
type position struct {
	Read    time.Time // the report has been read up to here
	Next    int       // sample
	State   []byte    // of the ledger
	Waiting []endedChat
}

// spool stores on disk how each metric changes, and the position up to which this is
// complete. Each save stores both in one transaction.
type spool struct{ db *bbolt.DB }

// The database has settings by name, the position, and for each metric a bucket with its
// chunks by their first sample.
var (
	settingsBucket = []byte("settings")
	positionBucket = []byte("position")
	metricsBucket  = []byte("metrics")

	positionKey = []byte("position")
)

// The position contains the API's labels, which may not be UTF-8, and any number of chats.
var (
	spoolEncoding, _ = cbor.EncOptions{Time: cbor.TimeRFC3339Nano}.EncMode()
	spoolDecoding, _ = cbor.DecOptions{UTF8: cbor.UTF8DecodeInvalid, MaxArrayElements: math.MaxInt32}.DecMode()
)

// openSpool creates a spool, or opens one that has the same settings.
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
		return want.create(tx)
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &spool{db}, nil
}

func (s settings) create(tx *bbolt.Tx) error {
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
		if saved := bucket.Get([]byte(setting[0])); string(saved) != setting[1] {
			return fmt.Errorf("%q cannot be resumed: its %s is %s, not %s", path, setting[0], saved, setting[1])
		}
	}
	return nil
}

func (s *spool) close() error { return s.db.Close() }

// position returns the saved position, or the zero position of a new spool.
func (s *spool) position() (p position, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		saved := tx.Bucket(positionBucket).Get(positionKey)
		if saved == nil {
			return nil
		}
		return spoolDecoding.Unmarshal(saved, &p)
	})
	if err != nil {
		return p, fmt.Errorf("reading the spool: %w", err)
	}
	return p, nil
}

// save stores the position and adds chunks. They survive a crash once it has returned nil.
func (s *spool) save(p position, chunks map[string]chunk) error {
	encoded, err := spoolEncoding.Marshal(p)
	if err != nil {
		return fmt.Errorf("encoding the position: %w", err)
	}
	err = s.db.Update(func(tx *bbolt.Tx) error {
		if err := tx.Bucket(positionBucket).Put(positionKey, encoded); err != nil {
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

// each calls do for each change of a metric, oldest first. The values are valid until the
// next call.
func (s *spool) each(key string, do func(n int, values []float64)) error {
	return s.db.View(func(tx *bbolt.Tx) error {
		metric := tx.Bucket(metricsBucket).Bucket([]byte(key))
		if metric == nil {
			return nil
		}
		return metric.ForEach(func(_, changes []byte) error { return eachChange(changes, do) })
	})
}
