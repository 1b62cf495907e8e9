package backfill

import (
	"cmp"
	"slices"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// memory is how long after its end a chat is remembered. Of the windows that are
// read later only the next may show it, which begins some seconds before the end of
// the last one, on a wall clock that may be set back by some hours.
const memory = 24 * time.Hour

// counter counts chats in the order of their ends.
type counter struct {
	from, to time.Time
	zone     *time.Location
	ledger   *ledger.Ledger
	waiting  []ended // to be counted yet, by their ends
	invalid  int     // rows, still to be counted in the ledger
}

// ended is a chat and the moment of its end.
type ended struct {
	At   int64 // in seconds since 1970
	Chat wolkvox.Chat
}

// add takes the rows of which chats have ended in time.
func (c *counter) add(rows *reader.Rows) {
	c.invalid += rows.Invalid
	for i := range rows.Ended {
		// In the night when the clocks go back, an end may be one of two moments.
		// By the later one the chat has ended.
		at := rows.Ended[i].End.LastIn(c.zone).Unix()
		if at > c.from.Unix() && at <= c.to.Unix() {
			c.waiting = append(c.waiting, ended{at, rows.Ended[i]})
		}
	}
	slices.SortStableFunc(c.waiting, func(a, b ended) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Chat.ID, b.Chat.ID))
	})
}

// count counts the chats that have ended by then. It answers with the number of
// rows.
func (c *counter) count(until time.Time) int {
	n, _ := slices.BinarySearchFunc(c.waiting, until.Unix(), func(e ended, at int64) int {
		if e.At <= at {
			return -1
		}
		return 1
	})
	if n == 0 {
		return 0
	}
	t := c.ledger.Begin(c.local(until))
	for i := range c.waiting[:n] {
		t.Apply(&c.waiting[i].Chat, ledger.Polling)
	}
	t.Commit()
	c.waiting = c.waiting[n:]
	return n
}

// settle makes the ledger's state one to continue from once the report has been read so
// far.
func (c *counter) settle(until time.Time) ([]byte, error) {
	t := c.ledger.Begin(c.local(until))
	for ; c.invalid > 0; c.invalid-- {
		t.Reject()
	}
	t.Forget(c.local(until.Add(-memory)))
	state, err := t.Marshal()
	if err != nil {
		return nil, err
	}
	t.Commit()
	c.waiting = slices.Clone(c.waiting)
	return state, nil
}

func (c *counter) local(t time.Time) wolkvox.LocalTime {
	return wolkvox.ToLocalTime(t.In(c.zone))
}

// chats is how many were counted.
func (c *counter) chats() uint64 { return c.ledger.View().Counts.Records[ledger.Counted] }
