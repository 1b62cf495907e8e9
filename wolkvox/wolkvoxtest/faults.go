package wolkvoxtest

import (
	"slices"
	"sync"
)

// faults decides which request meets which fault.
type faults struct {
	mu     sync.Mutex
	next   []Fault
	with   func(n int) Fault
	drawn  int // by with
	always Fault
	info   Fault
}

// draw is the fault of a request that has just come in.
func (f *faults) draw(path, api string) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if path == informationPath {
		return f.info
	}
	if path != reportsPath || api != "chat_8" {
		return None
	}
	if len(f.next) > 0 {
		fault := f.next[0]
		f.next = f.next[1:]
		return fault
	}
	if f.with != nil {
		f.drawn++
		return f.with(f.drawn - 1)
	}
	return f.always
}

// FailNext gives the next chat_8 requests one fault each, in this order and
// after those that wait already; None lets one pass. It goes before FailAlways
// and FailWith.
func (s *Server) FailNext(faults ...Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.next = slices.Concat(s.faults.next, faults)
}

// FailAlways gives every chat_8 request the fault, until Recover.
func (s *Server) FailAlways(f Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.always, s.faults.with = f, nil
}

// FailWith asks f for the fault of every chat_8 request, until Recover. n
// counts them from 0. f is never called twice at once, and must not call the
// Fail methods.
func (s *Server) FailWith(f func(n int) Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.with, s.faults.drawn, s.faults.always = f, 0, None
}

// FailInformation gives every routing_points and token_info request the fault,
// until Recover. The faults that bend a report, from PHPWarning on, do nothing
// to them.
func (s *Server) FailInformation(f Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.info = f
}

// Recover ends all faults, those of FailNext too.
func (s *Server) Recover() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.next, s.faults.with, s.faults.always, s.faults.info = nil, nil, None, None
}
