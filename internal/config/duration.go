package config

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
)

// minDuration prevents a typing error from causing a flood of requests.
const minDuration = time.Second

// Duration is a setting of at least 1 s, in the format of Go or Prometheus: 90s, 1h30m, 1d.
// It is a value for kingpin.
type Duration struct {
	time.Duration
	// ZeroAllowed also allows 0s, which disables the setting.
	ZeroAllowed bool
}

// Set implements kingpin.Value.
func (d *Duration) Set(text string) error {
	parsed, err := time.ParseDuration(text)
	if err != nil {
		days, err := model.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("invalid duration %q (examples: 90s, 5m, 1d)", text)
		}
		parsed = time.Duration(days)
	}
	switch {
	case parsed >= minDuration, parsed == 0 && d.ZeroAllowed:
		d.Duration = parsed
		return nil
	case d.ZeroAllowed:
		return fmt.Errorf("invalid duration %q: must be at least 1s, or 0s", text)
	default:
		return fmt.Errorf("invalid duration %q: must be at least 1s", text)
	}
}

// String implements kingpin.Value, in the format of Prometheus.
func (d *Duration) String() string { return model.Duration(d.Duration).String() }
