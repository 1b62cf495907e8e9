package wolkvoxtest

import (
	"cmp"
	"iter"
	"math"
	"time"
)

// Config describes an operation. Its zero value is one that accepts any token,
// in Bogota, under the ordinary readings and the vendor's limits.
type Config struct {
	Token    string         // required value of the wolkvox-token header; "" accepts any non-empty one
	Location *time.Location // the operation's zone; nil is America/Bogota
	Readings Readings
	Limits   Limits
	Source   Source           // chats beside those added, if any
	Now      func() time.Time // the server's clock, its Date header too; nil is time.Now

	RoutingPoints []RoutingPoint // beside those of Source
	RetryAfter    time.Duration  // the value of Retry-After in faults that have one; 0 is 30 s
	SlowBody      time.Duration  // how long the body of the fault SlowBody takes; 0 is 30 s
	LongValue     int            // bytes of the value of the faults LongValue and LongConnID; 0 is 100,000,000
	DeepRow       int            // arrays of the fault DeepRow; 0 is 1,000,000
	HugeBody      int            // the body of the fault HugeBody is larger than this, in bytes; 0 is 256 MiB

	// Latency returns how long the report takes until its first byte, for a
	// number of rows; nil is no delay. It is called from several goroutines.
	Latency func(rows int) time.Duration
}

// Limits are the vendor's; a zero field stands for the vendor's own value, a
// negative one for no limit.
type Limits struct {
	Rows                 int  // "records per response": 60,000
	Days                 int  // "range per request": 31 days
	RequestsPerDay       int  // "1,000 × licences, shared by all tokens of the operation": one licence
	SimultaneousRequests int  // "the same token cannot be consumed simultaneously": 1
	SameMonth            bool // refuse a range that leaves its calendar month, as the Manager's own reports do
}

// Source generates chats on demand. It must return the same chats for the same time. It is
// used from several goroutines.
type Source interface {
	// Started yields the chats that start in [from, to), in any order.
	Started(from, to time.Time) iter.Seq[Chat]
	// Longest returns an upper bound of the time between a chat's start and its end.
	Longest() time.Duration
	RoutingPoints() []RoutingPoint
}

func (cfg Config) withDefaults() Config {
	if cfg.Location == nil {
		cfg.Location = bogota()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.RetryAfter = cmp.Or(cfg.RetryAfter, 30*time.Second)
	cfg.SlowBody = cmp.Or(cfg.SlowBody, 30*time.Second)
	cfg.LongValue = cmp.Or(cfg.LongValue, 100_000_000)
	cfg.DeepRow = cmp.Or(cfg.DeepRow, 1_000_000)
	cfg.HugeBody = cmp.Or(cfg.HugeBody, 256<<20)
	limits := &cfg.Limits
	limits.Rows = limit(limits.Rows, maxRows)
	limits.Days = limit(limits.Days, 31)
	limits.RequestsPerDay = limit(limits.RequestsPerDay, 1_000)
	limits.SimultaneousRequests = limit(limits.SimultaneousRequests, 1)
	return cfg
}

// maxRows is the vendor's limit of "records per response".
const maxRows = 60_000

// limit returns the value of a field of Limits.
func limit(n, vendors int) int {
	if n = cmp.Or(n, vendors); n < 0 {
		return math.MaxInt
	}
	return n
}

// bogota works without a zone database: Colombia has had one offset since 1993.
func bogota() *time.Location {
	const name = "America/Bogota"
	if loc, err := time.LoadLocation(name); err == nil {
		return loc
	}
	return time.FixedZone(name, -5*60*60)
}
