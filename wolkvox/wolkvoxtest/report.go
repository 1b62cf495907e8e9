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

// alteration is how a response of the report differs from a correct one.
type alteration struct {
	ahead        string     // text before the JSON
	behind       string     // text after the JSON
	padded       bool       // spaces in msg
	unknownField bool       // with undocumented fields
	data         Data       // what holds the rows, unless the readings say otherwise
	gzipped      bool       // compressed without Accept-Encoding
	slow         bool       // over Config.SlowBody
	bad          badRowKind // rows between the good ones
	cut          bool       // ends in the middle
	drop         bool       // cut by dropping the connection
	undated      bool       // without a Date header
	huge         bool       // spaces after the rows
	unsolicited  string     // an additional response on the same connection
}

// report answers chat_8.
func (c *call) report(sh alteration) {
	from, to, refusal := c.span(c.entry.From, c.entry.To)
	if refusal != "" {
		c.refuse(http.StatusBadRequest, refusal)
		return
	}
	p := rowLimiter{limit: int(c.rowLimit.Load()), cut: c.cfg.Readings.Cut}
	c.chats.find(from, to, c.now, p.add)
	p.truncate()
	if c.cfg.Latency != nil && !c.sleep(c.cfg.Latency(len(p.rows))) {
		panic(http.ErrAbortHandler)
	}
	if len(p.rows) == 0 && sh == (alteration{}) {
		c.respondEmpty()
		return
	}
	c.stream(p.rows, p.found, sh, from.time(c.cfg.Location))
}

// span parses the range, or returns why it is refused. The documents name no text for a
// range that is too long, so this one is invented. A range that ends before it begins is
// no documented error: nothing is found in it.
func (c *call) span(ini, end string) (from, to localTime, refusal string) {
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
	return toLocalTime(begin, time.UTC), toLocalTime(finish, time.UTC), refusal
}

// stream sends rows as they are encoded. found is their number without the limit.
func (c *call) stream(rows []listing, found int, sh alteration, begin time.Time) {
	full := found > len(rows)
	if c.respondPoisonEmpty(rows) {
		return
	}
	header := c.w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Vary", "Accept-Encoding")
	if sh.undated {
		header["Date"] = nil // without it net/http would put in its own
	}
	var out io.Writer = c.w
	if sh.gzipped || sh == (alteration{}) && acceptsGzip(c.r) {
		header.Set("Content-Encoding", "gzip")
		zip, _ := gzip.NewWriterLevel(c.w, gzip.BestSpeed) // the level is a valid one
		defer zip.Close()
		out = zip
	}
	w := bufio.NewWriterSize(out, 64<<10)
	bad := c.badRows(sh.bad, rows, begin)
	pace := c.pace(sh.slow, 1+len(rows)+len(bad), w)

	e := c.encoder()
	e.unknownField = sh.unknownField
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
	_, _ = w.Write(e.buf) // the next write returns the same error
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
			if writePieces(w, bad[i]...) != nil {
				return
			}
			sent++
		}
		if i < len(rows) {
			e.separate(sent, data)
			mark := len(e.buf)
			poison := c.rowPoison(&rows[i])
			e.replacedField, e.replacement = poisons[poison].field, poisons[poison].value
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
	c.finish(http.StatusOK, len(rows), len(bad), full)
	if sh.huge && writePieces(w, repeatedText{" ", c.cfg.HugeBody}) != nil {
		return
	}
	e.end(data)
	e.buf = append(e.buf, sh.behind...)
	_, _ = w.Write(e.buf)
	if w.Flush() == nil && sh.unsolicited != "" {
		c.sendBehind(sh.unsolicited)
	}
}

// cutOff sends the last bytes and ends the body, as if it were complete, or by dropping
// the connection.
func (c *call) cutOff(w *bufio.Writer, last []byte, rows int, drop bool) {
	c.finish(http.StatusOK, rows, 0, false)
	_, _ = w.Write(last)
	_ = w.Flush()
	if drop {
		_ = http.NewResponseController(c.w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// pace returns a function to call after each of n pieces. If the body is slow, it flushes
// and waits, at most a hundred times. It returns false if the client has disconnected.
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

// sleep returns false if the client disconnects or the server closes.
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
