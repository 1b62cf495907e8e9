package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/poller"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// This is what the store's guarantees are for: on a disk that fails at every second save and
// loses all unsynced data at power cuts, no wrong chat is shown, no count falls, and in the end
// all chats are counted.
func TestFile_CountsEveryChatOnceOnFailingDisk(t *testing.T) {
	seeds := 2
	if os.Getenv("TORTURE") != "" {
		seeds = 20
	}
	lock := mustOpen(t, t.TempDir(), osFiles)
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOperation(t, lock, rand.New(rand.NewPCG(uint64(seed), 0)))
				// The first save determines what the first start counts.
				o.pollFor(time.Minute)
				for o.failing = true; time.Since(o.began) < 36*time.Hour; {
					o.pollFor(time.Duration(o.random.Int64N(int64(6 * time.Hour))))
				}
				o.failing = false
				o.pollFor(5 * time.Hour) // the latest chat is two hours late
				o.wantTruth()
				if o.failed < 50 || o.cuts < 10 {
					t.Errorf("have %d failed saves and %d power cuts, want more", o.failed, o.cuts)
				}
				t.Logf("%d saves failed, %d power cuts", o.failed, o.cuts)
			})
		})
	}
}

// operation is polled by processes that end normally or in a power cut, on one disk.
type operation struct {
	t      *testing.T
	random *rand.Rand
	server *wolkvoxtest.Server
	client *wolkvox.Client
	began  time.Time

	lock    *Folder
	disk    *disk
	file    *File
	failing bool   // of the disk
	die     func() // ends the current process

	failed, cuts int
	shown        map[wolkvoxtest.Key]figures
}

// figures are some of those of a label set: how many chats, and sums that find
// a chat out that was counted for another one.
type figures [6]float64

func newOperation(t *testing.T, lock *Folder, random *rand.Rand) *operation {
	t.Helper()
	late := time.Duration(random.IntN(3)) * time.Hour
	server := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{Token: "t", Readings: wolkvoxtest.Readings{
		SelectOn:  wolkvoxtest.SelectOn(random.IntN(2)),
		ListOpen:  wolkvoxtest.ListOpen(random.IntN(3)),
		FillDelay: time.Duration(random.IntN(2)) * 17 * time.Minute,
		Lateness:  func(c wolkvoxtest.Chat) time.Duration { return late * time.Duration(c.Messages%2) },
	}})
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	transport := server.Transport()
	transport.DisableCompression = true // It costs more than all the rest.
	o := &operation{
		t: t, random: random, server: server, began: time.Now(), lock: lock, shown: map[wolkvoxtest.Key]figures{},
		client: wolkvox.NewClient(base, wolkvox.StaticToken("t"), wolkvox.WithTransport(transport)),
	}
	o.boot(mount(nil, random.IntN(2) == 0))
	for i := range 300 {
		length := time.Duration(random.Int64N(int64(4 * time.Hour)))
		end := o.began.Add(time.Minute + time.Duration(random.Int64N(int64(36*time.Hour))))
		c := wolkvoxtest.Chat{
			ConnID: fmt.Sprint(1000 + i), SessionID: fmt.Sprint(i, "@web"), Start: end.Add(-length), End: end,
			BotTime: length / 2, Answer: wolkvoxtest.Absent, HandleTime: wolkvoxtest.Absent, Total: length, AgentChars: wolkvoxtest.Absent,
			RoutingPoint: fmt.Sprint(random.IntN(3)), Channel: "web", Messages: random.IntN(40), CustomerChars: i, LastSender: "chat_bot",
		}
		if random.IntN(2) == 0 {
			c.HandedOff, c.AgentID, c.Answer, c.HandleTime, c.AgentChars = true, "77", time.Duration(i)*time.Second, length/2, i
		}
		server.Add(c)
	}
	return o
}

func (o *operation) boot(d *disk) {
	o.disk, o.file = d, modelFile(o.t, d, o.lock)
}

// Load implements poller.ByteStore.
func (o *operation) Load() ([]byte, error) { return o.file.Load() }

// Save implements poller.ByteStore. Some of its steps fail.
func (o *operation) Save(state []byte) error {
	o.disk.trouble = map[int]trouble{}
	for range o.random.IntN(3) {
		if o.failing {
			o.disk.trouble[o.disk.step+1+o.random.IntN(16)] = []trouble{refuse, refuse, mislead, mislead, cut}[o.random.IntN(5)]
		}
	}
	err := o.file.Save(state)
	o.disk.trouble = nil
	if err != nil {
		o.failed++
	}
	if o.disk.off {
		o.die()
	}
	return err
}

// pollFor polls for a time, or until the power is cut.
func (o *operation) pollFor(d time.Duration) {
	o.t.Helper()
	p, err := poller.New(o.client, poller.Whole(o), poller.Options{
		Operation: "wv0042", Zone: bogota(o.t), Logger: log.NewNopLogger(),
		Interval: 5 * time.Minute, Overlap: 30 * time.Minute,
		ReconcileInterval: time.Hour, ReconcileWindow: 24 * time.Hour,
		InitialWindow: 5 * time.Minute, MaxCatchUp: 168 * time.Hour, Ledger: ledger.Options{MaxLabelSets: 10},
	})
	if err != nil {
		o.t.Fatalf("after %s and %d power cuts: %v", time.Since(o.began), o.cuts, err)
	}
	ctx, end := context.WithTimeout(o.t.Context(), d)
	defer end()
	o.die = end
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Run(ctx)
	}()
	for alive := true; alive; {
		select {
		case <-done:
			alive = false
		case <-time.After(7 * time.Minute):
		}
		o.checkView(p.Snapshot().View)
	}
	if o.disk.off {
		o.cuts++
		left := o.disk.afterPowerCut()
		o.boot(mount(left[o.random.IntN(len(left))], o.disk.noLinks))
	}
}

// checkView checks that no count falls or is more than the truth.
func (o *operation) checkView(view *ledger.View) {
	o.t.Helper()
	truth := o.server.Truth(time.Now()).By
	have := map[wolkvoxtest.Key]figures{}
	for _, set := range view.LabelSets {
		key, h := wolkvoxtest.Key{RoutingPoint: set.RoutingPoint, Channel: set.Channel}, &set.Histograms
		have[key] = figures{
			float64(set.Interactions), float64(set.Handoffs), h[ledger.Duration].Sum,
			h[ledger.SpeedOfAnswer].Sum, float64(h[ledger.HandleTime].Count), h[ledger.CustomerCharacters].Sum,
		}
	}
	for key, now := range have {
		was, most := o.shown[key], of(truth[key])
		for i := range now {
			if now[i] < was[i] || now[i] > most[i] {
				o.t.Fatalf("after %s: %v: have %v, was %v, the truth is %v", time.Since(o.began), key, now, was, most)
			}
		}
	}
	if len(have) < len(o.shown) {
		o.t.Fatalf("after %s: have %d label sets, were %d", time.Since(o.began), len(have), len(o.shown))
	}
	o.shown = have
}

// wantTruth compares the last counts with the truth.
func (o *operation) wantTruth() {
	o.t.Helper()
	truth := o.server.Truth(time.Now())
	for key, want := range truth.By {
		if have := o.shown[key]; have != of(want) {
			o.t.Errorf("%v: have %v, want %v", key, have, of(want))
		}
	}
	if len(o.shown) != len(truth.By) {
		o.t.Errorf("have %d label sets, want %d", len(o.shown), len(truth.By))
	}
}

func of(f wolkvoxtest.Figures) figures {
	return figures{
		float64(f.Interactions), float64(f.Handoffs), f.Duration.Sum,
		f.SpeedOfAnswer.Sum, float64(f.HandleTime.Count), f.CustomerChars.Sum,
	}
}

func bogota(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("America/Bogota")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}
