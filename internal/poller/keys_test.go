package poller

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// passUnseen lets time go by without a look at the figures.
func (o *operation) passUnseen(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// wantInteractions compares how many chats are counted, whatever their labels.
func (o *operation) wantInteractions(when string) {
	o.t.Helper()
	have, want := int(interactions(o.poller)), o.server.Truth(o.poller.Snapshot().Status.LastPoll).Total.Interactions
	if have != want {
		o.t.Errorf("%s: chats: have %d, want %d", when, have, want)
	}
}

// missingKeys are those that the status calls missing.
func (o *operation) missingKeys() (missing []string) {
	for key, is := range o.poller.Snapshot().Status.MissingKeys {
		if is {
			missing = append(missing, key.String())
		}
	}
	return missing
}

// warnings are those in the log, but for the one before the first row.
func (o *operation) warnings() int {
	return o.logged("level=warn") - o.logged("level=warn operation=test msg=\"the report has never")
}

// rowKey returns the key of a field that the exporter reads, and whether there is one.
func rowKey(field string) (wolkvox.Field, bool) {
	for _, key := range wolkvox.Keys() {
		if key.String() == field {
			return key, true
		}
	}
	return 0, false
}

func TestPoller_NoticesADocumentedKeyThatIsMissing(t *testing.T) {
	for i, field := range wolkvoxtest.Fields() {
		key, read := rowKey(field)
		for _, spelling := range []string{"", "new_" + field} {
			if !torture && (spelling == "") != (i%2 == 0) || !sampled(i) {
				continue
			}
			t.Run(fmt.Sprintf("%s as %q", field, spelling), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					o := newOperation(t, wolkvoxtest.Config{})
					random := rand.New(rand.NewPCG(uint64(i), 0))
					o.addChats(200, 5*time.Hour, random)
					o.run()
					o.passUnseen(time.Hour)
					o.wantStatus("before", true, wolkvox.OK)
					necessary := slices.Contains(necessaryKeys, key) && read
					before := interactions(o.poller)
					o.server.SetKeys(wolkvoxtest.Keys{Names: map[string]string{field: spelling}})
					o.passUnseen(9 * time.Minute)
					if have := o.missingKeys(); have != nil {
						t.Errorf("after two polls: have %v missing, want none", have)
					}
					o.passUnseen(2 * time.Hour)
					reported := read && isReportKey(key)
					if have := o.missingKeys(); reported && !slices.Equal(have, []string{field}) || !reported && have != nil {
						t.Errorf("have %v missing, want %s: %v", have, field, reported)
					}
					if begun := o.logged("lack a documented key"); (begun == 1) != reported || begun > 1 {
						t.Errorf("have %d lines that it is missing, want 1 if it is reported: %v", begun, reported)
					}
					if necessary {
						o.wantStatus("while it is missing", true, wolkvox.Malformed)
						if have := interactions(o.poller); have != before {
							t.Errorf("have %d chats without %s, want %d", have, field, before)
						}
					} else {
						o.wantStatus("while it is missing", true, wolkvox.OK)
						if have := interactions(o.poller); have <= before {
							t.Errorf("have %d chats without %s, want more than %d", have, field, before)
						}
					}
					o.server.SetKeys(wolkvoxtest.Keys{})
					o.passUnseen(20 * time.Minute)
					o.wantStatus("afterwards", true, wolkvox.OK)
					o.passUnseen(settled)
					o.wantInteractions("at the end")
					if have, over := o.missingKeys(), o.logged("have the key again"); have != nil || (over == 1) != reported || over > 1 {
						t.Errorf("afterwards: have %v missing and %d lines that it is there, want none and 1 if it was reported: %v", have, over, reported)
					}
					if field != "rp_id" && field != "channel" && field != "last_sender" && field != "agent_id" {
						o.wantTruth() // What was missing has been filled in since.
					}
				})
			})
		}
	}
}

// A restart does not make an exporter trust rows without an identity.
func TestPoller_CountsNothingWithoutANecessaryKeyAfterARestart(t *testing.T) {
	for i, key := range necessaryKeys {
		if !sampled(i) {
			continue
		}
		t.Run(key.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOperation(t, wolkvoxtest.Config{})
				o.addChats(100, 4*time.Hour, rand.New(rand.NewPCG(uint64(i), 1)))
				o.run()
				o.passUnseen(time.Hour)
				before := interactions(o.poller)
				o.server.SetKeys(wolkvoxtest.Keys{Names: map[string]string{key.String(): ""}})
				o.kill()
				o.run()
				o.passUnseen(time.Hour)
				if have := interactions(o.poller); have != before || o.poller.Snapshot().Status.Up {
					t.Errorf("have %d chats and up %v, want %d and false", have, o.poller.Snapshot().Status.Up, before)
				}
				o.server.SetKeys(wolkvoxtest.Keys{})
				o.passUnseen(settled)
				o.wantTruth()
			})
		})
	}
}

func TestPoller_ReadsKeysInAnyCaseAndWithSpaces(t *testing.T) {
	for i, spell := range spellings[1:] {
		if !sampled(i) {
			continue
		}
		t.Run(spell("key"), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOperation(t, wolkvoxtest.Config{})
				o.addChats(60, 4*time.Hour, rand.New(rand.NewPCG(5, 0)))
				o.run()
				o.pass(time.Hour)
				o.server.SetKeys(wolkvoxtest.Keys{Names: wolkvoxtest.EveryKey(spell)})
				o.pass(settled)
				o.wantStatus("at the end", true, wolkvox.OK)
				o.wantTruth()
				o.wantLines(0, 0)
				if have := o.missingKeys(); have != nil || o.warnings()+o.logged("level=error") > 0 {
					t.Errorf("have %v missing, want none:\n%s", have, o.log.String())
				}
			})
		})
	}
}
