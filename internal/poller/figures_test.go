package poller

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// figures holds all counts by name for comparison. Zeros are omitted.
type figures map[string]float64

func (f figures) withoutZeros() figures {
	maps.DeleteFunc(f, func(_ string, value float64) bool { return value == 0 })
	return f
}

// collectFigures flattens what the exporter shows, without the buckets.
func collectFigures(view *ledger.View) figures {
	flat := figures{}
	for _, set := range view.LabelSets {
		labels := set.RoutingPoint + " " + set.Channel
		flat[labels+" interactions"] = float64(set.Interactions)
		flat[labels+" handoffs"] = float64(set.Handoffs)
		for sender, n := range set.LastSender {
			flat[labels+" last "+wolkvox.LastSender(sender).String()] = float64(n)
		}
		for measure, h := range set.Histograms {
			flat[fmt.Sprint(labels, " count ", measure)] = float64(h.Count)
			flat[fmt.Sprint(labels, " sum ", measure)] = h.Sum
		}
	}
	return flat.withoutZeros()
}

// findBuckets are the buckets of what the exporter shows.
func findBuckets(view *ledger.View) figures {
	flat := figures{}
	for _, set := range view.LabelSets {
		for measure, h := range set.Histograms {
			name := fmt.Sprint(set.RoutingPoint, " ", set.Channel, " measure ", measure)
			for i, n := range h.Buckets {
				flat[fmt.Sprint(name, " bucket ", i)] = float64(n)
			}
			for i, n := range h.Native {
				flat[fmt.Sprint(name, " native ", h.NativeStart+i)] = float64(n)
			}
			flat[name+" zeros"] = float64(h.Zeros)
		}
	}
	return flat.withoutZeros()
}

// wantWholeHistograms compares the counts of histograms with those of their
// buckets.
func wantWholeHistograms(t *testing.T, view *ledger.View) {
	t.Helper()
	sum := func(buckets []uint64) (n uint64) {
		for _, bucket := range buckets {
			n += bucket
		}
		return n
	}
	for _, set := range view.LabelSets {
		for measure, h := range set.Histograms {
			if classic, native := sum(h.Buckets), h.Zeros+sum(h.Native); classic != h.Count || native != h.Count {
				t.Fatalf("%v, measure %d: have %d in classic buckets and %d in native ones, want %d", set.Labels, measure, classic, native, h.Count)
			}
		}
	}
}

// figuresOfTruth flattens the server's account.
func figuresOfTruth(truth wolkvoxtest.Truth) figures {
	flat := figures{}
	for key, f := range truth.By {
		labels := cmp.Or(key.RoutingPoint, "-") + " " + cmp.Or(key.Channel, "-")
		flat[labels+" interactions"] = float64(f.Interactions)
		flat[labels+" handoffs"] = float64(f.Handoffs)
		for sender, n := range f.LastSender {
			if sender == "" {
				continue // An absent one is not counted.
			}
			flat[labels+" last "+sender] = float64(n)
		}
		for measure, stat := range []wolkvoxtest.Stat{
			f.BotTime, f.SpeedOfAnswer, f.HandleTime, f.Duration, f.Messages, f.CustomerChars, f.AgentChars,
		} {
			flat[fmt.Sprint(labels, " count ", measure)] = float64(stat.Count)
			flat[fmt.Sprint(labels, " sum ", measure)] = stat.Sum
		}
	}
	return flat.withoutZeros()
}

// expectedFigures is what ended chats come to, buckets too, when each is counted once
// and whole.
func expectedFigures(chats []wolkvoxtest.Chat) figures {
	account := figures{}
	for _, c := range chats {
		labels := c.RoutingPoint + " " + strings.ToLower(c.Channel)
		account[labels+" interactions"]++
		account[labels+" last "+c.LastSender]++
		account.observe(labels, ledger.BotTime, int(c.BotTime/time.Second))
		account.observe(labels, ledger.Duration, int(c.Total/time.Second))
		account.observe(labels, ledger.Messages, c.Messages)
		account.observe(labels, ledger.CustomerCharacters, c.CustomerChars)
		if c.HandedOff {
			account[labels+" handoffs"]++
			account.observe(labels, ledger.SpeedOfAnswer, int(c.Answer/time.Second))
			account.observe(labels, ledger.HandleTime, int(c.HandleTime/time.Second))
			account.observe(labels, ledger.AgentCharacters, c.AgentChars)
		}
	}
	return account.withoutZeros()
}

func (f figures) observe(labels string, m ledger.Measure, value int) {
	f[fmt.Sprint(labels, " count ", m)]++
	f[fmt.Sprint(labels, " sum ", m)] += float64(value)
	name := fmt.Sprint(labels, " measure ", m)
	bucket := 0
	for _, bound := range m.Bounds() {
		if float64(value) > bound {
			bucket++
		}
	}
	f[fmt.Sprint(name, " bucket ", bucket)]++
	if value == 0 {
		f[name+" zeros"]++
		return
	}
	// Whole numbers are bounds or well between them.
	const beside = 1e-9
	f[fmt.Sprint(name, " native ", int(math.Ceil(math.Log2(float64(value))*(1<<ledger.NativeSchema)-beside)))]++
}

// difference lists figures that are not as wanted.
func difference(have, want figures) string {
	both := maps.Clone(want)
	maps.Copy(both, have)
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(both)) {
		if have[name] != want[name] {
			fmt.Fprintf(&b, "%s: have %v, want %v\n", name, have[name], want[name])
		}
	}
	return b.String()
}
