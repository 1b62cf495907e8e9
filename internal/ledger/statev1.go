package ledger

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// stateV1 is the head of a state of version 1. Moments are nanoseconds since 1970, wall
// clocks seconds since 1970 on the operation's clock; 0 means none. Zero values are omitted.
type stateV1 struct {
	Progress   progressV1        `cbor:"progress"`
	Floor      int64             `cbor:"floor"` // wall clock
	Counters   map[string]uint64 `cbor:"counters"`
	Sets       []setV1           `cbor:"sets"`
	Identities identitiesV1      `cbor:"identities"`
	Unknown    unknownKeys       `cbor:"-"`
}

type progressV1 struct {
	CompleteUntil int64       `cbor:"complete_until"`
	Reconciled    int64       `cbor:"reconciled"`
	Began         int64       `cbor:"began"` // wall clock
	SeedFrom      int64       `cbor:"seed_from"`
	SeedTo        int64       `cbor:"seed_to"`
	Zone          string      `cbor:"zone"`
	Keys          []string    `cbor:"keys"`
	Gaps          []gapV1     `cbor:"gaps"`
	Unknown       unknownKeys `cbor:"-"`
}

type gapV1 struct {
	From    int64 `cbor:"from"` // wall clock
	To      int64 `cbor:"to"`   // wall clock
	Minimal bool  `cbor:"minimal,omitempty"`
	Seeding bool  `cbor:"seeding,omitempty"`
	Polls   int   `cbor:"polls,omitempty"`
	Skipped bool  `cbor:"skipped,omitempty"`
}

// setV1 holds the counts of one set of labels: rp_id and channel, or agent_id.
type setV1 struct {
	Labels     map[string]string      `cbor:"labels"`
	Born       int64                  `cbor:"born"`
	Initial    bool                   `cbor:"initial"`
	Counters   map[string]uint64      `cbor:"counters"`
	Totals     map[string]totalV1     `cbor:"totals"`
	Histograms map[string]histogramV1 `cbor:"histograms"`
	Unknown    unknownKeys            `cbor:"-"`
}

type totalV1 struct {
	Count uint64  `cbor:"count"`
	Sum   float64 `cbor:"sum"`
}

// histogramV1 has a count for each bound and one for +Inf, and the counts of the native
// buckets of schema 3 from index native_start on.
type histogramV1 struct {
	Count       uint64    `cbor:"count"`
	Sum         float64   `cbor:"sum"`
	Bounds      []float64 `cbor:"bounds"`
	Buckets     []uint64  `cbor:"buckets"`
	Zeros       uint64    `cbor:"zeros,omitempty"`
	Native      []uint64  `cbor:"native,omitempty"`
	NativeStart int       `cbor:"native_start,omitempty"`
}

type identitiesV1 struct {
	Count   uint64     `cbor:"count"`
	Columns []columnV1 `cbor:"columns"`
}

type columnV1 struct {
	Name  string `cbor:"name"`
	Bytes int    `cbor:"bytes"`
}

// Names of labels.
const (
	rpIDLabel    = "rp_id"
	channelLabel = "channel"
	agentLabel   = "agent_id"
)

// counters returns the counters of c by their names in a state.
func (c *Counts) counters() map[string]*uint64 {
	counters := map[string]*uint64{"late_records": &c.Late, "overflowed": &c.Overflowed}
	for outcome := range c.Records {
		counters["records/"+Outcome(outcome).String()] = &c.Records[outcome]
	}
	for field := range c.FieldErrors {
		counters["field_errors/"+wolkvox.Field(field).String()] = &c.FieldErrors[field]
	}
	return counters
}

func (t *Tally) counters() map[string]*uint64 {
	counters := map[string]*uint64{"interactions": &t.Interactions, "handoffs": &t.Handoffs}
	for sender := range t.LastSender {
		counters["last_sender/"+wolkvox.LastSender(sender).String()] = &t.LastSender[sender]
	}
	return counters
}

func (t *AgentTally) counters() map[string]*uint64 { return map[string]*uint64{"chats": &t.Chats} }

// saveCounters returns unknown counters and the given ones.
func saveCounters(unknown map[string]uint64, counters map[string]*uint64) map[string]uint64 {
	saved := maps.Clone(unknown)
	for name, n := range counters {
		if *n != 0 {
			put(&saved, name, *n)
		}
	}
	return saved
}

// loadCounters moves counters out of a saved map. Unknown ones remain there.
func loadCounters(saved map[string]uint64, counters map[string]*uint64) {
	for name, n := range counters {
		*n, _ = pop(saved, name)
	}
}

func put[V any](m *map[string]V, name string, value V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[name] = value
}

func pop[V any](m map[string]V, name string) (V, bool) {
	value, ok := m[name]
	delete(m, name)
	return value, ok
}

// toV1 returns the head of the state after the transaction, without its identities.
func (t *Transaction) toV1() *stateV1 {
	s := t.ledger.unknown
	s.Progress = t.Progress.toV1(s.Progress)
	s.Floor = int64(t.floor)
	s.Counters = saveCounters(s.Counters, t.counts.counters())
	s.Sets = slices.Clone(s.Sets)
	for labels, tally := range t.tallies.all() {
		s.Sets = append(s.Sets, tally.toV1(labels))
	}
	for agent, tally := range t.agents.all() {
		s.Sets = append(s.Sets, tally.toV1(agent))
	}
	slices.SortFunc(s.Sets, func(a, b setV1) int { return cmp.Compare(a.key(), b.key()) })
	return &s
}

// key returns a text that identifies the labels of a set.
func (s *setV1) key() string {
	key, err := encoding.Marshal(s.Labels)
	if err != nil {
		panic(err) // A map of strings can always be encoded.
	}
	return string(key)
}

// fromV1 sets the ledger's fields from a state's head.
func (l *Ledger) fromV1(s *stateV1, now time.Time) error {
	l.progress = s.Progress.popProgress()
	l.floor = wolkvox.LocalTime(s.Floor)
	loadCounters(s.Counters, l.counts.counters())
	keys := map[string]bool{}
	sets := s.Sets
	s.Sets = nil
	for i := range sets {
		set := &sets[i]
		key := set.key()
		if keys[key] {
			return errors.New("it has the same label set twice")
		}
		keys[key] = true
		rpID, hasRPID := set.Labels[rpIDLabel]
		channel, hasChannel := set.Labels[channelLabel]
		agent, hasAgent := set.Labels[agentLabel]
		switch n := len(set.Labels); {
		case n == 2 && hasRPID && hasChannel:
			tally, err := set.tally(&l.options, now)
			if err != nil {
				return err
			}
			l.tallies[Labels{rpID, channel}] = tally
			l.restamped = l.restamped || tally.Initial != set.Initial
		case n == 1 && hasAgent:
			l.agents[agent] = set.agentTally(now)
			l.restamped = l.restamped || l.agents[agent].Initial != set.Initial
		default:
			s.Sets = append(s.Sets, *set)
		}
	}
	s.Identities = identitiesV1{}
	l.unknown = *s
	return nil
}

func (p *Progress) toV1(unknown progressV1) progressV1 {
	saved := progressV1{
		CompleteUntil: toNanoseconds(p.CompleteUntil),
		Reconciled:    toNanoseconds(p.Reconciled),
		Began:         int64(p.Began),
		SeedFrom:      toNanoseconds(p.Seed.From),
		SeedTo:        toNanoseconds(p.Seed.To),
		Zone:          p.Zone,
		Keys:          slices.Clone(unknown.Keys),
		Unknown:       unknown.Unknown,
	}
	for _, key := range wolkvox.Keys() {
		if p.Keys.Has(key) {
			saved.Keys = append(saved.Keys, key.String())
		}
	}
	slices.Sort(saved.Keys)
	for _, g := range p.Gaps {
		saved.Gaps = append(saved.Gaps, gapV1{int64(g.Window.From), int64(g.Window.To), g.Minimal, g.Seeding, g.Polls, g.Skipped})
	}
	return saved
}

// popProgress moves the progress out of a saved one. Unknown names remain there.
func (s *progressV1) popProgress() Progress {
	p := Progress{
		CompleteUntil: toTime(s.CompleteUntil),
		Reconciled:    toTime(s.Reconciled),
		Began:         wolkvox.LocalTime(s.Began),
		Seed:          Span{toTime(s.SeedFrom), toTime(s.SeedTo)},
		Zone:          s.Zone,
	}
	for _, key := range wolkvox.Keys() {
		if i := slices.Index(s.Keys, key.String()); i >= 0 {
			p.Keys |= 1 << key
			s.Keys = slices.Delete(s.Keys, i, i+1)
		}
	}
	for _, g := range s.Gaps {
		window := wolkvox.Window{From: wolkvox.LocalTime(g.From), To: wolkvox.LocalTime(g.To)}
		p.Gaps = append(p.Gaps, Gap{Window: window, Minimal: g.Minimal, Seeding: g.Seeding, Polls: g.Polls, Skipped: g.Skipped})
	}
	*s = progressV1{Keys: s.Keys, Unknown: s.Unknown}
	return p
}

func (o *Origin) toV1(labels map[string]string) setV1 {
	var s setV1
	if o.unknown != nil {
		s = *o.unknown
	}
	s.Labels, s.Born, s.Initial = labels, toNanoseconds(o.Born), o.Initial
	return s
}

// origin returns the origin of s on now's clock. If s was born in the future, the wall clock
// was set back since, and its counts have been shown long ago.
func (s *setV1) origin(now time.Time) Origin {
	if s.Born == 0 {
		return Origin{Initial: s.Initial}
	}
	born := toTime(s.Born)
	return Origin{Born: now.Add(born.Sub(now)), Initial: s.Initial || born.After(now)}
}

// remainder returns what was not moved out of s, nil if that is nothing.
func (s *setV1) remainder() *setV1 {
	if len(s.Counters)+len(s.Totals)+len(s.Histograms)+len(s.Unknown) == 0 {
		return nil
	}
	return &setV1{Counters: s.Counters, Totals: s.Totals, Histograms: s.Histograms, Unknown: s.Unknown}
}

func (t *Tally) toV1(labels Labels) setV1 {
	s := t.Origin.toV1(map[string]string{rpIDLabel: labels.RoutingPoint, channelLabel: labels.Channel})
	s.Counters = saveCounters(s.Counters, t.counters())
	s.Histograms = maps.Clone(s.Histograms)
	for m := range measures {
		if h := &t.Histograms[m]; h.Count > 0 {
			put(&s.Histograms, measures[m].name, histogramV1{h.Count, h.Sum, h.Bounds, h.Buckets, h.Zeros, h.Native, h.NativeStart})
		}
	}
	return s
}

func (s *setV1) tally(options *Options, now time.Time) (*Tally, error) {
	t := newTally(options, false)
	loadCounters(s.Counters, t.counters())
	for m := range measures {
		saved, ok := pop(s.Histograms, measures[m].name)
		if !ok {
			continue
		}
		h := &t.Histograms[m]
		bounds := h.Bounds
		h.Count, h.Sum, h.Bounds, h.Buckets = saved.Count, saved.Sum, saved.Bounds, saved.Buckets
		h.Zeros, h.Native, h.NativeStart = saved.Zeros, saved.Native, saved.NativeStart
		if h.Count == 0 || !h.isValid() {
			return nil, errors.New("a label set has inconsistent buckets")
		}
		h.setShownBounds(bounds)
	}
	t.Origin = s.origin(now)
	t.unknown = s.remainder()
	return t, nil
}

func (t *AgentTally) toV1(agent string) setV1 {
	s := t.Origin.toV1(map[string]string{agentLabel: agent})
	s.Counters = saveCounters(s.Counters, t.counters())
	s.Totals = maps.Clone(s.Totals)
	for _, v := range agentValues {
		put(&s.Totals, v.name, totalV1(*v.total(t)))
	}
	return s
}

func (s *setV1) agentTally(now time.Time) *AgentTally {
	t := &AgentTally{Origin: s.origin(now)}
	loadCounters(s.Counters, t.counters())
	for _, v := range agentValues {
		total, _ := pop(s.Totals, v.name)
		*v.total(t) = Total(total)
	}
	t.unknown = s.remainder()
	return t
}

func toNanoseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func toTime(nanoseconds int64) time.Time {
	if nanoseconds == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanoseconds)
}
