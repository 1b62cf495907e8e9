//go:build unix

package test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// awkwardReadings are readings of the API that make it hard to count a chat once, each in
// another way. A poll reads four seconds back, so only a reconcile finds some late chats.
var awkwardReadings = []struct {
	name     string
	readings wolkvoxtest.Readings
}{
	{"selects on start, lists open", wolkvoxtest.Readings{
		SelectOn: wolkvoxtest.Start, Ends: wolkvoxtest.BothExclusive, ListOpen: wolkvoxtest.DashEnd,
		BotConnID: wolkvoxtest.Dash, FillDelay: 2 * time.Second, Lateness: showLate(3 * time.Second),
	}},
	{"selects on start, shows late", wolkvoxtest.Readings{
		SelectOn: wolkvoxtest.Start, Ends: wolkvoxtest.StartInclusive, ListOpen: wolkvoxtest.NotListed,
		Empty: wolkvoxtest.Status404, Lateness: showLate(9 * time.Second), DateStyle: wolkvoxtest.DateCompact,
	}},
	{"selects on end, fills in late", wolkvoxtest.Readings{
		SelectOn: wolkvoxtest.End, Ends: wolkvoxtest.BothInclusive, ListOpen: wolkvoxtest.EmptyEnd,
		BotConnID: wolkvoxtest.Dash, FillDelay: 7 * time.Second, Absent: wolkvoxtest.AbsentEmpty,
	}},
}

// The phases that a kill can interrupt.
const (
	starting    = "before it listens"
	catchingUp  = "in the first request after a pause"
	polling     = "in the request of a poll"
	reconciling = "in the request of a reconcile"
	applying    = "between a response and its save"
	saving      = "in a save"
	unsaved     = "while no save succeeds"
	idle        = "between two polls"
)

// A program that is killed again and again in any phase never shows too many chats, never
// takes one back, always starts again, and finally shows all.
func TestServe_CountsEachChatOnceThroughHundredsOfKills(t *testing.T) {
	if os.Getenv("TORTURE") == "" {
		t.Skip("it takes minutes: set TORTURE to run it")
	}
	seed := envUint(t, "TORTURE_SEED", rand.Uint64())
	kills := int(envUint(t, "TORTURE_KILLS", 300))
	t.Logf("to repeat this plan: TORTURE_SEED=%d", seed)
	phases := map[string]int{}
	for i, api := range awkwardReadings {
		t.Run(api.name, func(t *testing.T) {
			share := (kills + i) / len(awkwardReadings)
			newRandomKills(t, api.readings, rand.New(rand.NewPCG(seed, uint64(i)))).killAtRandom(share, phases)
		})
	}
	for _, phase := range []string{starting, catchingUp, polling, reconciling, applying, saving, unsaved, idle} {
		t.Logf("killed %3d times %s", phases[phase], phase)
	}
	if t.Failed() {
		return // It was cut short.
	}
	for _, phase := range []string{starting, polling, reconciling, saving} {
		if phases[phase] == 0 {
			t.Errorf("have no kill %s, want some", phase)
		}
	}
}

func envUint(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// randomKills kills the program at random moments.
type randomKills struct {
	*killTest
	random *rand.Rand
	chats  int       // made so far
	last   time.Time // when the last of them ends
}

func newRandomKills(t *testing.T, readings wolkvoxtest.Readings, random *rand.Rand) *randomKills {
	t.Helper()
	k := &randomKills{killTest: newKillTest(t, readings, 400*time.Millisecond), random: random}
	k.startFirst()
	k.last = time.Now().Add(time.Second)
	slow := rand.New(rand.NewPCG(random.Uint64(), 0))
	k.server.FailWith(func(int) wolkvoxtest.Fault {
		if slow.IntN(2) == 0 {
			return wolkvoxtest.SlowBody
		}
		return wolkvoxtest.None
	})
	return k
}

// killAtRandom kills the program that many times, and waits until it shows the truth.
func (k *randomKills) killAtRandom(kills int, phases map[string]int) {
	began, watched, paused := time.Now(), k.watch(), false
	k.kill()
	for n := range kills {
		if k.t.Failed() {
			return
		}
		k.addChats()
		phases[k.runAndKill(n, paused)]++
		// A pause leaves something to catch up on.
		if paused = k.random.IntN(6) == 0; paused {
			k.sleepUpTo(4 * time.Second)
		}
	}
	k.server.Recover()
	k.start()
	k.wantAllChats(k.chats, watched)
	k.t.Logf("%d kills in %s: %d chats, %d requests, %d scrapes, %d more broken off by a kill",
		kills, time.Since(began).Round(time.Second), k.chats, k.requestCount(), k.scrapes.Load(), k.brokenScrapes.Load())
}

// runAndKill starts the program, kills it, and returns the phase that was interrupted.
func (k *randomKills) runAndKill(n int, paused bool) (phase string) {
	k.t.Helper()
	if n%8 == 7 {
		k.failSave()
		return unsaved
	}
	since := k.requestCount()
	k.run()
	k.awaitMoment(n)
	k.kill()
	if e := k.current.Load(); e.cmd.ProcessState.Exited() {
		k.t.Fatalf("it ended by itself with status %d:\n%s", e.cmd.ProcessState.ExitCode(), e.logged())
	}
	return k.phaseAtKill(since, paused)
}

// addChats adds chats that end continually until some seconds from now.
func (k *randomKills) addChats() {
	const aSecond = 40
	for until := time.Now().Add(5 * time.Second); k.last.Before(until); k.last = k.last.Add(time.Second) {
		k.server.Add(endingSoon(k.chats, aSecond, k.last, time.Second)...)
		k.chats += aSecond
	}
}

// awaitMoment waits for the next moment to kill. Most are random. It waits for those that
// are too short to be hit at random.
func (k *randomKills) awaitMoment(n int) {
	switch n % 8 {
	case 0: // not even as long as a start takes
		k.sleepUpTo(30 * time.Millisecond)
	case 4: // about as long as a first request takes
		k.sleepUpTo(150 * time.Millisecond)
	case 2:
		k.current.Load().waitListening()
		k.awaitStateChange()
	case 6:
		k.current.Load().waitListening()
		k.awaitStateChange()
		k.sleepUpTo(3 * time.Millisecond)
	case 3:
		k.current.Load().waitListening()
		k.awaitMoreChats()
	default:
		k.sleepUpTo(1500 * time.Millisecond)
	}
}

// sleepUpTo sleeps for a random duration below most.
func (k *randomKills) sleepUpTo(most time.Duration) {
	time.Sleep(time.Duration(k.random.Int64N(int64(most))))
}

// awaitStateChange waits until a file in the state's folder changes: a save is in progress.
func (k *randomKills) awaitStateChange() {
	k.t.Helper()
	before := k.stateFiles()
	pollUntil(k.t, waitLimit, 200*time.Microsecond, "a save under way", func() bool { return k.stateFiles() != before })
}

func (k *randomKills) stateFiles() string {
	var b strings.Builder
	entries, _ := os.ReadDir(k.statePath(""))
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil { // else: it has just gone
			fmt.Fprintln(&b, entry.Name(), info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String()
}

// phaseAtKill returns the phase in which the program was killed, from the files and
// requests that it left.
func (k *randomKills) phaseAtKill(since int, paused bool) string {
	if k.current.Load().baseURL() == "" {
		return starting
	}
	if left, _ := filepath.Glob(k.statePath("*.unsaved*")); len(left) > 0 {
		return saving
	}
	requests := slices.DeleteFunc(k.server.Requests()[since:], func(r wolkvoxtest.Request) bool { return r.API != "chat_8" })
	if len(requests) == 0 {
		return idle
	}
	last := requests[len(requests)-1]
	saved, err := os.Stat(k.statePath("wv0042.state"))
	switch {
	case last.Status == 0 && isReconcile(last):
		return reconciling
	case last.Status == 0 && paused && len(requests) == 1:
		return catchingUp
	case last.Status == 0:
		return polling
	case err == nil && saved.ModTime().Before(last.Time):
		return applying
	default:
		return idle
	}
}
