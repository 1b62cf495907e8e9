package wolkvoxtest

import (
	"slices"
	"sync"
)

// faults chooses the fault of each request.
type faults struct {
	mu     sync.Mutex
	queued []Fault
	with   func(n int) Fault
	calls  int // by with
	always Fault
	info   Fault
}

// next returns the fault of a new request.
func (f *faults) next(path, api string) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if path == informationPath {
		return f.info
	}
	if path != reportsPath || api != "chat_8" {
		return None
	}
	if len(f.queued) > 0 {
		fault := f.queued[0]
		f.queued = f.queued[1:]
		return fault
	}
	if f.with != nil {
		f.calls++
		return f.with(f.calls - 1)
	}
	return f.always
}

// FailNext gives the next chat_8 requests one fault each, in this order and after those
// that are queued. None lets a request succeed. It has precedence over FailAlways and
// FailWith.
func (s *Server) FailNext(faults ...Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.queued = slices.Concat(s.faults.queued, faults)
}

// FailAlways gives every chat_8 request the fault, until Recover.
func (s *Server) FailAlways(f Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.always, s.faults.with = f, nil
}

// FailWith calls f for the fault of every chat_8 request, until Recover. n counts the
// requests from 0. f is not called concurrently, and must not call the Fail methods.
func (s *Server) FailWith(f func(n int) Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.with, s.faults.calls, s.faults.always = f, 0, None
}

// FailInformation gives every routing_points and token_info request the fault,
// until Recover. The faults that alter a report, from PHPWarning on, have no effect
// on them.
func (s *Server) FailInformation(f Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.info = f
}

// Recover ends all faults, those of FailNext too.
func (s *Server) Recover() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.queued, s.faults.with, s.faults.always, s.faults.info = nil, nil, None, None
}
