package wolkvoxtest

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// shape is how an answer of the report departs from a good one.
type shape struct {
	ahead   string  // text before the JSON
	behind  string  // text after the JSON
	padded  bool    // spaces in msg
	novel   bool    // fields that no document knows
	data    Data    // what holds the rows, unless the readings say otherwise
	gzipped bool    // compressed without having been asked
	slow    bool    // over Config.SlowBody
	bad     badKind // rows between the good ones
	cut     bool    // ends in the middle
	drop    bool    // cut by dropping the connection
	undated bool    // without a Date header
	huge    bool    // space behind the rows
	unasked string  // text of a response that no request asked for, on the same connection
}

// report answers chat_8.
func (c *call) report(sh shape) {
	from, to, refusal := c.span(c.entry.From, c.entry.To)
	if refusal != "" {
		c.refuse(http.StatusBadRequest, refusal)
		return
	}
	p := picker{limit: int(c.rowLimit.Load()), cut: c.cfg.Readings.Cut}
	c.book.find(from, to, c.now, p.add)
	p.settle()
	if c.cfg.Latency != nil && !c.sleep(c.cfg.Latency(len(p.rows))) {
		panic(http.ErrAbortHandler)
	}
	if len(p.rows) == 0 && sh == (shape{}) {
		c.nothing()
		return
	}
	c.stream(p.rows, p.found, sh, from.time(c.cfg.Location))
}

// span reads the range, or says why it is refused. The documents name no text
// for too long a range; the one here is ours. A range that ends before it
// begins is none of their errors: nothing is found in it.
func (c *call) span(ini, end string) (from, to wall, refusal string) {
	limits := &c.cfg.Limits
	if ini == "" || end == "" {
		return 0, 0, msgParameters
	}
	begin, err := time.Parse(dateLayout, ini)
	if err != nil {
		return 0, 0, msgParameters
	}
	finish, err := time.Parse(dateLayout, end)
	if err != nil {
		return 0, 0, msgParameters
	}
	switch {
	case (finish.Sub(begin)-1)/(24*time.Hour) >= time.Duration(limits.Days):
		refusal = "THE RANGE OF DATES EXCEEDS " + strconv.Itoa(limits.Days) + " DAYS"
	case limits.SameMonth && (begin.Year() != finish.Year() || begin.Month() != finish.Month()):
		refusal = "THE RANGE OF DATES MUST BE WITHIN ONE MONTH"
	}
	return wallOf(begin, time.UTC), wallOf(finish, time.UTC), refusal
}

// stream sends rows as they are encoded; found is how many there are without the
// limit.
func (c *call) stream(rows []listing, found int, sh shape, begin time.Time) {
	full := found > len(rows)
	if c.emptied(rows) {
		return
	}
	header := c.w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Vary", "Accept-Encoding")
	if sh.undated {
		header["Date"] = nil // without it net/http would put in its own
	}
	var out io.Writer = c.w
	if sh.gzipped || sh == (shape{}) && acceptsGzip(c.r) {
		header.Set("Content-Encoding", "gzip")
		zip, _ := gzip.NewWriterLevel(c.w, gzip.BestSpeed) // the level is a valid one
		defer zip.Close()
		out = zip
	}
	w := bufio.NewWriterSize(out, 64<<10)
	bad := c.badRows(sh.bad, rows, begin)
	pace := c.pace(sh.slow, 1+len(rows)+len(bad), w)

	e := c.encoder()
	e.novel = sh.novel
	msg := c.cfg.Readings.message(len(rows)+len(bad), found+len(bad))
	if sh.padded {
		msg = padded(msg)
	}
	data := cmp.Or(sh.data, c.cfg.Readings.Data)
	if data == DataSingle && len(rows)+len(bad) != 1 {
		data = DataArray
	}
	e.buf = append(e.buf, sh.ahead...)
	e.begin(data, msg)

	if sh.cut && len(rows) == 0 {
		c.cutOff(w, e.buf[:len(e.buf)/2], 0, sh.drop)
		return
	}
	_, _ = w.Write(e.buf) // its error, if any, is met again below
	e.buf = e.buf[:0]
	if !pace() {
		return
	}

	sent := 0
	for i := range max(len(rows), len(bad)) {
		if i < len(bad) {
			e.separate(sent, data)
			_, _ = w.Write(e.buf)
			e.buf = e.buf[:0]
			if writeAll(w, bad[i]...) != nil {
				return
			}
			sent++
		}
		if i < len(rows) {
			e.separate(sent, data)
			mark := len(e.buf)
			poison := c.poisonOf(&rows[i])
			e.spoiled, e.spoil = poisons[poison].field, poisons[poison].value
			e.row(rows[i])
			if sh.cut && i == len(rows)/2 || poison == PoisonCut {
				c.cutOff(w, e.buf[:(mark+len(e.buf))/2], i, sh.drop)
				return
			}
			sent++
		}
		if _, err := w.Write(e.buf); err != nil || !pace() {
			return
		}
		e.buf = e.buf[:0]
	}
	if w.Flush() != nil {
		return
	}
	c.settle(http.StatusOK, len(rows), len(bad), full)
	if sh.huge && writeAll(w, piece{" ", c.cfg.HugeBody}) != nil {
		return
	}
	e.end(data)
	e.buf = append(e.buf, sh.behind...)
	_, _ = w.Write(e.buf)
	if w.Flush() == nil && sh.unasked != "" {
		c.sendBehind(sh.unasked)
	}
}

// cutOff sends a last piece and ends the body there; by dropping the
// connection, or as if it were complete.
func (c *call) cutOff(w *bufio.Writer, last []byte, rows int, drop bool) {
	c.settle(http.StatusOK, rows, 0, false)
	_, _ = w.Write(last)
	_ = w.Flush()
	if drop {
		_ = http.NewResponseController(c.w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// pace returns a function to call after each of n pieces. When the body is to
// be slow it sends what there is and waits, a hundred times at most; it reports
// false when there is nobody left to wait for.
func (c *call) pace(slow bool, n int, w *bufio.Writer) func() bool {
	if !slow {
		return func() bool { return true }
	}
	every := n/100 + 1
	wait := c.cfg.SlowBody / time.Duration(n/every)
	pieces := 0
	return func() bool {
		if pieces++; pieces%every != 0 {
			return true
		}
		if w.Flush() != nil || http.NewResponseController(c.w).Flush() != nil {
			return false
		}
		return c.sleep(wait)
	}
}

// sleep reports false when the client left or the server closes.
func (c *call) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.r.Context().Done():
	case <-c.closing:
	}
	return false
}

func acceptsGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if strings.TrimSpace(name) == "gzip" && strings.TrimSpace(params) != "q=0" {
			return true
		}
	}
	return false
}
