package ledger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// full returns a ledger that uses every field of a state.
func full(t testing.TB) *Ledger {
	t.Helper()
	l := New(withAgents(2))
	transaction := l.Begin(clock(noon))
	transaction.Progress = Progress{
		CompleteUntil: noon, Reconciled: noon.Add(-time.Hour), Began: clock(noon),
		Seed: Span{noon.Add(-24 * time.Hour), noon.UTC()}, Zone: "America/Bogota",
		Keys: 1<<wolkvox.ConnIDField | 1<<wolkvox.ASA,
		Gaps: []Gap{
			{Window: wolkvox.Window{From: clock(noon), To: clock(noon) + 1}, Minimal: true, Polls: 3, Skipped: true},
			{Window: wolkvox.Window{From: clock(noon) - 60, To: clock(noon) - 30}, Seeding: true},
		},
	}
	for n, labels := range []Labels{{"3101234567", "whatsapp"}, {"-", "-"}, {"9", "web"}} {
		chat := ended(wolkvox.ID(n+1), 0, handedOff, lastWrote(wolkvox.Agent), by(fmt.Sprint(1201+n)), withUnreadable(wolkvox.TimesChatted), under(labels.RoutingPoint, labels.Channel))
		for f := range wolkvox.TimesChatted {
			states(f, float64(f)*100)(chat)
		}
		transaction.Apply(chat, Reconciling)
	}
	transaction.Apply(ended(5, -time.Hour), Seeding)
	transaction.Reject()
	transaction.Forget(clock(noon.Add(-26 * time.Hour)))
	transaction.Stamp(noon)
	transaction.Commit()
	return l
}

func TestUnmarshal_RestoresLedger(t *testing.T) {
	unstamped, anyBytes := New(Options{MaxLabelSets: 10}), New(Options{MaxLabelSets: 10})
	mustApply(t, unstamped, ended(1, 0), Polling, Counted)
	transaction := anyBytes.Begin(clock(noon))
	transaction.Apply(ended(1, 0, under("\xff", "\x00")), Polling)
	transaction.Stamp(noon)
	transaction.Commit()
	for name, l := range map[string]*Ledger{"empty": New(Options{MaxLabelSets: 10}), "full": full(t), "unstamped": unstamped, "any bytes": anyBytes} {
		t.Run(name, func(t *testing.T) { mustSurvive(t, l) })
	}
}

func TestTransaction_MarshalsWhatCommitMakes(t *testing.T) {
	l := full(t)
	transaction := l.Begin(clock(noon.Add(time.Hour)))
	transaction.Apply(ended(1, 0, states(wolkvox.TimesChatted, 5), handedOff), Polling)
	transaction.Apply(ended(50, 2*time.Hour), Polling)
	transaction.Progress.CompleteUntil = noon.Add(time.Hour)
	transaction.Forget(clock(noon.Add(time.Second)))
	transaction.Stamp(noon)
	state, err := transaction.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	transaction.Commit()
	saved, err := Unmarshal(state, withAgents(2), afterwards)
	if err != nil {
		t.Fatal(err)
	}
	if want, have := printed(l.View()), printed(saved.View()); have != want {
		t.Errorf("want\n%shave\n%s", want, have)
	}
	if !maps.Equal(saved.seen, l.seen) || saved.floor != l.floor || len(saved.seen) != 2 {
		t.Errorf("want %v, have %v", l.seen, saved.seen)
	}
	if want, have := l.progress.printed(), saved.progress.printed(); have != want {
		t.Errorf("want %s, have %s", want, have)
	}
}

// A restart does not change the age of a label set, and later changes of the wall clock do
// not either. A set that was born in the future is old enough.
func TestUnmarshal_TakesAgeOfLabelSets(t *testing.T) {
	state := mustMarshal(t, full(t))
	for _, tt := range []struct {
		now     time.Time
		initial bool
	}{{noon.Add(time.Minute), false}, {noon.Add(-time.Minute), true}} {
		l, err := Unmarshal(state, Options{MaxLabelSets: 2}, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		for _, set := range l.View().LabelSets {
			if !set.Born.Equal(noon) || set.Initial != tt.initial {
				t.Errorf("loaded at %v: have %v born %v, initial %t, want %v and %t", tt.now, set.Labels, set.Born, set.Initial, noon, tt.initial)
			}
		}
	}
	l, err := Unmarshal(state, Options{MaxLabelSets: 2}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	// The text of a time with a reading of the monotonic clock ends with it.
	if have := l.View().LabelSets[0].Born.String(); !strings.Contains(have, " m=") {
		t.Errorf("have a label set born %s, want it by the monotonic clock", have)
	}
}

// head returns the head of a ledger's state.
func head(t testing.TB, saved []byte) *stateV1 {
	t.Helper()
	rest, err := cutVersion(saved)
	if err != nil {
		t.Fatal(err)
	}
	var s stateV1
	if _, err := decoding.UnmarshalFirst(rest, &s); err != nil {
		t.Fatal(err)
	}
	return &s
}

// encoded returns a state of version 1 with any head, and rows of identities.
func encoded(t testing.TB, head any, rows ...byte) []byte {
	t.Helper()
	state, err := encoding.Marshal(head)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat([]byte("ledger v1\n"), state, rows)
}

// changedState returns the state of a full ledger after a change of its head.
func changedState(t testing.TB, change func(*stateV1)) []byte {
	t.Helper()
	saved := mustMarshal(t, full(t))
	s := head(t, saved)
	rows := saved[len(saved)-int(s.Identities.Count)*rowSize:]
	change(s)
	return encoded(t, s, rows...)
}

// changedHistogram returns one after a change of a histogram.
func changedHistogram(t testing.TB, change func(*histogramV1)) []byte {
	t.Helper()
	return changedState(t, func(s *stateV1) {
		for _, set := range s.Sets {
			if h, ok := set.Histograms["duration"]; ok {
				change(&h)
				set.Histograms["duration"] = h
			}
		}
	})
}

func TestUnmarshal_RefusesDamage(t *testing.T) {
	whole := mustMarshal(t, full(t))
	const data = "3101234567" // must not be in the error
	for name, test := range map[string]struct {
		saved []byte
		want  string
	}{
		"nothing":             {nil, "does not begin with its version"},
		"garbage":             {[]byte(data + " is no state"), "does not begin with its version"},
		"HTML":                {[]byte("<html>" + data + "</html>\n"), "does not begin with its version"},
		"no version":          {[]byte("ledger v\n"), "does not begin with its version"},
		"version 0":           {[]byte("ledger v0\n"), "does not begin with its version"},
		"a negative version":  {[]byte("ledger v-1\n"), "does not begin with its version"},
		"a huge version":      {[]byte("ledger v" + strings.Repeat("9", 100) + "\n"), "does not begin with its version"},
		"only a version":      {[]byte("ledger v1\n"), "EOF"},
		"cut":                 {whole[:len(whole)/2], "EOF"},
		"cut by a byte":       {whole[:len(whole)-1], "length"},
		"a byte more":         {append(slices.Clone(whole), 0), "length"},
		"an identity more":    {append(slices.Clone(whole), make([]byte, rowSize)...), "length"},
		"an identity twice":   {append(whole[:len(whole)-rowSize:len(whole)-rowSize], whole[len(whole)-2*rowSize:len(whole)-rowSize]...), "identity twice"},
		"a text for a head":   {encoded(t, data), "cannot unmarshal"},
		"another type":        {encoded(t, map[string]string{"floor": data}), "cannot unmarshal"},
		"a claimed length":    {[]byte("ledger v1\n\xa1\x64sets\x9a\x7f\xff\xff\xff"), "EOF"},
		"a key twice":         {[]byte("ledger v1\n\xa2\x6a" + data + "\x01\x6a" + data + "\x01"), "key twice"},
		"a label set twice":   {changedState(t, func(s *stateV1) { s.Sets = append(s.Sets, s.Sets[1]) }), "label set twice"},
		"other buckets":       {changedHistogram(t, func(h *histogramV1) { h.Buckets = h.Buckets[1:] }), "buckets"},
		"no buckets":          {changedHistogram(t, func(h *histogramV1) { h.Buckets = nil }), "buckets"},
		"another count":       {changedHistogram(t, func(h *histogramV1) { h.Count++ }), "buckets"},
		"another bucket":      {changedHistogram(t, func(h *histogramV1) { h.Buckets[0]++ }), "buckets"},
		"no count":            {changedHistogram(t, func(h *histogramV1) { *h = histogramV1{Bounds: []float64{1}, Buckets: []uint64{0, 0}} }), "buckets"},
		"falling bounds":      {changedHistogram(t, func(h *histogramV1) { h.Bounds[1] = h.Bounds[0] }), "buckets"},
		"a far native bucket": {changedHistogram(t, func(h *histogramV1) { h.NativeStart = math.MaxInt }), "buckets"},
		"a low native bucket": {changedHistogram(t, func(h *histogramV1) { h.NativeStart = math.MinInt }), "buckets"},
		"many native buckets": {changedHistogram(t, func(h *histogramV1) { h.Native = append(h.Native, make([]uint64, maxNative+2)...) }), "buckets"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := Unmarshal(test.saved, Options{MaxLabelSets: 10}, afterwards)
			if !errors.Is(err, ErrCorrupt) || l != nil || errors.Is(err, ErrNewer) || errors.Is(err, ErrOlder) || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("want %q, have %v", test.want, err)
			}
			if strings.Contains(err.Error(), data) {
				t.Errorf("want no data in the message, have %v", err)
			}
		})
	}
}

func TestUnmarshal_RefusesNewerState(t *testing.T) {
	// with returns a state with a value among those that cannot be extended.
	with := func(key string, value any) []byte {
		return encoded(t, map[string]any{"identities": identitiesV1{Columns: columnsV1}, key: value})
	}
	set := func(key string, value any) []byte {
		return with("sets", []any{map[string]any{"labels": map[string]string{agentLabel: "1201"}, key: value}})
	}
	histogram := map[string]any{"count": 1, "bounds": []int{5}, "buckets": []int{1, 0}, "zeros": 1}
	if _, err := Unmarshal(set("histograms", map[string]any{"duration": histogram}), withAgents(2), afterwards); err != nil {
		t.Fatal(err)
	}
	histogram["quantiles"] = []int{1}
	for name, saved := range map[string][]byte{
		"version 2":            []byte("ledger v2\nof any form"),
		"a later version":      []byte("ledger v4294967295\n"),
		"a column more":        changedState(t, func(s *stateV1) { s.Identities.Columns = append(s.Identities.Columns, columnV1{"agent", 4}) }),
		"a wider column":       changedState(t, func(s *stateV1) { s.Identities.Columns[2].Bytes = 8 }),
		"a key of a histogram": set("histograms", map[string]any{"duration": histogram}),
		"a key of a gap":       with("progress", map[string]any{"gaps": []any{map[string]any{"cause": "x"}}}),
		"a key of a total":     set("totals", map[string]any{"handle_time": map[string]any{"max": 1}}),
		"a key of identities":  encoded(t, map[string]any{"identities": map[string]any{"columns": columnsV1, "count": 0, "packing": "zstd"}}),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Unmarshal(saved, Options{MaxLabelSets: 10}, afterwards); !errors.Is(err, ErrNewer) || errors.Is(err, ErrCorrupt) {
				t.Errorf("want %v, have %v", ErrNewer, err)
			}
		})
	}
}

// developmentStates are the beginnings of states of versions that were never released.
var developmentStates = map[string][]byte{"1": {3, 4, 0, 2, 0xff, 0x9d}, "2": {3, 4, 0, 4}}

func TestUnmarshal_RefusesStateOfDevelopmentVersion(t *testing.T) {
	for name, saved := range developmentStates {
		_, err := Unmarshal(saved, Options{MaxLabelSets: 10}, afterwards)
		if !errors.Is(err, ErrOlder) || errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "move it away and start again") {
			t.Errorf("version %s: want %v, have %v", name, ErrOlder, err)
		}
	}
}

func TestUnmarshal_MakesLedgerThatGoesOn(t *testing.T) {
	columns := map[string]any{"identities": map[string]any{"columns": columnsV1, "count": 0}}
	l, err := Unmarshal(encoded(t, columns), Options{MaxLabelSets: 10}, afterwards)
	if err != nil {
		t.Fatal(err)
	}
	mustApply(t, l, ended(1, 0), Polling, Counted)
	mustApply(t, reloaded(t, l, 10), ended(1, 0), Polling, Duplicate)
}

// A state of 10^6 chats is saved at each poll.
func TestTransaction_MarshalsIdentityIn24Bytes(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	empty := len(mustMarshal(t, l))
	const chats = 10_000
	for id := range wolkvox.ID(chats) {
		l.seen[id] = entry{facts: allFacts, until: math.MaxUint32, digest: math.MaxUint16}
	}
	if have := len(mustMarshal(t, l)) - empty; have > 24*chats {
		t.Errorf("have %d bytes for %d chats, want at most 24 each", have, chats)
	}
}

func FuzzUnmarshal(f *testing.F) {
	whole := mustMarshal(f, full(f))
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(mustMarshal(f, New(Options{MaxLabelSets: 1})))
	f.Add(developmentStates["2"])
	f.Add([]byte("ledger v2\n"))
	f.Add(laterState(f))
	f.Add(encoded(f, stateV1{Floor: 100, Identities: identitiesV1{2, columnsV1}}, bytes.Repeat(binary.BigEndian.AppendUint16(nil, 1), rowSize)...))
	f.Add([]byte("no state"))
	f.Fuzz(func(t *testing.T, saved []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		l, err := Unmarshal(saved, withAgents(10), afterwards)
		runtime.ReadMemStats(&after)
		// A byte may become a bucket or the key of a map, and is copied at each level.
		if have, limit := after.TotalAlloc-before.TotalAlloc, 1<<20+1000*uint64(len(saved)); have > limit {
			t.Errorf("want at most %d bytes allocated for %d, have %d", limit, len(saved), have)
		}
		if err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewer) && !errors.Is(err, ErrOlder) {
				t.Errorf("have %v, which no caller knows", err)
			}
			return
		}
		// What was forgotten is dropped when it is saved next.
		l.forget()
		mustSurvive(t, l)
		transaction := l.Begin(clock(noon))
		for id := range wolkvox.ID(3) {
			chat := ended(id, 0, handedOff)
			for field := range wolkvox.Field(wolkvox.NumericFieldCount) {
				states(field, math.Pow(1000, float64(id)))(chat)
			}
			transaction.Apply(chat, Starting)
		}
		transaction.Commit()
	})
}
