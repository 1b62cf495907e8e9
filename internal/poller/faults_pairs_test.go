package poller

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// somePairs is how many pairs of faults are tried in the short part of the tests.
const somePairs = 40

func TestPoller_LogsEachKindOfFault(t *testing.T) {
	all := wolkvoxtest.AllFaults()
	chosen := map[[2]wolkvoxtest.Fault]bool{}
	for random := rand.New(rand.NewPCG(40, 0)); len(chosen) < somePairs; {
		chosen[[2]wolkvoxtest.Fault{all[random.IntN(len(all))], all[random.IntN(len(all))]}] = true
	}
	i := -1
	for _, first := range all {
		for _, second := range all {
			if first == second || !torture && !chosen[[2]wolkvoxtest.Fault{first, second}] {
				continue
			}
			i++
			if !sampled(i) {
				continue
			}
			t.Run(fmt.Sprintf("%v, then %v", first, second), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { faultAfterAnother(t, first, second) })
			})
		}
	}
}

// faultAfterAnother has each of two faults last an hour.
func faultAfterAnother(t *testing.T, first, second wolkvoxtest.Fault) {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(first), uint64(second)))
	o := newOperation(t, wolkvoxtest.Config{Readings: soon(anyCombination(random).scenario().readings)}, first, second)
	o.addChats(40, 2*time.Hour+30*time.Minute, random)
	o.run()
	o.pass(30 * time.Minute)
	o.wantResults("before", wolkvox.OK)
	var begun, over int
	last := wolkvox.OK
	for _, fault := range []wolkvoxtest.Fault{first, second} {
		result := resultOfFault(t, fault)
		o.server.FailAlways(fault)
		o.pass(time.Hour)
		o.wantStatus(fault.String(), true, result)
		o.wantResults(fault.String(), result)
		if result != wolkvox.OK && result != last {
			begun, over = begun+1, 1
		}
		last = result
	}
	o.server.Recover()
	o.pass(settled)
	o.wantStatus("afterwards", true, wolkvox.OK)
	o.wantResults("afterwards", wolkvox.OK)
	o.wantTruth()
	o.wantLines(begun, over)
}
