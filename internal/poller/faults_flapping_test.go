package poller

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// seeds returns the number of random days to test.
func seeds() int {
	switch {
	case torture:
		return 30
	case testing.Short():
		return 1
	default:
		return 3
	}
}

// flapping returns a random fault for each request, with a probability in percent.
func flapping(percent int, faults []wolkvoxtest.Fault, random *rand.Rand) func(int) wolkvoxtest.Fault {
	return func(int) wolkvoxtest.Fault {
		if random.IntN(100) < percent {
			return faults[random.IntN(len(faults))]
		}
		return wolkvoxtest.None
	}
}

// flappingDay lets requests of a day fail, and returns the number of requests.
func flappingDay(t *testing.T, seed int, fail func(int) wolkvoxtest.Fault) int {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(seed), 3))
	o := newOperation(t, wolkvoxtest.Config{Readings: soon(anyCombination(random).scenario().readings)}, wolkvoxtest.AllFaults()...)
	o.addChats(300, day-time.Hour, random)
	o.run()
	o.pass(5 * time.Minute)
	before := o.requests()
	o.server.FailWith(fail)
	o.pass(day)
	requests := o.requests() - before
	o.server.Recover()
	o.pass(settled)
	o.wantStatus("afterwards", true, wolkvox.OK)
	o.wantTruth()
	t.Logf("requests in the day: %d", requests)
	return requests
}

func TestPoller_CountsEveryChatWithinQuotaThroughFlappingFaults(t *testing.T) {
	all := wolkvoxtest.AllFaults()
	// A request is retried at once after these.
	passing := slices.DeleteFunc(slices.Clone(all), func(f wolkvoxtest.Fault) bool {
		switch resultsOfFaults[f] {
		case wolkvox.Network, wolkvox.Timeout, wolkvox.ServerError, wolkvox.TokenBusy, wolkvox.RateLimited:
			return false
		default:
			return true
		}
	})
	for seed := range seeds() {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(uint64(seed), 4))
				// One licence has 1,000 requests a day.
				fail, most := flapping(50, all, random), 600
				switch seed % 3 {
				case 1:
					fail, most = flapping(50, passing, random), 990
				case 2: // Uses all retries: the fourth request succeeds.
					fail, most = func(n int) wolkvoxtest.Fault {
						if n%4 == 3 {
							return wolkvoxtest.None
						}
						return passing[random.IntN(len(passing))]
					}, 990
				}
				if have := flappingDay(t, seed, fail); have > most {
					t.Errorf("requests in the day: have %d, want at most %d", have, most)
				}
			})
		})
	}
}

func TestPoller_KeepsWithinQuotaThroughTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := flapping(35, []wolkvoxtest.Fault{wolkvoxtest.Hang}, rand.New(rand.NewPCG(0, 4)))
		if have, most := flappingDay(t, 0, fail), 900; have > most {
			t.Errorf("requests in the day: have %d, want at most %d", have, most)
		}
	})
}

// unreliableStore sometimes fails to save: before it has saved, or after, like a disk that
// wrote the file and not its folder.
type unreliableStore struct {
	store.Memory
	mu     sync.Mutex
	random *rand.Rand // nil while every save succeeds
}

var errDisk = errors.New("input/output error")

func (s *unreliableStore) Save(state []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.random == nil {
		return s.Memory.Save(state)
	}
	switch s.random.IntN(4) {
	case 0:
		return errDisk
	case 1:
		_ = s.Memory.Save(state)
		return errDisk
	default:
		return s.Memory.Save(state)
	}
}

func (s *unreliableStore) Load() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Memory.Load()
}

func (s *unreliableStore) setRandom(random *rand.Rand) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.random = random
}

func TestPoller_ShowsOnlySavedCountsWithUnreliableDisk(t *testing.T) {
	for seed := range seeds() {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(uint64(seed), 5))
				faults := wolkvoxtest.AllFaults()
				o := newOperation(t, wolkvoxtest.Config{Readings: soon(anyCombination(random).scenario().readings)}, faults...)
				o.addChats(150, 11*time.Hour, random)
				disk := &unreliableStore{}
				o.kept = disk
				o.run()
				o.pass(5 * time.Minute)
				o.server.FailWith(flapping(30, faults, rand.New(rand.NewPCG(uint64(seed), 6))))
				disk.setRandom(rand.New(rand.NewPCG(uint64(seed), 7)))
				for range 48 {
					o.pass(15 * time.Minute)
					o.wantSaved()
					if random.IntN(10) == 0 {
						o.kill()
						o.run()
					}
				}
				o.server.Recover()
				disk.setRandom(nil)
				o.pass(settled)
				o.wantSaved()
				o.wantStatus("afterwards", true, wolkvox.OK)
				o.wantTruth()
			})
		})
	}
}

// wantSaved compares the published counts with those of a process that starts now.
func (o *operation) wantSaved() {
	o.t.Helper()
	saved := figuresShown(newPoller(o.t, o.client, o.kept, o.options))
	for name, value := range o.figures() {
		if value > saved[name] {
			o.t.Errorf("%v: %s: have %v shown, %v saved", time.Now(), name, value, saved[name])
		}
	}
}
