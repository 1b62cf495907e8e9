package manager

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/config"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/postgres"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
)

// A database is back sooner than a state is repaired.
func TestLoader_AsksDatabaseAgainSoon(t *testing.T) {
	away := fmt.Errorf("loading: %w", postgres.ErrUnavailable)
	for _, test := range []struct {
		err            error
		interval, want time.Duration
	}{
		{away, 5 * time.Minute, 10 * time.Second},
		{away, time.Second, time.Second},
		{errors.New("damaged"), 5 * time.Minute, 5 * time.Minute},
	} {
		l := &loader{err: test.err, target: config.Target{}}
		l.target.Operation.Poll.Interval.Duration = test.interval
		if have := l.retryInterval(); have != test.want {
			t.Errorf("%v every %s: have %s, want %s", test.err, test.interval, have, test.want)
		}
	}
}

func TestClassifyLoadError_OfDatabase(t *testing.T) {
	for err, want := range map[error]status.LoadFailure{
		postgres.ErrCorrupt:     status.StateCorrupt,
		postgres.ErrUnavailable: status.StateUnreadable,
		postgres.ErrNoSchema:    status.StateUnreadable,
	} {
		if have := ClassifyLoadError(fmt.Errorf("loading: %w", err)); have != want {
			t.Errorf("%v: have %s, want %s", err, have, want)
		}
	}
}
