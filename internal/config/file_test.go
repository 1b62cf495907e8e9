package config

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// plantedSecret is the secret in the files of testdata.
const plantedSecret = "s3cret"

func defaults() Defaults {
	zero := func(d time.Duration) Duration { return Duration{Duration: d, ZeroAllowed: true} }
	return Defaults{
		TimeZone: "America/Bogota",
		Timeout:  Duration{Duration: time.Minute},
		Poll: Poll{
			Interval:          Duration{Duration: 5 * time.Minute},
			Overlap:           zero(30 * time.Minute),
			ReconcileInterval: zero(time.Hour),
			ReconcileWindow:   Duration{Duration: 24 * time.Hour},
			InitialWindow:     zero(5 * time.Minute),
			MaxCatchUp:        zero(168 * time.Hour),
		},
	}
}

func testFiles(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("have files %q and error %v, want those of %s", files, err, pattern)
	}
	return files
}

// Each file breaks one rule. The expected error of NAME.yml is in NAME.txt.
func TestLoad_ReportsLineKeyAndWhatIsAllowed(t *testing.T) {
	t.Chdir(filepath.Join("testdata", "bad"))
	for _, name := range testFiles(t, "*.yml") {
		want, err := os.ReadFile(strings.TrimSuffix(name, ".yml") + ".txt")
		if err != nil {
			t.Error(err)
		}
		targets, err := Load(t.Context(), name, defaults())
		if err == nil {
			err, targets = Problems(targets), nil
		}
		if err == nil {
			t.Errorf("%s: have no error", name)
			continue
		}
		if have := err.Error() + "\n"; have != string(want) {
			t.Errorf("%s:\nhave %swant %s", name, have, want)
		}
		if targets != nil || strings.Contains(err.Error(), plantedSecret) {
			t.Errorf("%s: have %v and error %v, want no operations, and no secret", name, targets, err)
		}
	}
}

func load(t *testing.T, path string) []Target {
	t.Helper()
	targets, err := Load(t.Context(), path, defaults())
	if err != nil {
		t.Fatal(err)
	}
	return targets
}

func TestLoad_UsesFlagsAsDefaults(t *testing.T) {
	minimal := load(t, "testdata/good/minimal.yml")[0]
	if have, want := minimal.Operation.Poll, defaults().Poll; have != want {
		t.Errorf("have %v, want %v", have, want)
	}
	if have := minimal.Operation.Timeout.Duration; have != time.Minute {
		t.Errorf("have timeout %s, want that of the flag", have)
	}
	if have := minimal.Zone.String(); have != "America/Bogota" {
		t.Errorf("have zone %s, want that of the flag", have)
	}
	if minimal.Transport != nil || minimal.Base.String() != "https://wv0042.wolkvox.com" {
		t.Errorf("have transport %v and base %s, want none and the server's", minimal.Transport, minimal.Base)
	}

	sales := load(t, "testdata/good/settings.yml")[0]
	want := Poll{
		Interval:          Duration{Duration: time.Minute},
		Overlap:           Duration{ZeroAllowed: true},
		ReconcileInterval: Duration{ZeroAllowed: true},
		ReconcileWindow:   Duration{Duration: 24 * time.Hour},
		InitialWindow:     Duration{ZeroAllowed: true},
		MaxCatchUp:        Duration{ZeroAllowed: true},
	}
	if have := sales.Operation.Poll; have != want {
		t.Errorf("have %v, want %v", have, want)
	}
	if sales.Operation.Timeout.Duration != 30*time.Second || sales.Zone.String() != "America/Santiago" {
		t.Errorf("have timeout %s and zone %s", sales.Operation.Timeout.Duration, sales.Zone)
	}
	if sales.Name != "sales" || sales.Base.String() != "http://127.0.0.1:8080/below" {
		t.Errorf("have %q at %s", sales.Name, sales.Base)
	}
}

func TestLoad_KeepsLeadingZeros(t *testing.T) {
	sales := load(t, "testdata/good/settings.yml")[0]
	if sales.Operation.Server != "0042" {
		t.Errorf("have server %q, want 0042", sales.Operation.Server)
	}
	want := map[string]string{"1001": "Sales", "1002": "Billing: cards"}
	if have := sales.Operation.RoutingPoints; !maps.Equal(have, want) {
		t.Errorf("have %v, want %v", have, want)
	}
}

func TestLoad_ResolvesPathsRelativeToFile(t *testing.T) {
	sales := load(t, "testdata/good/settings.yml")[0]
	if token, err := sales.Token(); err != nil || token != "s3cret-of-sales" {
		t.Errorf("have token %q and error %v", token, err)
	}
	for _, target := range load(t, "testdata/good/anchors.yml") {
		have := target.Operation.HTTP.Headers["X-Team"].Files
		if want := []string{filepath.Join("testdata", "good", "sales.token")}; !slices.Equal(have, want) {
			t.Errorf("%s: have %q, want %q", target, have, want)
		}
	}
}

func TestLoad_PrefersBucketsOfOperation(t *testing.T) {
	targets := load(t, "testdata/good/settings.yml")
	for i, want := range []Buckets{
		{Messages: []float64{1, 2.5, 1000}, SpeedOfAnswer: []float64{15, 20, 30, 60}},
		{Messages: []float64{10, 20}, SpeedOfAnswer: []float64{15, 20, 30, 60}},
	} {
		if have := targets[i].Operation.Buckets; !reflect.DeepEqual(have, want) {
			t.Errorf("%s: have %v, want %v", targets[i], have, want)
		}
	}
}

func TestLoad_IgnoresKeyWithoutValue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wolkvox.yml")
	text := "operations:\n  - {name: sales, server: '0042', url: , token: x, poll: , buckets: {messages: }, http_config: }\nbuckets:\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	have := load(t, path)[0].Operation
	if have.Poll != defaults().Poll || have.Buckets.Messages != nil || have.HTTP != nil {
		t.Errorf("have %v, %v and %v, want what there is without the keys", have.Poll, have.Buckets, have.HTTP)
	}
}

// Reading a file again shows what has changed.
func TestLoad_ReturnsEqualOperationsTwice(t *testing.T) {
	for _, file := range testFiles(t, "testdata/good/*.yml") {
		once, twice := load(t, file), load(t, file)
		for i := range once {
			if !reflect.DeepEqual(once[i].Operation, twice[i].Operation) {
				t.Errorf("%s: %s differs from itself", file, once[i])
			}
		}
	}
}

func TestOperation_PrintsNoSecret(t *testing.T) {
	for _, file := range testFiles(t, "testdata/good/*.yml") {
		for _, target := range load(t, file) {
			for _, have := range []string{fmt.Sprintf("%v %+v", target, target), fmt.Sprintf("%v %+v", &target.Operation, target.Operation), fmt.Sprint([]Target{target})} {
				if strings.Contains(have, plantedSecret) {
					t.Errorf("%s: have %q", file, have)
				}
			}
		}
	}
}

func TestLoad_NamesUnreadableFile(t *testing.T) {
	if _, err := Load(t.Context(), "no/such/file.yml", defaults()); err == nil || !strings.Contains(err.Error(), "no/such/file.yml") {
		t.Errorf("have error %v", err)
	}
}

func TestLoad_EndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	document, err := parse("wolkvox.yml", []byte("operations: [{unknown: key}]"))
	if err != nil {
		t.Fatal(err)
	}
	d := decoder{ctx: ctx, lines: map[string]int{}}
	d.decode(document, "", reflect.ValueOf(&file{}).Elem())
	if len(d.problems) > 0 {
		t.Errorf("have %v, want no operation decoded", d.problems)
	}
	if targets, err := Load(ctx, "testdata/bad/token_file_missing.yml", defaults()); targets != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("have %v and error %v, want %v alone", targets, err, context.Canceled)
	}
}
