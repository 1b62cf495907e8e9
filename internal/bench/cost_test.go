package bench

import (
	"os"
	"runtime"
	"testing"
)

// large selects sizes that take minutes and gigabytes.
var large = os.Getenv("LARGE") != ""

// measure runs a function that handles a number of rows. Besides the time it reports the
// process's CPU time, which other programs on the machine disturb less, and the allocations.
func measure(b *testing.B, rows int, run func()) {
	b.Helper()
	b.ReportAllocs()
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu := cpuTime(b)
	for b.Loop() {
		run()
	}
	cpu = cpuTime(b) - cpu
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(cpu.Microseconds())/1000/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(b.N)/float64(rows), "allocs/row")
}
