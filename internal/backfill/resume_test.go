package backfill

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func TestRun_ResumesToSameOutput(t *testing.T) {
	whole := newPast("America/Bogota", "2026-01-30T20:11:07Z", 2*day)
	want, err := whole.run(t)
	if err != nil {
		t.Fatal(err)
	}
	p := newPast("America/Bogota", "2026-01-30T20:11:07Z", 2*day)
	p.options.Output = filepath.Join(t.TempDir(), "out.om")
	p.stop = func(n int, cancel context.CancelFunc) {
		if n%3 == 0 {
			cancel()
		}
	}
	for run := 1; ; run++ {
		p.options.Resume = run > 1
		out, err := p.run(t)
		if out != "" {
			t.Errorf("have %q on standard output", out)
		}
		if err == nil {
			if run < 2 {
				t.Errorf("have %d runs, want some that were interrupted", run)
			}
			break
		}
		if want := fmt.Sprintf("interrupted; to resume from %q, run the same command with --resume", p.options.Output+".partial"); err.Error() != want {
			t.Fatalf("have error %q, want %q", err, want)
		}
		if _, err := os.Stat(p.options.Output); err == nil {
			t.Fatal("an interrupted run leaves an output")
		}
		if run == 10 {
			t.Fatal("it does not get on")
		}
	}
	have, err := os.ReadFile(p.options.Output)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Error("a resumed run writes another text")
	}
	if p.requests > 2*whole.requests {
		t.Errorf("have %d requests, want about the %d of a run that is not interrupted", p.requests, whole.requests)
	}
	wantFiles(t, p.options.Output)
}

// wantFiles compares what is beside the output.
func wantFiles(t *testing.T, output string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(output))
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, entry := range entries {
		if entry.Name() != filepath.Base(output) {
			have = append(have, entry.Name())
		}
	}
	if fmt.Sprint(have) != fmt.Sprint(want) {
		t.Errorf("beside the output: have %v, want %v", have, want)
	}
}

func TestRun_LeavesNoFilesIfNothingWasRead(t *testing.T) {
	p := newPast("America/Bogota", "2026-01-10T00:00:00Z", day)
	p.options.Output = filepath.Join(t.TempDir(), "out.om")
	p.stop = func(_ int, cancel context.CancelFunc) { cancel() }
	if _, err := p.run(t); err == nil || err.Error() != "interrupted" {
		t.Errorf("have error %v, want interrupted", err)
	}
	wantFiles(t, p.options.Output)
}

func TestRun_RefusesToResumeOtherSettings(t *testing.T) {
	p := newPast("America/Bogota", "2026-01-10T00:00:00Z", 2*day)
	p.options.Output = filepath.Join(t.TempDir(), "out.om")
	p.stop = func(n int, cancel context.CancelFunc) {
		if n == 3 {
			cancel()
		}
	}
	if _, err := p.run(t); err == nil {
		t.Fatal("it was not interrupted")
	}
	for name, test := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"from":      {func(o *Options) { o.From = o.From.Add(time.Hour) }, "its --from is 2026-01-10T00:00:00Z, not 2026-01-10T01:00:00Z"},
		"to":        {func(o *Options) { o.To = o.To.Add(-time.Hour) }, "its --to is 2026-01-12T00:00:00Z, not 2026-01-11T23:00:00Z"},
		"step":      {func(o *Options) { o.Step = time.Hour }, "its --step is 20m0s, not 1h0m0s"},
		"operation": {func(o *Options) { o.Operation = "other" }, "its operation is test, not other"},
		"zone":      {func(o *Options) { o.Zone = time.UTC }, "its --wolkvox.timezone is America/Bogota, not UTC"},
		"agents":    {func(o *Options) { o.Ledger.Agents = false }, "its --collector.agents is true, not false"},
		"labels":    {func(o *Options) { o.Labels = map[string]string{"job": "wolkvox"} }, `its --label is map[], not map["job":"wolkvox"]`},
		"begin":     {func(o *Options) { o.Resume = false }, "belongs to an interrupted run: resume it with --resume, or delete it"},
		"no such":   {func(o *Options) { o.Output += "2" }, "nothing to resume"},
		"output":    {func(o *Options) { o.Output = filepath.Dir(o.Output) }, "already exists: delete it, or choose another --output"},
	} {
		t.Run(name, func(t *testing.T) {
			other := &past{options: p.options, stop: p.stop}
			other.options.Resume = true
			test.change(&other.options)
			if _, err := other.run(t); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("have error %v, want one with %q", err, test.want)
			}
			if other.requests != 0 {
				t.Errorf("have %d requests, want none", other.requests)
			}
			wantFiles(t, p.options.Output, "out.om.partial")
		})
	}
}

func TestOpenSpool_RefusesSpoolInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool")
	first, err := openSpool(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.close() }()
	if _, err := openSpool(path, nil); err == nil || !strings.Contains(err.Error(), "in use by another backfill") {
		t.Errorf("have error %v, want one that it is in use", err)
	}
}

func TestSpool_KeepsPosition(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: 100,000 chats in one goroutine")
	}
	s, err := openSpool(filepath.Join(t.TempDir(), "spool"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.close() }()
	chat := wolkvox.Chat{ID: 1 << 63, End: 7, Channel: "not UTF-8: \xff", HandedOff: true, Numbers: [wolkvox.NumericFieldCount]float64{0.1, 1e12}}
	want := position{
		Read: time.Date(2026, 1, 18, 19, 34, 31, 0, time.UTC), Next: 42, State: []byte{0, 0xff},
		Waiting: slices.Repeat([]endedChat{{-1, chat}}, 1<<17+1), // more than the default limit of CBOR
	}
	if err := s.save(want, nil); err != nil {
		t.Fatal(err)
	}
	if have, err := s.position(); err != nil || !reflect.DeepEqual(have, want) {
		t.Errorf("have %d chats and error %v, want the saved position", len(have.Waiting), err)
	}
}
