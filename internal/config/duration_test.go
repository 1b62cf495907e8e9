package config

import (
	"strings"
	"testing"
	"time"
)

func TestDuration_AcceptsGoAndPrometheusFormat(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1s": time.Second, "90s": 90 * time.Second, "1m30s": 90 * time.Second, "1.5h": 90 * time.Minute,
		"1d": 24 * time.Hour, "1w2d": 9 * 24 * time.Hour, "1500ms": 1500 * time.Millisecond,
	} {
		var have Duration
		if err := have.Set(text); err != nil || have.Duration != want {
			t.Errorf("%q: have %s and error %v, want %s", text, have.Duration, err, want)
		}
	}
}

func TestDuration_RefusesLessThanOneSecond(t *testing.T) {
	for _, text := range []string{"0s", "0", "999ms", "-1s", "-1d", "", "5", "soon", "1h1", "99999999999h"} {
		have := Duration{Duration: time.Hour}
		if err := have.Set(text); err == nil || !strings.Contains(err.Error(), `"`+text+`"`) {
			t.Errorf("%q: have error %v, want one that quotes it", text, err)
		}
		if have.Duration != time.Hour {
			t.Errorf("%q: have %s, want the value from before", text, have.Duration)
		}
	}
}

func TestDuration_IsZeroOnlyIfAllowed(t *testing.T) {
	for _, text := range []string{"0s", "0", "0m"} {
		have := Duration{Duration: time.Hour, ZeroAllowed: true}
		if err := have.Set(text); err != nil || have.Duration != 0 {
			t.Errorf("%q: have %s and error %v, want 0", text, have.Duration, err)
		}
	}
	have := Duration{ZeroAllowed: true}
	if err := have.Set("1ms"); err == nil || !strings.Contains(err.Error(), "0s") {
		t.Errorf("have error %v, want one that offers 0s", err)
	}
}

func TestDuration_PrintsPrometheusFormat(t *testing.T) {
	have := Duration{Duration: 168 * time.Hour}
	if have.String() != "1w" {
		t.Errorf("have %q, want 1w", have.String())
	}
}
