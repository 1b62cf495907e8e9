package wolkvoxtest_test

import (
	"slices"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// getStatuses sends n requests and returns their statuses.
func getStatuses(t *testing.T, s *wolkvoxtest.Server, n int) []int {
	t.Helper()
	var all []int
	for range n {
		all = append(all, get(t, s, dayReport()).status)
	}
	return all
}

func TestFailNext_GivesOneFaultEach(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{})
	s.FailNext(wolkvoxtest.ServerError, wolkvoxtest.None)
	s.FailNext(wolkvoxtest.BadGateway)
	get(t, s, information+"?api=token_info") // draws none
	get(t, s, reports+"?api=chat_1")         // nor does this
	if have, want := getStatuses(t, s, 4), []int{500, 200, 502, 200}; !slices.Equal(have, want) {
		t.Errorf("want %v, have %v", want, have)
	}
}

func TestFailAlways_LastsUntilRecover(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{})
	s.FailAlways(wolkvoxtest.Maintenance)
	s.FailNext(wolkvoxtest.None)
	if have, want := getStatuses(t, s, 3), []int{200, 403, 403}; !slices.Equal(have, want) {
		t.Errorf("want %v, have %v", want, have)
	}
	s.FailNext(wolkvoxtest.ServerError)
	s.Recover()
	if have, want := getStatuses(t, s, 2), []int{200, 200}; !slices.Equal(have, want) {
		t.Errorf("want %v, have %v", want, have)
	}
}

func TestFailWith_CountsFromZero(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{})
	getStatuses(t, s, 1)
	var asked []int
	s.FailWith(func(n int) wolkvoxtest.Fault {
		asked = append(asked, n)
		if n%2 == 0 {
			return wolkvoxtest.ServerError
		}
		return wolkvoxtest.None
	})
	if have, want := getStatuses(t, s, 3), []int{500, 200, 500}; !slices.Equal(have, want) {
		t.Errorf("want %v, have %v", want, have)
	}
	s.Recover()
	if have := getStatuses(t, s, 1); have[0] != 200 || !slices.Equal(asked, []int{0, 1, 2}) {
		t.Errorf("have %v, asked %v", have, asked)
	}
}

func TestFailInformation_SparesReports(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{})
	s.FailInformation(wolkvoxtest.BadGateway)
	if have := get(t, s, information+"?api=token_info").status; have != 502 {
		t.Errorf("token_info: have %d", have)
	}
	if have := getStatuses(t, s, 1); have[0] != 200 {
		t.Errorf("chat_8: have %v", have)
	}
	s.Recover()
	if have := get(t, s, information+"?api=token_info").status; have != 200 {
		t.Errorf("token_info: have %d", have)
	}
}

func TestFault_PrecedesTokenCheck(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{Token: "another"})
	s.FailNext(wolkvoxtest.BadGateway, wolkvoxtest.PHPWarning)
	if have, want := getStatuses(t, s, 2), []int{502, 403}; !slices.Equal(have, want) {
		t.Errorf("want %v, have %v", want, have)
	}
}
