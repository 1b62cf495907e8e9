package backfill

import (
	"cmp"
	"slices"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// retention is how long after its end a chat is remembered. Only the next window can return
// it again: that begins some seconds before the end of the last one, in local time, which
// may be set back by some hours.
const retention = 24 * time.Hour

// counter counts chats in the order of their ends.
type counter struct {
	from, to time.Time
	zone     *time.Location
	ledger   *ledger.Ledger
	waiting  []endedChat // not counted yet, sorted by their ends
	invalid  int         // rows, not counted in the ledger yet
}

// endedChat is a chat with the time of its end.
type endedChat struct {
	At   int64 // Unix time
	Chat wolkvox.Chat
}

// add adds the chats that ended in the time span, and the invalid rows.
func (c *counter) add(rows *reader.Rows) {
	c.invalid += rows.Invalid
	for i := range rows.Ended {
		// When clocks go back, a local time occurs twice. At the later of the two, the chat
		// has certainly ended.
		at := rows.Ended[i].End.LastIn(c.zone).Unix()
		if at > c.from.Unix() && at <= c.to.Unix() {
			c.waiting = append(c.waiting, endedChat{at, rows.Ended[i]})
		}
	}
	slices.SortStableFunc(c.waiting, func(a, b endedChat) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Chat.ID, b.Chat.ID))
	})
}

// countUntil counts the chats that have ended by a time, and returns their number.
func (c *counter) countUntil(until time.Time) int {
	n, _ := slices.BinarySearchFunc(c.waiting, until.Unix(), func(e endedChat, at int64) int {
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

// checkpoint returns the ledger's state after the report has been read up to a time, for a
// run that resumes.
func (c *counter) checkpoint(until time.Time) ([]byte, error) {
	t := c.ledger.Begin(c.local(until))
	for ; c.invalid > 0; c.invalid-- {
		t.Reject()
	}
	t.Forget(c.local(until.Add(-retention)))
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

// chats returns the number of counted chats.
func (c *counter) chats() uint64 { return c.ledger.View().Counts.Records[ledger.Counted] }
