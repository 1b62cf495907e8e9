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
	From, To string // date_ini and date_end of the request
	TokenOK  bool
	Fault    Fault
	Status   int  // 0 while, or if, nothing is sent
	Rows     int  // good rows that were sent
	BadRows  int  // bad rows of a Fault
	Cut      bool // the limit left rows out
}

// maxLog bounds the log of a server that runs for days.
const maxLog = 1 << 16

// admission checks the token, the quota and the number of simultaneous requests, and keeps
// the log.
type admission struct {
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

// logRequest appends a request to the log.
func (d *admission) logRequest(r Request) *Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.log) == maxLog {
		d.log = append(d.log[:0], d.log[maxLog/2:]...)
	}
	d.log = append(d.log, &r)
	return d.log[len(d.log)-1]
}

// updateRequest changes a request of the log.
func (d *admission) updateRequest(r *Request, change func(*Request)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(r)
}

// accepts reports whether a token is the required one.
func (d *admission) accepts(token string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return token != "" && (d.token == "" || token == d.token)
}

// enter counts a request of the token. ok reports whether the limit of simultaneous
// requests allows it. leave must follow either way.
func (d *admission) enter(token string) (ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inFlight == nil {
		d.inFlight = map[string]int{}
	}
	d.inFlight[token]++
	d.maxInFlight = max(d.maxInFlight, d.inFlight[token])
	return d.inFlight[token] <= d.cfg.Limits.SimultaneousRequests
}

func (d *admission) leave(token string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inFlight[token]--; d.inFlight[token] == 0 {
		delete(d.inFlight, token)
	}
}

// spend takes n requests from the day's quota. ok reports whether there were enough.
func (d *admission) spend(token string, now time.Time, n int) (ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.resetAtMidnight(now)
	d.used += n
	d.usedBy[token] += n
	return d.used <= d.cfg.Limits.RequestsPerDay
}

// usage returns today's requests.
func (d *admission) usage(token string, now time.Time) (byToken, byAll, limit int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.resetAtMidnight(now)
	return d.usedBy[token], d.used, d.cfg.Limits.RequestsPerDay
}

// resetAtMidnight starts a new count if midnight has passed in the operation's zone.
func (d *admission) resetAtMidnight(now time.Time) {
	if day := int(toLocalTime(now, d.cfg.Location) / 1e6); day != d.day {
		d.day, d.used, d.usedBy = day, 0, map[string]int{}
	}
}

// Requests returns the log, the oldest request first. An entry is final before the
// last byte of its response is sent.
func (s *Server) Requests() []Request {
	d := &s.admission
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]Request, len(d.log))
	for i, r := range d.log {
		all[i] = *r
	}
	return slices.Clip(all)
}

// MaxInFlight returns the largest number of simultaneous requests of one token. Requests
// with the fault Hang do not count: they stand for requests that a firewall drops.
func (s *Server) MaxInFlight() int {
	s.admission.mu.Lock()
	defer s.admission.mu.Unlock()
	return s.admission.maxInFlight
}

// SetToken makes another token the only valid one, as when a token expires. With "" all
// tokens are valid.
func (s *Server) SetToken(token string) {
	s.admission.mu.Lock()
	defer s.admission.mu.Unlock()
	s.admission.token = token
}

// Spend takes n requests from today's quota, as other users of the operation's
// tokens do.
func (s *Server) Spend(n int) { s.admission.spend("", s.cfg.Now(), n) }
