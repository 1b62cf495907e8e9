package cli

import (
	"io"
	"reflect"
	"slices"
	"testing"
	"time"
)

// settle reads a command line as the program does, with no environment.
func settle(t *testing.T, args ...string) flags {
	t.Helper()
	for _, name := range []string{"WOLKVOX_SERVER", "WOLKVOX_URL", "WOLKVOX_TOKEN", "WOLKVOX_TOKEN_FILE", "WOLKVOX_TIMEZONE"} {
		t.Setenv(name, "")
	}
	s, done, err := parse(args, io.Discard, io.Discard)
	if done || err != nil {
		t.Fatalf("%q: have done %v and error %v, want flags", args, done, err)
	}
	return s
}

func TestParse_HasDefaultsOfContract(t *testing.T) {
	s := settle(t)
	for name, values := range map[string][2]any{
		"command":                         {s.command, "serve"},
		"--wolkvox.server":                {s.operation.Server, ""},
		"--wolkvox.url":                   {s.operation.URL, ""},
		"--wolkvox.token-file":            {s.operation.TokenFile, ""},
		"--wolkvox.timezone":              {s.operation.TimeZone, "America/Bogota"},
		"--wolkvox.timeout":               {s.operation.Timeout.Duration, time.Minute},
		"--poll.interval":                 {s.operation.Poll.Interval.Duration, 5 * time.Minute},
		"--poll.overlap":                  {s.operation.Poll.Overlap.Duration, 30 * time.Minute},
		"--poll.reconcile-interval":       {s.operation.Poll.ReconcileInterval.Duration, time.Hour},
		"--poll.reconcile-window":         {s.operation.Poll.ReconcileWindow.Duration, 48 * time.Hour},
		"--poll.initial-window":           {s.operation.Poll.InitialWindow.Duration, 5 * time.Minute},
		"--poll.max-catch-up":             {s.operation.Poll.MaxCatchUp.Duration, 168 * time.Hour},
		"--storage.path":                  {s.storagePath, "data"},
		"--collector.agents":              {s.agents, false},
		"--collector.agent-names":         {s.agentNames, false},
		"--collector.exemplars":           {s.exemplars, false},
		"--collector.native-histograms":   {s.nativeHistograms, true},
		"--config.auto-reload-interval":   {s.autoReloadInterval.Duration, time.Duration(0)},
		"--collector.classic-histograms":  {s.classicHistograms, true},
		"--collector.max-label-sets":      {s.maxLabelSets, 1000},
		"--collector.zero-hold":           {s.zeroHold.Duration, 2 * time.Minute},
		"--web.listen-address":            {*s.web.WebListenAddresses, []string{":10042"}},
		"--web.config.file":               {*s.web.WebConfigFile, ""},
		"--web.telemetry-path":            {s.telemetryPath, "/metrics"},
		"--log.level":                     {s.logLevel, "info"},
		"--log.format":                    {s.logFormat, "logfmt"},
		"the token without WOLKVOX_TOKEN": {s.operation.Token, ""},
	} {
		if have, want := values[0], values[1]; !reflect.DeepEqual(have, want) {
			t.Errorf("%s: have %v, want %v", name, have, want)
		}
	}
}

func TestParse_DefaultCommandIsServe(t *testing.T) {
	flags := []string{"--wolkvox.server=0042", "--poll.interval=7s", "--storage.path="}
	without := settle(t, flags...)
	for _, args := range [][]string{append([]string{"serve"}, flags...), append(slices.Clone(flags), "serve")} {
		with := settle(t, args...)
		without.web, with.web = nil, nil
		if !reflect.DeepEqual(without, with) {
			t.Errorf("%q: have %+v, want %+v", args, with, without)
		}
	}
}

func TestDemo_HasOwnDefaults(t *testing.T) {
	if s := settle(t, "demo"); s.operation.Poll.Interval.Duration != 5*time.Second || s.storagePath != "" {
		t.Errorf("have interval %s and storage %q, want 5s and none", s.operation.Poll.Interval.Duration, s.storagePath)
	}
	if s := settle(t, "demo", "--poll.interval=5m", "--storage.path=data"); s.operation.Poll.Interval.Duration != 5*time.Minute || s.storagePath != "data" {
		t.Errorf("have interval %s and storage %q, want those of the flags", s.operation.Poll.Interval.Duration, s.storagePath)
	}
}

func TestDemo_ListensOnLoopbackByDefault(t *testing.T) {
	for _, test := range []struct{ args, want []string }{
		{[]string{"demo"}, []string{"127.0.0.1:10042"}},
		{[]string{"demo", "--web.listen-address=:10042"}, []string{":10042"}},
		{[]string{"--web.listen-address=:1", "--web.listen-address=[::1]:2", "demo"}, []string{":1", "[::1]:2"}},
		{[]string{"serve"}, []string{":10042"}},
	} {
		if s := settle(t, test.args...); !slices.Equal(*s.web.WebListenAddresses, test.want) {
			t.Errorf("%q: have %q, want %q", test.args, *s.web.WebListenAddresses, test.want)
		}
	}
}

func TestParse_DurationsAcceptBothFormats(t *testing.T) {
	s := settle(t, "--wolkvox.timeout=1m30s", "--poll.interval=1s", "--poll.overlap=1.5h", "--poll.reconcile-interval=1d", "--poll.reconcile-window=1w",
		"--poll.initial-window=0", "--poll.max-catch-up=1d12h", "--collector.zero-hold=0s")
	for name, values := range map[string][2]time.Duration{
		"--wolkvox.timeout":         {s.operation.Timeout.Duration, 90 * time.Second},
		"--poll.interval":           {s.operation.Poll.Interval.Duration, time.Second},
		"--poll.overlap":            {s.operation.Poll.Overlap.Duration, 90 * time.Minute},
		"--poll.reconcile-interval": {s.operation.Poll.ReconcileInterval.Duration, 24 * time.Hour},
		"--poll.reconcile-window":   {s.operation.Poll.ReconcileWindow.Duration, 7 * 24 * time.Hour},
		"--poll.initial-window":     {s.operation.Poll.InitialWindow.Duration, 0},
		"--poll.max-catch-up":       {s.operation.Poll.MaxCatchUp.Duration, 36 * time.Hour},
		"--collector.zero-hold":     {s.zeroHold.Duration, 0},
	} {
		if have, want := values[0], values[1]; have != want {
			t.Errorf("%s: have %s, want %s", name, have, want)
		}
	}
	zeros := settle(t, "--poll.overlap=0s", "--poll.reconcile-interval=0s", "--poll.max-catch-up=0s")
	if zeros.operation.Poll.Overlap.Duration != 0 || zeros.operation.Poll.ReconcileInterval.Duration != 0 || zeros.operation.Poll.MaxCatchUp.Duration != 0 {
		t.Errorf("have %s, %s, %s, want 0 for each", zeros.operation.Poll.Overlap.Duration, zeros.operation.Poll.ReconcileInterval.Duration, zeros.operation.Poll.MaxCatchUp.Duration)
	}
}
