package config

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
)

// shortest keeps a slip of the pen from becoming a storm of requests.
const shortest = time.Second

// Duration is a setting of 1 s or more, written as Go or Prometheus do: 90s,
// 1h30m, 1d. It is a value for kingpin.
type Duration struct {
	time.Duration
	// ZeroAllowed is for settings that 0s switches off.
	ZeroAllowed bool
}

// Set implements kingpin.Value.
func (d *Duration) Set(text string) error {
	parsed, err := time.ParseDuration(text)
	if err != nil {
		days, err := model.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%q is no duration such as 90s, 5m or 1d", text)
		}
		parsed = time.Duration(days)
	}
	switch {
	case parsed >= shortest, parsed == 0 && d.ZeroAllowed:
		d.Duration = parsed
		return nil
	case d.ZeroAllowed:
		return fmt.Errorf("%q: 1s is the shortest, or 0s", text)
	default:
		return fmt.Errorf("%q: 1s is the shortest", text)
	}
}

// String implements kingpin.Value, in Prometheus' spelling.
func (d *Duration) String() string { return model.Duration(d.Duration).String() }
