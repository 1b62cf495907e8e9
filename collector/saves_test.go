package collector

import (
	"errors"
	"io/fs"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestSaveMetrics_MeasureEachSave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewPedanticRegistry()
		below := &memory{err: fs.ErrNotExist, takes: 2 * time.Second}
		m := NewSaveMetrics()
		reg.MustRegister(collectFunc(func(ch chan<- prometheus.Metric) { m.collect(ch, "wv0042") }))
		store := m.Measure(below)
		check := func(when string, wantBytes float64, wantSaves uint64) {
			t.Helper()
			have := gatherFrom(t, reg)
			if have := valuesByLabels(have["wolkvox_exporter_state_bytes"])[""]; have != wantBytes {
				t.Errorf("%s: have %v bytes, want %v", when, have, wantBytes)
			}
			saves := have["wolkvox_exporter_state_save_duration_seconds"].GetMetric()[0].GetHistogram()
			if saves.GetSampleCount() != wantSaves || saves.GetSampleSum() != 2*float64(wantSaves) {
				t.Errorf("%s: have saves %v, want %d of 2 s each", when, saves, wantSaves)
			}
		}

		if _, err := store.Load(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("have error %v, want the store's", err)
		}
		check("nothing to load", 0, 0)
		below.err = nil
		below.state = make([]byte, 700)
		if state, err := store.Load(); err != nil || len(state) != 700 {
			t.Errorf("have %d bytes and error %v, want 700", len(state), err)
		}
		check("loaded", 700, 0)
		below.size = 900
		if size, err := store.Save(nil); err != nil || size != 900 || len(below.state) != 900 {
			t.Errorf("have %d bytes below and error %v, want 900", len(below.state), err)
		}
		check("saved", 900, 1)
		below.size, below.err = 1000, fs.ErrPermission
		if _, err := store.Save(nil); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("have error %v, want the store's", err)
		}
		check("failed", 900, 2)
		wantFailures := func(want float64) {
			t.Helper()
			if have := valuesByLabels(gatherFrom(t, reg)["wolkvox_exporter_state_save_failures_total"])[""]; have != want {
				t.Errorf("have %v failures, want %v", have, want)
			}
		}
		wantFailures(1)
		// Before it is loaded again, nothing can be saved.
		for range 2 {
			_, _ = store.Load()
		}
		wantFailures(3)
		below.err = nil
		_, _ = store.Load()
		below.err = fs.ErrPermission
		_, _ = store.Load()
		wantFailures(3)
	})
}
