package ledger

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// TestLedger_CountsEveryChatOnceWithAnyWindows reads a made-up report as the
// poller does: [cursor - overlap, now] each time, once an hour what may have
// started a reconcile window before the last such reading, and forgets what is
// out of reach. With a window that is narrowed and widened again, a chat may be
// missed, or counted though it was over before the first start, but it is not
// counted twice.
func TestLedger_CountsEveryChatOnceWithAnyWindows(t *testing.T) {
	for seed := range uint64(48) {
		if testing.Short() && seed%7 != 0 {
			continue
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			r := &reader{
				random:  random,
				byEnd:   seed%2 == 0,
				listed:  random.IntN(2) == 0,
				narrows: seed%8 > 5,
				window:  24 * time.Hour,
				ledger:  New(Options{MaxLabelSets: 1 << 20}),
			}
			for range 200 {
				r.chats = append(r.chats, someCall(random))
			}
			const days = 3
			for r.now = noon; r.now.Before(noon.Add(days * 24 * time.Hour)); r.now = r.now.Add(r.pause()) {
				r.turn(t)
			}
			r.mustHaveCountedOnce(t)
		})
	}
}

const overlap = 30 * time.Minute

// call is the truth about a chat.
type call struct {
	start, end  time.Time
	shown       time.Time // as ended
	filled      time.Time // go_to_agent, asa, conn_id
	agent       bool
	anonymously bool // until it is filled in
}

func (c call) String() string {
	return fmt.Sprintf("%s to %s, shown %s, filled in %s",
		c.start.Format(time.DateTime), c.end.Format(time.DateTime), c.shown.Format(time.DateTime), c.filled.Format(time.DateTime))
}

// someCall is a chat that a reading by its start finds within 24 hours.
func someCall(random *rand.Rand) call {
	upTo := func(limit time.Duration) time.Duration {
		if random.IntN(2) == 0 {
			limit /= 50
		}
		return time.Duration(random.Int64N(int64(limit))).Truncate(time.Second)
	}
	start := noon.Add(-24 * time.Hour).Add(time.Duration(random.Int64N(int64(66 * time.Hour)))).Truncate(time.Second)
	end := start.Add(upTo(18 * time.Hour))
	shown := end.Add(upTo(3 * time.Hour))
	return call{start, end, shown, shown.Add(upTo(time.Hour)), random.IntN(3) > 0, random.IntN(3) == 0}
}

type reader struct {
	random  *rand.Rand
	byEnd   bool // what the range selects on
	listed  bool // chats that have not ended, too
	narrows bool
	window  time.Duration // of the reconcile
	chats   []call

	now    time.Time
	ledger *Ledger
	first  time.Time // start that was saved
}

// pause is mostly a poll's interval, and sometimes an outage.
func (r *reader) pause() time.Duration {
	if r.random.IntN(40) == 0 {
		return time.Duration(r.random.IntN(12*60)) * time.Minute
	}
	return 20 * time.Minute
}

func (r *reader) turn(t *testing.T) {
	t.Helper()
	if r.narrows {
		r.window = time.Duration(1+r.random.IntN(48)) * time.Hour
	}
	progress := r.ledger.Progress()
	if progress.CompleteUntil.IsZero() {
		initial := Span{r.now.Add(-5 * time.Minute), r.now}
		if r.step(t, initial, Starting, func(p *Progress) {
			*p = Progress{CompleteUntil: r.now, Reconciled: r.now, Began: clock(r.now), Seed: Span{r.now.Add(-r.window), initial.From}}
		}) {
			r.first = r.now
		}
		return
	}
	if seed := progress.Seed; seed.From.Before(seed.To) {
		r.step(t, seed, Seeding, func(p *Progress) { p.Seed.From = seed.To })
		return
	}
	from := progress.CompleteUntil.Add(-overlap)
	if !r.step(t, Span{from, r.now}, Polling, func(p *Progress) { p.CompleteUntil = r.now }) {
		return
	}
	if r.now.Sub(progress.Reconciled) >= time.Hour {
		r.step(t, Span{progress.Reconciled.Add(-r.window), from}, Reconciling, func(p *Progress) { p.Reconciled = r.now })
	}
}

// step reads a span in a transaction of its own, which sometimes meets a
// fault or a crash. It reports whether the transaction was saved.
func (r *reader) step(t *testing.T, span Span, mode Mode, advance func(*Progress)) bool {
	t.Helper()
	transaction := r.ledger.Begin(clock(r.now))
	rows := r.rows(span)
	r.random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	for i := range rows {
		transaction.Apply(&rows[i], mode)
	}
	if r.random.IntN(20) == 0 {
		return false
	}
	advance(&transaction.Progress)
	progress := transaction.Progress
	since := progress.CompleteUntil
	if progress.Reconciled.Before(since) {
		since = progress.Reconciled
	}
	transaction.Forget(clock(since.Add(-r.window - overlap - 2*time.Hour)))
	if mode == Starting {
		transaction.Forget(clock(progress.Seed.From))
	}
	if r.random.IntN(20) > 0 {
		transaction.Commit()
		return true
	}
	transaction.Stamp(r.now)
	state, err := transaction.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if r.ledger, err = Unmarshal(state, Options{MaxLabelSets: 1 << 20}, afterwards); err != nil {
		t.Fatal(err)
	}
	return true
}

// rows are what the report shows now of a span, both ends included.
func (r *reader) rows(span Span) (rows []wolkvox.Chat) {
	for n, c := range r.chats {
		over, by := !r.now.Before(c.shown), c.start
		if r.byEnd && over {
			by = c.end
		}
		if r.now.Before(c.start) || !over && !r.listed || by.Before(span.From) || by.After(span.To) {
			continue
		}
		chat := wolkvox.Chat{ID: named(n), FallbackID: anonymous(n), RoutingPoint: fmt.Sprint(n), Channel: "web"}
		if over {
			chat.End = clock(c.end)
		}
		switch {
		case !r.now.Before(c.filled) && c.agent:
			handedOff(&chat)
			states(wolkvox.ASA, 12)(&chat)
		case c.anonymously:
			chat.ID, chat.FallbackID = anonymous(n), 0
		}
		rows = append(rows, chat)
	}
	return rows
}

func (r *reader) mustHaveCountedOnce(t *testing.T) {
	t.Helper()
	tallies := map[string]*Tally{}
	for _, set := range r.ledger.View().LabelSets {
		tallies[set.RoutingPoint] = set.Tally
	}
	for n, c := range r.chats {
		have := tallies[fmt.Sprint(n)]
		switch {
		case have == nil && (!c.end.After(r.first) || r.narrows):
		case have == nil:
			t.Errorf("chat %d, %v, is lost", n, c)
		case have.Interactions != 1 || have.Handoffs > 1:
			t.Errorf("chat %d, %v: have %d interactions, %d handoffs", n, c, have.Interactions, have.Handoffs)
		case !r.narrows && c.shown.Before(r.first.Add(-5*time.Minute)):
			t.Errorf("chat %d, %v, was over before the first start", n, c)
		case !r.narrows && c.agent && (have.Handoffs != 1 || have.Histograms[SpeedOfAnswer].Sum != 12):
			t.Errorf("chat %d, %v: want it filled in, have %+v", n, c, have)
		}
	}
	if remembered := r.ledger.View().Remembered; !r.narrows && remembered > 150 {
		t.Errorf("want old chats forgotten, have %d remembered", remembered)
	}
}
