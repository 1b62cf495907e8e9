package wolkvoxtest

import (
	"slices"
	"sync"
	"time"
)

// Request is one line of the server's log.
type Request struct {
	Time     time.Time // by the server's clock
	Method   string
	Host     string
	Path     string
	API      string
	From, To string // date_ini and date_end as asked
	TokenOK  bool
	Fault    Fault
	Status   int  // 0 while, or if, nothing is sent
	Rows     int  // good ones that were sent
	BadRows  int  // those a Fault put between them
	Cut      bool // the limit left rows out
}

// maxLog bounds the log of a server that runs for days.
const maxLog = 1 << 16

// desk is where requests are admitted: it knows the token, the quota and who is
// being served, and writes the log.
type desk struct {
	cfg *Config

	mu          sync.Mutex
	token       string
	log         []*Request
	inFlight    map[string]int
	maxInFlight int
	day         int // the operation's, as a number
	used        int // today, by all tokens
	usedBy      map[string]int
}

// open writes a request into the log.
func (d *desk) open(r Request) *Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.log) == maxLog {
		d.log = append(d.log[:0], d.log[maxLog/2:]...)
	}
	d.log = append(d.log, &r)
	return d.log[len(d.log)-1]
}

// edit changes a line of the log.
func (d *desk) edit(r *Request, change func(*Request)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(r)
}

// accepts compares a token with the required one.
func (d *desk) accepts(token string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return token != "" && (d.token == "" || token == d.token)
}

// enter takes a place for the token; ok tells whether it was free. leave must
// follow either way.
func (d *desk) enter(token string) (ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inFlight == nil {
		d.inFlight = map[string]int{}
	}
	d.inFlight[token]++
	d.maxInFlight = max(d.maxInFlight, d.inFlight[token])
	return d.inFlight[token] <= d.cfg.Limits.SimultaneousRequests
}

func (d *desk) leave(token string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inFlight[token]--; d.inFlight[token] == 0 {
		delete(d.inFlight, token)
	}
}

// spend takes n requests from the day's quota; ok tells whether they were left.
func (d *desk) spend(token string, now time.Time, n int) (ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.turn(now)
	d.used += n
	d.usedBy[token] += n
	return d.used <= d.cfg.Limits.RequestsPerDay
}

// quota says what of today's requests is gone.
func (d *desk) quota(token string, now time.Time) (byToken, byAll, limit int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.turn(now)
	return d.usedBy[token], d.used, d.cfg.Limits.RequestsPerDay
}

// turn starts a new count when midnight has passed in the operation's zone.
func (d *desk) turn(now time.Time) {
	if day := int(wallOf(now, d.cfg.Location) / 1e6); day != d.day {
		d.day, d.used, d.usedBy = day, 0, map[string]int{}
	}
}

// Requests is the log, the oldest first. A line is final before its answer's
// last byte is sent.
func (s *Server) Requests() []Request {
	d := &s.desk
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]Request, len(d.log))
	for i, r := range d.log {
		all[i] = *r
	}
	return slices.Clip(all)
}

// MaxInFlight is the largest number of requests that one token ever had at the
// same time. Those that the fault Hang met do not count: they never get past
// the firewall, which does not notice when a client gives up.
func (s *Server) MaxInFlight() int {
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	return s.desk.maxInFlight
}

// SetToken makes another token the only good one, as when one expires; "" makes
// any good.
func (s *Server) SetToken(token string) {
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	s.desk.token = token
}

// Spend takes n requests from today's quota, as other users of the operation's
// tokens do.
func (s *Server) Spend(n int) { s.desk.spend("", s.cfg.Now(), n) }
