package fleet

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/poller"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// diary is what happened to operations, in its order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(format string, arguments ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, arguments...))
}

// since is what was noted since it was asked last.
func (d *diary) since() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	lines := strings.Join(d.lines, ", ")
	d.lines = nil
	return lines
}

// quiet is an operation that does nothing until it is ended.
type quiet struct {
	*diary
	name  string
	began chan struct{}
}

func (q *quiet) Snapshot() poller.Snapshot {
	var s poller.Snapshot
	if strings.Contains(q.name, "bad") {
		s.Status.NotLoaded = poller.StateCorrupt
	}
	return s
}

func (q *quiet) Run(ctx context.Context) {
	q.note("%s runs", q.name)
	close(q.began)
	<-ctx.Done()
	q.note("%s ended", q.name)
}

// as is a member that has settings; those that begin with "bad" cannot be made.
func (d *diary) as(name, settings string) Member {
	return Member{Name: name, Settings: []string{settings}, Make: func() (Runner, prometheus.Collector, error) {
		var err error
		if strings.HasPrefix(settings, "bad") {
			err = errors.New(name + " is " + settings)
		}
		gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "up", ConstLabels: prometheus.Labels{"operation": name, "settings": settings}})
		return &quiet{d, name + " " + settings, make(chan struct{})}, gauge, err
	}}
}

func required(m Member) Member {
	m.Required = true
	return m
}

// settled waits until all that are to run do.
func settled(f *Fleet) {
	for _, o := range f.Operations() {
		<-o.Runner.(*quiet).began
	}
}

func TestAnotherConfigurationTakesItsPlaceOperationByOperation(t *testing.T) {
	d, f := &diary{}, New()
	defer f.Close()
	apply := func(members ...Member) error {
		_, err := f.Apply(t.Context(), members)
		settled(f)
		return err
	}
	if err := apply(d.as("a", "1")); err != nil || d.since() != "a 1 runs" {
		t.Errorf("have error %v", err)
	}
	for _, step := range []struct {
		name            string
		members         []Member
		happens, wrong  string
		running, series string
	}{
		{"the same", []Member{d.as("a", "1")}, "", "", "a", "a1"},
		{"one more", []Member{d.as("b", "1"), d.as("a", "1")}, "b 1 runs", "", "a b", "a1 b1"},
		{"one changes", []Member{d.as("a", "2"), d.as("b", "1")}, "a 1 ended, a 2 runs", "", "a b", "a2 b1"},
		{"a bad new one that is required changes nothing", []Member{d.as("a", "3"), required(d.as("c", "bad")), d.as("d", "1")}, "", "c is bad", "a b", "a2 b1"},
		{"a bad new one has a stand-in", []Member{d.as("a", "2"), d.as("b", "1"), d.as("c", "bad")}, "c bad runs", "", "a b c", "a2 b1 cbad"},
		{"it is tried again", []Member{d.as("a", "2"), d.as("b", "1"), d.as("c", "bad")}, "c bad ended, c bad runs", "", "a b c", "a2 b1 cbad"},
		{"a bad one becomes a good one", []Member{d.as("a", "2"), d.as("b", "1"), d.as("c", "2")}, "c bad ended, c 2 runs", "", "a b c", "a2 b1 c2"},
		{"a bad change leaves what was", []Member{d.as("a", "bad"), d.as("b", "2")}, "a 2 ended, a 2 runs, b 1 ended, b 2 runs, c 2 ended", `operation "a" goes on with the settings it had: a is bad`, "a b", "a2 b2"},
		{"one goes", []Member{d.as("b", "2")}, "a 2 ended", "", "b", "b2"},
		{"one goes, another comes", []Member{d.as("c", "1")}, "c 1 runs, b 2 ended", "", "c", "c1"},
		{"none", nil, "c 1 ended", "", "", ""},
	} {
		err := apply(step.members...)
		if have := fmt.Sprint(err); step.wrong == "" && err != nil || step.wrong != "" && have != step.wrong {
			t.Errorf("%s: have error %v, want %q", step.name, err, step.wrong)
		}
		if have := d.since(); !sameLines(have, step.happens) {
			t.Errorf("%s: have %q, want %q", step.name, have, step.happens)
		}
		var names []string
		for _, o := range f.Operations() {
			names = append(names, o.Name)
		}
		if have := strings.Join(names, " "); have != step.running {
			t.Errorf("%s: have %q running, want %q", step.name, have, step.running)
		}
		if have := shown(t, f); have != step.series {
			t.Errorf("%s: have series %q, want %q", step.name, have, step.series)
		}
	}
}

// sameLines compares diaries. Where two operations begin, nobody knows which one
// comes first; each of them ends before it begins anew.
func sameLines(have, want string) bool {
	count := func(text string) map[string]int {
		lines := map[string]int{}
		for line := range strings.SplitSeq(text, ", ") {
			lines[line]++
		}
		return lines
	}
	return fmt.Sprint(count(have)) == fmt.Sprint(count(want))
}

// shown are the series of a fleet: operation and settings.
func shown(t *testing.T, f *Fleet) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(f)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var series []string
	for _, family := range families {
		for _, m := range family.GetMetric() {
			series = append(series, m.GetLabel()[0].GetValue()+m.GetLabel()[1].GetValue())
		}
	}
	return strings.Join(series, " ")
}

func TestTheEndOfAFleetIsThatOfItsOperations(t *testing.T) {
	d, f := &diary{}, New()
	if _, err := f.Apply(t.Context(), []Member{d.as("a", "1"), d.as("b", "1")}); err != nil {
		t.Fatal(err)
	}
	settled(f)
	f.Close()
	if have := d.since(); strings.Count(have, "ended") != 2 {
		t.Errorf("have %q, want both ended", have)
	}
	if _, err := f.Apply(t.Context(), []Member{d.as("c", "1")}); err == nil || d.since() != "" {
		t.Errorf("have error %v, want one and nothing that begins", err)
	}
	if n := testutil.CollectAndCount(f); n != 2 {
		t.Errorf("have %d series, want those of the last moment for a scrape that is under way", n)
	}
}

// A poll that is under way does not see the operation made anew beside it: both
// would have one store.
func TestAnOperationHasEndedBeforeItIsMadeAnew(t *testing.T) {
	d, f := &diary{}, New()
	defer f.Close()
	slow := &lingering{quiet{d, "a 1", make(chan struct{})}}
	first := d.as("a", "1")
	first.Make = func() (Runner, prometheus.Collector, error) {
		return slow, prometheus.NewGauge(prometheus.GaugeOpts{Name: "up"}), nil
	}
	if _, err := f.Apply(t.Context(), []Member{first}); err != nil {
		t.Fatal(err)
	}
	<-slow.began
	second := d.as("a", "2")
	remade := second.Make
	second.Make = func() (Runner, prometheus.Collector, error) {
		d.note("a 2 made")
		return remade()
	}
	if _, err := f.Apply(t.Context(), []Member{second}); err != nil {
		t.Fatal(err)
	}
	settled(f)
	if have, want := d.since(), "a 1 runs, a 1 ended, a 2 made, a 2 runs"; have != want {
		t.Errorf("have %q, want %q", have, want)
	}
}

// lingering takes its time to end.
type lingering struct{ quiet }

func (l *lingering) Run(ctx context.Context) {
	l.note("%s runs", l.name)
	close(l.began)
	<-ctx.Done()
	<-time.After(20 * time.Millisecond)
	l.note("%s ended", l.name)
}

func TestApply_MakesNoFurtherOperationOnceContextIsDone(t *testing.T) {
	d, f := &diary{}, New()
	defer f.Close()
	if _, err := f.Apply(t.Context(), []Member{d.as("a", "1")}); err != nil {
		t.Fatal(err)
	}
	settled(f)
	d.since()
	ctx, cancel := context.WithCancel(t.Context())
	ending := d.as("b", "1")
	ending.Make = func() (Runner, prometheus.Collector, error) {
		cancel()
		return &quiet{d, "b 1", make(chan struct{})}, nil, nil
	}
	for _, members := range [][]Member{{d.as("a", "1"), ending, d.as("c", "1")}, {d.as("a", "2")}} {
		if _, err := f.Apply(ctx, members); !errors.Is(err, context.Canceled) {
			t.Errorf("have error %v, want %v", err, context.Canceled)
		}
		if have := d.since(); have != "" {
			t.Errorf("have %q, want nothing", have)
		}
	}
}

// An Apply that hangs keeps no operation from its end.
func TestClose_EndsOperationsDuringApply(t *testing.T) {
	d, f := &diary{}, New()
	if _, err := f.Apply(t.Context(), []Member{d.as("a", "1")}); err != nil {
		t.Fatal(err)
	}
	settled(f)
	hangs, goOn, applied := make(chan struct{}), make(chan struct{}), make(chan error)
	stuck := d.as("b", "1")
	stuck.Make = func() (Runner, prometheus.Collector, error) {
		close(hangs)
		<-goOn
		return &quiet{d, "b bad", make(chan struct{})}, nil, errors.New("stuck")
	}
	go func() {
		_, err := f.Apply(t.Context(), []Member{d.as("a", "1"), stuck})
		applied <- err
	}()
	<-hangs
	closed := make(chan struct{})
	go func() { defer close(closed); f.Close() }()
	<-f.running["a"].done
	close(goOn)
	if err := <-applied; err != nil {
		t.Errorf("have error %v, want a stand-in", err)
	}
	<-closed
}

func TestApply_ReturnsWhatChanged(t *testing.T) {
	d, f := &diary{}, New()
	defer f.Close()
	for _, step := range []struct {
		members []Member
		want    Changes
	}{
		{[]Member{d.as("c", "1"), d.as("a", "1"), d.as("b", "1")}, Changes{Added: []string{"a", "b", "c"}}},
		{[]Member{d.as("c", "1"), d.as("a", "1"), d.as("b", "1")}, Changes{}},
		{[]Member{d.as("d", "1"), d.as("b", "2")}, Changes{Added: []string{"d"}, Changed: []string{"b"}, Removed: []string{"a", "c"}}},
		{[]Member{d.as("d", "1"), d.as("b", "bad")}, Changes{}},
		{[]Member{d.as("d", "1"), d.as("b", "2"), d.as("e", "bad")}, Changes{Added: []string{"e"}}},
		{[]Member{d.as("d", "1"), d.as("b", "2"), d.as("e", "bad")}, Changes{}},
		{[]Member{d.as("d", "1"), d.as("b", "2"), d.as("e", "1")}, Changes{Changed: []string{"e"}}},
	} {
		have, _ := f.Apply(t.Context(), step.members) // Of a bad change; another test has it.
		if !reflect.DeepEqual(have, step.want) {
			t.Errorf("have %+v, want %+v", have, step.want)
		}
		settled(f)
	}
}

func TestApply_ReturnsWhatIsLoadedByAnotherTry(t *testing.T) {
	d, f := &diary{}, New()
	defer f.Close()
	mended := d.as("a", "bad")
	mended.Make = d.as("a", "1").Make
	for _, step := range []struct {
		member Member
		want   Changes
	}{{d.as("a", "bad"), Changes{Added: []string{"a"}}}, {mended, Changes{Loaded: []string{"a"}}}, {mended, Changes{}}} {
		have, err := f.Apply(t.Context(), []Member{step.member})
		if err != nil || !reflect.DeepEqual(have, step.want) {
			t.Errorf("have %+v and error %v, want %+v", have, err, step.want)
		}
		settled(f)
	}
}

// A member whose settings cannot be loaded any more, and which is not to be loaded with
// the ones that it had either, has a stand-in.
func TestApply_ShowsStandInWhereNothingCanBeLoaded(t *testing.T) {
	d, f := &diary{}, New()
	defer f.Close()
	loads := true
	flaky := d.as("a", "1")
	standIn := d.as("a", "bad").Make
	good := flaky.Make
	flaky.Make = func() (Runner, prometheus.Collector, error) {
		if loads {
			return good()
		}
		return standIn()
	}
	for _, members := range [][]Member{{flaky}, {d.as("a", "bad 2")}} {
		if _, err := f.Apply(t.Context(), members); err != nil {
			t.Fatal(err)
		}
		settled(f)
		loads = false
	}
	if have, want := d.since(), "a 1 runs, a 1 ended, a bad 2 runs"; have != want || shown(t, f) != "abad 2" {
		t.Errorf("have %q and series %q, want %q", have, shown(t, f), want)
	}
}
