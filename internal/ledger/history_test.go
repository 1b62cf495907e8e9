package ledger

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func TestLedger_CountsAnyHistoryAsModel(t *testing.T) { rapid.Check(t, liveThrough) }

func FuzzHistory(f *testing.F) {
	for seed := range byte(8) {
		// Random bytes are a random history; a seed's length is its own.
		var history []byte
		for block := [32]byte{seed}; len(history) < 256<<seed; {
			block = sha256.Sum256(block[:])
			history = append(history, block[:]...)
		}
		f.Add(history)
	}
	check := rapid.MakeFuzz(liveThrough)
	f.Fuzz(func(t *testing.T, history []byte) {
		// Zeros end a history; without a byte there would be none.
		check(t, append(slices.Clip(history), make([]byte, 8<<10)...))
	})
}

func liveThrough(t *rapid.T) {
	w := &world{now: noon, limit: rapid.IntRange(0, 4).Draw(t, "max label sets"), agents: rapid.Bool().Draw(t, "agents")}
	w.ledger, w.model = New(w.options()), newModel(w.limit, w.agents)
	t.Repeat(rapid.StateMachineActions(w))
	for _, kept := range w.views {
		kept.mustBeUnchanged(t)
	}
}

// world holds a ledger, the model that it must equal, and the report around it.
type world struct {
	report
	now    time.Time
	limit  int
	agents bool

	ledger *Ledger
	model  model
	saved  []byte // the state file; nil before the first start
	parts  savedParts
	views  []keptView
	// touched is true if the ledger may have changed since the last check.
	touched bool
}

// keptView holds a view that may still be read, and what it showed at first.
type keptView struct {
	view *View
	said string
}

func (k keptView) mustBeUnchanged(t *rapid.T) {
	if have := printed(k.view); have != k.said {
		t.Fatalf("a view has changed: want\n%shave\n%s", k.said, have)
	}
}

func (w *world) OpenAChat(t *rapid.T) { w.open(t) }

func (w *world) ChangeAChat(t *rapid.T) {
	if len(w.chats) == 0 {
		w.open(t)
	}
	n := w.someChat(t)
	var limit wolkvox.LocalTime
	if w.model.chats[n].forgotten() {
		// An end that moves after the chat is forgotten makes it a new one.
		limit = w.model.floor - 1
	}
	w.change(t, n, w.now, limit)
}

// someChat returns the number of a chat, mostly of a new one.
func (w *world) someChat(t *rapid.T) int {
	return len(w.chats) - 1 - rapid.IntRange(0, len(w.chats)-1).Draw(t, "chat")
}

func (w *world) PassTime(t *rapid.T) {
	minutes := rapid.OneOf(rapid.IntRange(1, 60), rapid.IntRange(-90, 36*60)).Draw(t, "minutes")
	w.now = w.now.Add(time.Duration(minutes) * time.Minute)
}

// Fates of a transaction.
const (
	published             = "published"
	dropped               = "dropped"
	crashedBeforeSaving   = "crashed before saving"
	crashedBeforeCommit   = "saved, and crashed before commit"
	crashedAfterPublished = "published, and crashed"
)

func (w *world) Poll(t *rapid.T) {
	w.touched = true
	transaction, expected := w.ledger.Begin(clock(w.now)), w.model.clone()
	mode := w.mode(t)
	if mode == Starting {
		transaction.Progress.Seed = Span{w.now.Add(-24 * time.Hour), w.now.Add(-5 * time.Minute)}
		transaction.Progress.Began = clock(w.now)
		transaction.Progress.Zone = "America/Bogota"
	}
	w.applyRows(t, transaction, &expected, mode)
	for range rapid.IntRange(0, 2).Draw(t, "bad rows") {
		transaction.Reject()
		expected.rows++
		expected.records[Invalid]++
	}
	transaction.Progress.CompleteUntil = w.now
	if mode == Reconciling {
		transaction.Progress.Reconciled = w.now
	}
	if mode == Seeding && rapid.Bool().Draw(t, "all seeded") {
		transaction.Progress.Seed.From = transaction.Progress.Seed.To
	}
	if rapid.Bool().Draw(t, "forget") {
		floor := w.someFloor(t, &expected)
		transaction.Forget(floor)
		expected.floor = max(expected.floor, floor)
	}
	expected.commit()

	fate := rapid.SampledFrom([]string{published, published, published, published, dropped, crashedBeforeSaving, crashedBeforeCommit, crashedAfterPublished}).Draw(t, "fate")
	if fate == dropped {
		return
	}
	transaction.Stamp(w.now)
	state, err := transaction.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if fate != crashedBeforeSaving {
		all := w.saved == nil || rapid.Bool().Draw(t, "all parts")
		w.parts.save(mustMarshalParts(t, transaction, all), all)
		if have := w.parts.join(t); !bytes.Equal(have, state) {
			t.Fatalf("the parts: want\n%q\nhave\n%q", state, have)
		}
		w.saved, w.model = state, expected
	}
	if fate == published || fate == crashedAfterPublished {
		transaction.Commit()
		w.publish()
	}
	if fate != published {
		w.Restart(t)
	}
}

func (w *world) mode(t *rapid.T) Mode {
	progress := w.ledger.Progress()
	if progress.CompleteUntil.IsZero() {
		return Starting
	}
	modes := []Mode{Polling, Polling, Reconciling}
	if progress.Seed.From.Before(progress.Seed.To) {
		modes = append(modes, Seeding, Seeding)
	}
	return rapid.SampledFrom(modes).Draw(t, "mode")
}

// applyRows makes up a response: any rows in any order, some twice, some as
// they were before.
func (w *world) applyRows(t *rapid.T, transaction *Transaction, expected *model, mode Mode) {
	if len(w.chats) == 0 {
		return
	}
	for range rapid.IntRange(0, 10).Draw(t, "rows") {
		n := w.someChat(t)
		versions := w.chats[n]
		chat := versions[len(versions)-1-rapid.OneOf(rapid.Just(0), rapid.IntRange(0, len(versions)-1)).Draw(t, "versions ago")]
		if known := expected.chats[n]; hasNoConnID(&chat) && known.counted != nil && !known.hasNoConnID {
			// A conn_id that was there does not go away.
			continue
		}
		if known := expected.chats[n]; known.forgotten() && chat.End > known.until {
			// Nor does an end come back that is later than the one it was forgotten
			// with: that would make it a new chat.
			continue
		}
		want, err := expected.apply(n, &chat, mode, w.now, transaction.Progress.Began)
		if err != nil {
			t.Fatal(err)
		}
		before := chat
		if have := applied(transaction, &chat, mode); have != want {
			t.Fatalf("chat %d as %+v: want %v, have %v", n, chat, want, have)
		}
		if chat != before {
			t.Fatalf("want the row left alone, have %+v", chat)
		}
	}
}

// someFloor is up to when to forget: under any reconcile window, and at most up
// to a chat whose end was put off and which was not read since.
func (w *world) someFloor(t *rapid.T, expected *model) wolkvox.LocalTime {
	back := rapid.OneOf(rapid.IntRange(0, 60), rapid.IntRange(0, 100*60)).Draw(t, "floor, minutes ago")
	floor := clock(w.now.Add(-time.Duration(back) * time.Minute))
	for n, known := range expected.chats {
		if known.settled && !known.forgotten() && w.lastEnd(n) > known.until {
			floor = min(floor, known.until)
		}
	}
	return floor
}

func (w *world) options() Options { return Options{MaxLabelSets: w.limit, Agents: w.agents} }

// Restart loads the last saved state, perhaps with another limit, or with agents
// or without.
func (w *world) Restart(t *rapid.T) {
	w.limit = rapid.OneOf(rapid.Just(w.limit), rapid.IntRange(0, 4)).Draw(t, "max label sets")
	w.agents = rapid.Bool().Draw(t, "agents")
	w.model.limit, w.model.agents, w.touched = w.limit, w.agents, true
	if w.saved == nil {
		w.ledger = New(w.options())
		return
	}
	ledger, err := Unmarshal(w.saved, w.options(), afterwards)
	if err != nil {
		t.Fatal(err)
	}
	w.ledger = ledger
	w.publish()
}

// publish shows a view, which never shows less than the one before.
func (w *world) publish() {
	w.views = append(w.views, keptView{w.ledger.View(), printed(w.ledger.View())})
}

func (w *world) Check(t *rapid.T) {
	if !w.touched {
		return
	}
	w.touched = false
	view := w.ledger.View()
	if want, have := w.model.String(), printed(view); have != want {
		t.Fatalf("want\n%shave\n%s", want, have)
	}
	var rows, interactions, chats uint64
	for _, n := range view.Counts.Records {
		rows += n
	}
	if rows != w.model.rows {
		t.Errorf("want %d rows with an outcome, have %d", w.model.rows, rows)
	}
	for _, set := range view.LabelSets {
		interactions += set.Interactions
	}
	if chats = view.Counts.Records[Counted]; interactions != chats {
		t.Errorf("want %d interactions, have %d", chats, interactions)
	}
	if len(w.views) > 1 {
		mustNotFall(t, w.views[len(w.views)-2].view, w.views[len(w.views)-1].view)
	}
	mustSurvive(t, w.ledger)
}

// mustSurvive reloads a ledger and compares all there is.
func mustSurvive(t rapid.TB, l *Ledger) {
	t.Helper()
	state := mustMarshal(t, l)
	again, err := Unmarshal(state, l.options, afterwards)
	if err != nil {
		t.Fatal(err)
	}
	if want, have := printed(l.View()), printed(again.View()); have != want {
		t.Fatalf("reloaded: want\n%shave\n%s", want, have)
	}
	if !maps.Equal(again.seen, l.seen) || again.floor != l.floor {
		t.Fatalf("reloaded: want %v forgotten and\n%v, have %v and\n%v", l.floor, l.seen, again.floor, again.seen)
	}
	if want, have := l.progress.printed(), again.progress.printed(); have != want {
		t.Fatalf("reloaded: want %s, have %s", want, have)
	}
	if !bytes.Equal(mustMarshal(t, again), state) || !bytes.Equal(mustMarshal(t, l), state) {
		t.Fatal("reloaded: want the same bytes")
	}
}

func (p Progress) printed() string {
	times := make([]string, 0, 6)
	for _, at := range []time.Time{p.CompleteUntil, p.Reconciled, p.Seed.From, p.Seed.To} {
		times = append(times, at.UTC().String())
	}
	return fmt.Sprint(strings.Join(append(times, p.Began.String(), p.Zone), ", "), p.Keys, p.Gaps)
}

func mustNotFall(t *rapid.T, before, after *View) {
	now := map[Labels]*Tally{}
	for _, set := range after.LabelSets {
		now[set.Labels] = set.Tally
	}
	for _, set := range before.LabelSets {
		have := now[set.Labels]
		if have == nil {
			t.Fatalf("%v is gone", set.Labels)
		}
		falls := have.Interactions < set.Interactions || have.Handoffs < set.Handoffs || !have.Born.Equal(set.Born)
		for sender, n := range set.LastSender {
			falls = falls || have.LastSender[sender] < n
		}
		for m, h := range set.Histograms {
			falls = falls || have.Histograms[m].Count < h.Count || have.Histograms[m].Sum < h.Sum || have.Histograms[m].Zeros < h.Zeros
			for i, n := range h.Buckets {
				falls = falls || have.Histograms[m].Buckets[i] < n
			}
		}
		if falls {
			t.Fatalf("%v falls: from\n%+v to\n%+v", set.Labels, set.Tally, have)
		}
	}
	for _, was := range before.Agents {
		i := slices.IndexFunc(after.Agents, func(set AgentSet) bool { return set.Agent == was.Agent })
		switch {
		case i < 0 && after.Agents == nil: // Not counted any more.
		case i < 0:
			t.Fatalf("agent %q is gone", was.Agent)
		case after.Agents[i].Chats < was.Chats || after.Agents[i].HandleTime.Sum < was.HandleTime.Sum || !after.Agents[i].Born.Equal(was.Born):
			t.Fatalf("agent %q falls: from\n%+v to\n%+v", was.Agent, was.AgentTally, after.Agents[i].AgentTally)
		}
	}
}
