package manager

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/exposition"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
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

// quiet is an operation that does nothing until it is stopped. One whose settings begin
// with "bad" is a stand-in. With "behind", an older state has replaced its own.
type quiet struct {
	*diary
	name, settings string
	began          chan struct{}
}

func (d *diary) newQuiet(name, settings string) *quiet {
	return &quiet{d, name, settings, make(chan struct{})}
}

func (q *quiet) Snapshot() *status.Snapshot {
	s := &status.Snapshot{Operation: q.name}
	if strings.HasPrefix(q.settings, "bad") {
		s.Status.NotLoaded = status.StateCorrupt
	}
	if q.settings == "behind" {
		s.Status.NotLoaded = status.StateBehind
	}
	return s
}

// Groups returns a group of one series, whose labels are the operation and its settings.
func (q *quiet) Groups() []*exposition.Group { return []*exposition.Group{exposition.NewGroup(q)} }

// Version implements exposition.Source.
func (*quiet) Version() any { return nil }

// At implements exposition.Source.
func (q *quiet) At(time.Time) (prometheus.Collector, time.Time) {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: "up", ConstLabels: prometheus.Labels{"operation": q.name, "settings": q.settings}}), time.Time{}
}

func (q *quiet) Run(ctx context.Context) {
	q.note("%s %s runs", q.name, q.settings)
	close(q.began)
	<-ctx.Done()
	q.note("%s %s ended", q.name, q.settings)
}

// as returns a member with settings; those that begin with "bad" cannot be loaded.
func (d *diary) as(name, settings string) member {
	return member{name: name, settings: []string{settings}, make: func() (runner, error) {
		var err error
		if strings.HasPrefix(settings, "bad") {
			err = errors.New(name + " is " + settings)
		}
		return d.newQuiet(name, settings), err
	}}
}

func required(m member) member {
	m.required = true
	return m
}

// settled waits until all operations run.
func settled(s *set) {
	for _, r := range s.runners() {
		<-r.(interface{ hasBegun() chan struct{} }).hasBegun()
	}
}

func (q *quiet) hasBegun() chan struct{} { return q.began }

func TestSet_AppliesChangesOperationByOperation(t *testing.T) {
	d, f := &diary{}, newSet()
	defer f.close()
	apply := func(members ...member) error {
		_, err := f.apply(t.Context(), members)
		settled(f)
		return err
	}
	if err := apply(d.as("a", "1")); err != nil || d.since() != "a 1 runs" {
		t.Errorf("have error %v", err)
	}
	for _, step := range []struct {
		name            string
		members         []member
		happens, wrong  string
		running, series string
	}{
		{"the same", []member{d.as("a", "1")}, "", "", "a", "a1"},
		{"one more", []member{d.as("b", "1"), d.as("a", "1")}, "b 1 runs", "", "a b", "a1 b1"},
		{"one changes", []member{d.as("a", "2"), d.as("b", "1")}, "a 1 ended, a 2 runs", "", "a b", "a2 b1"},
		{"a bad new one that is required changes nothing", []member{d.as("a", "3"), required(d.as("c", "bad")), d.as("d", "1")}, "", "c is bad", "a b", "a2 b1"},
		{"a bad new one has a stand-in", []member{d.as("a", "2"), d.as("b", "1"), d.as("c", "bad")}, "c bad runs", "", "a b c", "a2 b1 cbad"},
		{"it is tried again", []member{d.as("a", "2"), d.as("b", "1"), d.as("c", "bad")}, "c bad ended, c bad runs", "", "a b c", "a2 b1 cbad"},
		{"a bad one becomes a good one", []member{d.as("a", "2"), d.as("b", "1"), d.as("c", "2")}, "c bad ended, c 2 runs", "", "a b c", "a2 b1 c2"},
		{"a bad change leaves what was", []member{d.as("a", "bad"), d.as("b", "2")}, "a 2 ended, a 2 runs, b 1 ended, b 2 runs, c 2 ended", `operation "a" keeps its previous settings: a is bad`, "a b", "a2 b2"},
		{"one goes", []member{d.as("b", "2")}, "a 2 ended", "", "b", "b2"},
		{"one goes, another comes", []member{d.as("c", "1")}, "c 1 runs, b 2 ended", "", "c", "c1"},
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
		for _, r := range f.runners() {
			names = append(names, r.Snapshot().Operation)
		}
		if have := strings.Join(names, " "); have != step.running {
			t.Errorf("%s: have %q running, want %q", step.name, have, step.running)
		}
		if have := shown(t, f); have != step.series {
			t.Errorf("%s: have series %q, want %q", step.name, have, step.series)
		}
	}
}

// sameLines compares diaries. Two operations that start may do so in
// any order; each of them ends before it starts again.
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

// shown returns the series of a set: operation and settings.
func shown(t *testing.T, s *set) string {
	t.Helper()
	groups := (&Manager{operations: s}).Groups
	answer := httptest.NewRecorder()
	exposition.NewHandler(prometheus.NewRegistry(), groups, nil).ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	var series []string
	for _, match := range regexp.MustCompile(`(?m)^up{operation="(.*)",settings="(.*)"} `).FindAllStringSubmatch(answer.Body.String(), -1) {
		series = append(series, match[1]+match[2])
	}
	return strings.Join(series, " ")
}

// If it were made again, it would show the lower counts of the older state.
func TestSet_KeepsOperationWithOlderState(t *testing.T) {
	d, f := &diary{}, newSet()
	defer f.close()
	for _, want := range []string{"a behind runs", ""} {
		_, err := f.apply(t.Context(), []member{d.as("a", "behind")})
		settled(f)
		if have := d.since(); err != nil || have != want {
			t.Errorf("have %q, %v, want %q", have, err, want)
		}
	}
}

func TestSet_CloseEndsOperations(t *testing.T) {
	d, f := &diary{}, newSet()
	if _, err := f.apply(t.Context(), []member{d.as("a", "1"), d.as("b", "1")}); err != nil {
		t.Fatal(err)
	}
	settled(f)
	f.close()
	if have := d.since(); strings.Count(have, "ended") != 2 {
		t.Errorf("have %q, want both ended", have)
	}
	if _, err := f.apply(t.Context(), []member{d.as("c", "1")}); err == nil || d.since() != "" {
		t.Errorf("have error %v, want one and nothing that begins", err)
	}
	if n := len(f.runners()); n != 2 {
		t.Errorf("have %d operations, want those of the last moment for a scrape that is under way", n)
	}
}

// An operation is not made again while its poll is under way: both would use one store.
func TestSet_EndsOperationBeforeReplacingIt(t *testing.T) {
	d, f := &diary{}, newSet()
	defer f.close()
	slow := &lingering{d.newQuiet("a", "1")}
	first := d.as("a", "1")
	first.make = func() (runner, error) {
		return slow, nil
	}
	if _, err := f.apply(t.Context(), []member{first}); err != nil {
		t.Fatal(err)
	}
	<-slow.began
	second := d.as("a", "2")
	remade := second.make
	second.make = func() (runner, error) {
		d.note("a 2 made")
		return remade()
	}
	if _, err := f.apply(t.Context(), []member{second}); err != nil {
		t.Fatal(err)
	}
	settled(f)
	if have, want := d.since(), "a 1 runs, a 1 ended, a 2 made, a 2 runs"; have != want {
		t.Errorf("have %q, want %q", have, want)
	}
}

// lingering takes its time to end.
type lingering struct{ *quiet }

func (l *lingering) Run(ctx context.Context) {
	l.note("%s %s runs", l.name, l.settings)
	close(l.began)
	<-ctx.Done()
	<-time.After(20 * time.Millisecond)
	l.note("%s %s ended", l.name, l.settings)
}

func TestSet_StopsApplyingOnceContextIsDone(t *testing.T) {
	d, f := &diary{}, newSet()
	defer f.close()
	if _, err := f.apply(t.Context(), []member{d.as("a", "1")}); err != nil {
		t.Fatal(err)
	}
	settled(f)
	d.since()
	ctx, cancel := context.WithCancel(t.Context())
	ending := d.as("b", "1")
	ending.make = func() (runner, error) {
		cancel()
		return d.newQuiet("b", "1"), nil
	}
	for _, members := range [][]member{{d.as("a", "1"), ending, d.as("c", "1")}, {d.as("a", "2")}} {
		if _, err := f.apply(ctx, members); !errors.Is(err, context.Canceled) {
			t.Errorf("have error %v, want %v", err, context.Canceled)
		}
		if have := d.since(); have != "" {
			t.Errorf("have %q, want nothing", have)
		}
	}
}

// An Apply that hangs keeps no operation from its end.
func TestSet_CloseEndsOperationsDuringApply(t *testing.T) {
	d, f := &diary{}, newSet()
	if _, err := f.apply(t.Context(), []member{d.as("a", "1")}); err != nil {
		t.Fatal(err)
	}
	settled(f)
	hangs, goOn, applied := make(chan struct{}), make(chan struct{}), make(chan error)
	stuck := d.as("b", "1")
	stuck.make = func() (runner, error) {
		close(hangs)
		<-goOn
		return d.newQuiet("b", "bad"), errors.New("stuck")
	}
	go func() {
		_, err := f.apply(t.Context(), []member{d.as("a", "1"), stuck})
		applied <- err
	}()
	<-hangs
	closed := make(chan struct{})
	go func() { defer close(closed); f.close() }()
	<-f.running["a"].done
	close(goOn)
	if err := <-applied; err != nil {
		t.Errorf("have error %v, want a stand-in", err)
	}
	<-closed
}

func TestSet_ReturnsChanges(t *testing.T) {
	d, f := &diary{}, newSet()
	defer f.close()
	for _, step := range []struct {
		members []member
		want    changes
	}{
		{[]member{d.as("c", "1"), d.as("a", "1"), d.as("b", "1")}, changes{added: []string{"a", "b", "c"}}},
		{[]member{d.as("c", "1"), d.as("a", "1"), d.as("b", "1")}, changes{}},
		{[]member{d.as("d", "1"), d.as("b", "2")}, changes{added: []string{"d"}, changed: []string{"b"}, removed: []string{"a", "c"}}},
		{[]member{d.as("d", "1"), d.as("b", "bad")}, changes{}},
		{[]member{d.as("d", "1"), d.as("b", "2"), d.as("e", "bad")}, changes{added: []string{"e"}}},
		{[]member{d.as("d", "1"), d.as("b", "2"), d.as("e", "bad")}, changes{}},
		{[]member{d.as("d", "1"), d.as("b", "2"), d.as("e", "1")}, changes{changed: []string{"e"}}},
	} {
		have, _ := f.apply(t.Context(), step.members) // Of a bad change; another test has it.
		if !reflect.DeepEqual(have, step.want) {
			t.Errorf("have %+v, want %+v", have, step.want)
		}
		settled(f)
	}
}

func TestSet_ReturnsOperationsLoadedByRetry(t *testing.T) {
	d, f := &diary{}, newSet()
	defer f.close()
	repaired := d.as("a", "bad")
	repaired.make = d.as("a", "1").make
	for _, step := range []struct {
		member member
		want   changes
	}{{d.as("a", "bad"), changes{added: []string{"a"}}}, {repaired, changes{loaded: []string{"a"}}}, {repaired, changes{}}} {
		have, err := f.apply(t.Context(), []member{step.member})
		if err != nil || !reflect.DeepEqual(have, step.want) {
			t.Errorf("have %+v and error %v, want %+v", have, err, step.want)
		}
		settled(f)
	}
}

// A member whose settings cannot be loaded any more, and which is not to be loaded with
// the ones that it had either, has a stand-in.
func TestSet_ShowsStandInIfLoadFails(t *testing.T) {
	d, f := &diary{}, newSet()
	defer f.close()
	loads := true
	flaky := d.as("a", "1")
	standIn := d.as("a", "bad").make
	good := flaky.make
	flaky.make = func() (runner, error) {
		if loads {
			return good()
		}
		return standIn()
	}
	for _, members := range [][]member{{flaky}, {d.as("a", "bad 2")}} {
		if _, err := f.apply(t.Context(), members); err != nil {
			t.Fatal(err)
		}
		settled(f)
		loads = false
	}
	if have, want := d.since(), "a 1 runs, a 1 ended, a bad 2 runs"; have != want || shown(t, f) != "abad 2" {
		t.Errorf("have %q and series %q, want %q", have, shown(t, f), want)
	}
}
