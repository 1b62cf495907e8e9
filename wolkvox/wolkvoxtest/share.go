package wolkvoxtest

import (
	"hash/fnv"
	"io"
	"strconv"
	"time"
)

// Share returns a function that reports true for a percentage of the chats, always the
// same ones. Shares with different names are independent.
func Share(name string, percent int) func(Chat) bool {
	return func(c Chat) bool { return c.hash(name)%100 < uint64(max(percent, 0)) }
}

// hash returns a hash of the chat's identity and a name.
func (c *Chat) hash(name string) uint64 {
	h := fnv.New64a()
	for _, part := range []string{name, c.ConnID, c.SessionID, strconv.FormatInt(c.Start.Unix(), 10)} {
		_, _ = io.WriteString(h, part)
		_, _ = h.Write([]byte{0})
	}
	n := h.Sum64()
	return n ^ n>>32
}

// MaxTimeout is the longest duration of a chat of [TimedOut].
const MaxTimeout = 47 * time.Hour

// TimedOut returns c as if no agent had closed it: it starts when c does, and a timeout
// ends it about 23 hours later, or about 47 for one of ten chats.
func TimedOut(c Chat) Chat {
	n := c.hash("timeout")
	last := 23*time.Hour + 10*time.Minute
	if n%10 == 0 {
		last = MaxTimeout
	}
	last -= time.Duration(n/10%1200) * time.Second
	if c.HandleTime >= 0 {
		c.HandleTime += last - c.Total
	}
	c.End, c.Total = c.Start.Add(last), last
	return c
}
