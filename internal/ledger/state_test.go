package ledger

import (
	"bytes"
	"encoding/gob"
	"errors"
	"maps"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// full is a book with something of everything.
func full(t testing.TB) *Book {
	t.Helper()
	b := New(Options{MaxLabelSets: 2})
	transaction := b.Begin(clock(noon))
	transaction.Progress = Progress{CompleteUntil: noon, Reconciled: noon.Add(-time.Hour), Began: clock(noon), Seed: Span{noon.Add(-24 * time.Hour), noon.UTC()}, Zone: "America/Bogota"}
	for n, labels := range []Labels{{"3101234567", "whatsapp"}, {"-", "-"}, {"9", "web"}} {
		chat := ended(wolkvox.ID(n+1), 0, handedOff, lastWrote(wolkvox.Agent), garbles(wolkvox.TimesChatted), under(labels.RoutingPoint, labels.Channel))
		for f := range wolkvox.TimesChatted {
			states(f, float64(f)*100)(chat)
		}
		transaction.Apply(chat, Reconciling)
	}
	transaction.Reject()
	transaction.Forget(clock(noon.Add(-26 * time.Hour)))
	if _, err := transaction.Marshal(noon); err != nil {
		t.Fatal(err)
	}
	transaction.Commit()
	return b
}

func TestABookSurvivesARestart(t *testing.T) {
	for name, b := range map[string]*Book{"empty": New(Options{MaxLabelSets: 10}), "full": full(t)} {
		t.Run(name, func(t *testing.T) { mustSurvive(t, b) })
	}
}

func TestABookIsSavedAsItWillBe(t *testing.T) {
	b := full(t)
	transaction := b.Begin(clock(noon.Add(time.Hour)))
	transaction.Apply(ended(1, 0, states(wolkvox.TimesChatted, 5), handedOff), Polling)
	transaction.Apply(ended(50, 2*time.Hour), Polling)
	transaction.Progress.CompleteUntil = noon.Add(time.Hour)
	transaction.Forget(clock(noon.Add(time.Second)))
	state, err := transaction.Marshal(noon)
	if err != nil {
		t.Fatal(err)
	}
	transaction.Commit()
	saved, err := Unmarshal(state, Options{MaxLabelSets: 2}, afterwards)
	if err != nil {
		t.Fatal(err)
	}
	if want, have := printed(b.View()), printed(saved.View()); have != want {
		t.Errorf("want\n%shave\n%s", want, have)
	}
	if !maps.Equal(saved.seen, b.seen) || saved.floor != b.floor || len(saved.seen) != 2 {
		t.Errorf("want %v, have %v", b.seen, saved.seen)
	}
	if want, have := b.progress.printed(), saved.progress.printed(); have != want {
		t.Errorf("want %s, have %s", want, have)
	}
}

// A set of before the restart is as old as before it, whatever happens to the wall
// clock from then on; one of a clock that was ahead is old enough.
func TestALabelSetsAgeIsTakenWhenItIsLoaded(t *testing.T) {
	state := mustMarshal(t, full(t))
	for _, tt := range []struct {
		now     time.Time
		initial bool
	}{{noon.Add(time.Minute), false}, {noon.Add(-time.Minute), true}} {
		b, err := Unmarshal(state, Options{MaxLabelSets: 2}, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		for _, set := range b.View().LabelSets {
			if !set.Born.Equal(noon) || set.Initial != tt.initial {
				t.Errorf("loaded at %v: have %v born %v, initial %t, want %v and %t", tt.now, set.Labels, set.Born, set.Initial, noon, tt.initial)
			}
		}
	}
	b, err := Unmarshal(state, Options{MaxLabelSets: 2}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	// The text of a time with a reading of the monotonic clock ends with it.
	if have := b.View().LabelSets[0].Born.String(); !strings.Contains(have, " m=") {
		t.Errorf("have a label set born %s, want it by the monotonic clock", have)
	}
}

// encoded is a state file of anything.
func encoded(t testing.TB, values ...any) []byte {
	t.Helper()
	var out bytes.Buffer
	encoder := gob.NewEncoder(&out)
	for _, value := range values {
		if err := encoder.Encode(value); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func TestAStateThatCannotBeCountedOnWithIsRefused(t *testing.T) {
	labels := Labels{"3101234567", "whatsapp"}
	with := func(change func(*Tally)) state {
		tally := newTally(&Options{}, false)
		change(tally)
		return state{Tallies: []LabelSet{{labels, tally}}}
	}
	native := func(start, length int) state {
		return with(func(t *Tally) { t.Histograms[0].NativeStart, t.Histograms[0].Native = start, make([]uint64, length) })
	}
	whole := mustMarshal(t, full(t))
	for name, test := range map[string]struct {
		saved []byte
		want  string
	}{
		"nothing":              {nil, "EOF"},
		"garbage":              {[]byte("3101234567 is no state"), ""},
		"HTML":                 {[]byte("<html>3101234567</html>"), ""},
		"cut":                  {whole[:len(whole)/2], "unexpected EOF"},
		"cut by a byte":        {whole[:len(whole)-1], "unexpected EOF"},
		"only a version":       {encoded(t, stateVersion), "EOF"},
		"no version":           {encoded(t, 0, state{}), "no version"},
		"a negative version":   {encoded(t, -1, state{}), "no version"},
		"a text for a version": {encoded(t, "3101234567"), ""},
		"another type":         {encoded(t, stateVersion, struct{ Phone string }{"3101234567"}), ""},
		"a cut identity":       {encoded(t, stateVersion, state{Seen: make([]byte, entrySize+1)}), "cut"},
		"no figures":           {encoded(t, stateVersion, state{Tallies: []LabelSet{{Labels: labels}}}), "no figures"},
		"other buckets":        {encoded(t, stateVersion, with(func(t *Tally) { t.Histograms[0].Buckets = make([]uint64, 3) })), "buckets that do not fit"},
		"no buckets":           {encoded(t, stateVersion, with(func(t *Tally) { t.Histograms[3].Buckets = nil })), "buckets that do not fit"},
		"falling bounds":       {encoded(t, stateVersion, with(func(t *Tally) { t.Histograms[4].Bounds = []float64{1, 2, 2, 10, 20, 50, 100, 200} })), "buckets that do not fit"},
		"no agent's figures":   {encoded(t, stateVersion, state{Agents: []AgentSet{{Agent: "1201"}}}), "no figures"},
		"a far native bucket":  {encoded(t, stateVersion, native(math.MaxInt, 1)), "buckets that do not fit"},
		"a low native bucket":  {encoded(t, stateVersion, native(math.MinInt, 1)), "buckets that do not fit"},
		"many native buckets":  {encoded(t, stateVersion, native(0, maxNative+2)), "buckets that do not fit"},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Unmarshal(test.saved, Options{MaxLabelSets: 10}, afterwards)
			if err == nil || b != nil || errors.Is(err, ErrNewer) || errors.Is(err, ErrOlder) || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("want %q, have %v", test.want, err)
			}
			if strings.Contains(err.Error(), "3101234567") {
				t.Errorf("want no data in the message, have %v", err)
			}
		})
	}
}

func TestAStateOfANewerVersionIsToldApartWhateverItsLayout(t *testing.T) {
	for name, saved := range map[string][]byte{
		"as this one":   encoded(t, stateVersion+1, state{}),
		"another":       encoded(t, stateVersion+1, struct{ Seen string }{"3101234567"}),
		"nothing after": encoded(t, stateVersion+1),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Unmarshal(saved, Options{MaxLabelSets: 10}, afterwards); !errors.Is(err, ErrNewer) {
				t.Errorf("want %v, have %v", ErrNewer, err)
			}
		})
	}
}

func TestAStateOfADevelopmentVersionIsRefusedWhateverItsLayout(t *testing.T) {
	for name, saved := range map[string][]byte{
		"as this one":   encoded(t, 1, state{}),
		"16 bytes each": encoded(t, 1, state{Seen: make([]byte, 16)}),
		"7 outcomes":    encoded(t, 1, struct{ Counts struct{ Records [7]uint64 } }{}),
		"nothing after": encoded(t, 1),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Unmarshal(saved, Options{MaxLabelSets: 10}, afterwards)
			if !errors.Is(err, ErrOlder) || !strings.Contains(err.Error(), "move it away and start again") {
				t.Errorf("want %v, have %v", ErrOlder, err)
			}
		})
	}
}

func TestAnyBookThatWasAcceptedGoesOn(t *testing.T) {
	b, err := Unmarshal(encoded(t, stateVersion, state{}), Options{MaxLabelSets: 10}, afterwards)
	if err != nil {
		t.Fatal(err)
	}
	mustBook(t, b, ended(1, 0), Polling, Counted)
	mustBook(t, reloaded(t, b, 10), ended(1, 0), Polling, Duplicate)
}

func FuzzUnmarshal(f *testing.F) {
	whole := mustMarshal(f, full(f))
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(mustMarshal(f, New(Options{MaxLabelSets: 1})))
	f.Add(encoded(f, stateVersion-1, state{}))
	f.Add(encoded(f, stateVersion+1, state{}))
	f.Add(encoded(f, stateVersion, state{Floor: 100, Seen: bytes.Repeat([]byte{1}, 3*entrySize)}))
	f.Add([]byte("no state"))
	f.Fuzz(func(t *testing.T, saved []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b, err := Unmarshal(saved, Options{MaxLabelSets: 10}, afterwards)
		runtime.ReadMemStats(&after)
		// gob reads 10 MiB at a time, and a byte may become a struct.
		if have, limit := after.TotalAlloc-before.TotalAlloc, 32<<20+1000*uint64(len(saved)); have > limit {
			t.Errorf("want at most %d bytes allocated for %d, have %d", limit, len(saved), have)
		}
		if err != nil {
			return
		}
		// What was forgotten is dropped when it is saved next.
		b.forget()
		mustSurvive(t, b)
		transaction := b.Begin(clock(noon))
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
