package main

import (
	"strings"
	"testing"
)

func TestATableHasMediansAndExponents(t *testing.T) {
	const in = `goos: linux
BenchmarkPoll/rows=10/by=exporter-2   	       1	   100 ns/op	  3 cpu-ms/op	  7 B/op
BenchmarkPoll/rows=10/by=exporter-2   	       1	   900 ns/op	  3 cpu-ms/op	  7 B/op
BenchmarkPoll/rows=10/by=exporter-2   	       1	   200 ns/op	  3 cpu-ms/op	  7 B/op
BenchmarkPoll/rows=1000/by=exporter-2 	       1	 20000 ns/op	  3 cpu-ms/op	 70 B/op
BenchmarkGather-2 	       1	 20000 ns/op
PASS
`
	const want = `
Poll/by=exporter:

| rows | ns/op | cpu-ms/op | B/op |
|---:|---:|---:|---:|
| 10 | 200 | 3.00 | 7.00 |
| 1000 | 20000 | 3.00 | 70.0 |
| exponent | 1.00 | 0.00 | 0.50 |
`
	var out strings.Builder
	if err := run(strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	if have := out.String(); have != want {
		t.Errorf("have %s, want %s", have, want)
	}
}
