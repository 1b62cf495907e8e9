package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestReadCosts_TakesMedians(t *testing.T) {
	const printed = `goos: linux
BenchmarkPoll/rows=1000/by=exporter-2   	       1	   2000 ns/op	  3 cpu-ms/op
BenchmarkPoll/rows=10/by=exporter-2   	       1	   100 ns/op	  3 cpu-ms/op
BenchmarkPoll/rows=10/by=exporter-2   	       1	   900 ns/op	  5 cpu-ms/op
BenchmarkPoll/rows=10/by=exporter-2   	       1	   200 ns/op	  4 cpu-ms/op
BenchmarkPoll/rows=10/by=exporter-2   	       1	   300 ns/op	  6 cpu-ms/op
BenchmarkOperations/operations=1-2  	       1	    1.5 p99-late-ms
BenchmarkOperations/operations=10-2  	       1	    0.5 p99-late-ms
BenchmarkGather-2 	       1	 20000 ns/op
PASS
ok  	github.com/wolkvox-exporter/wolkvox_exporter/internal/bench	95.131s
`
	all, err := read(strings.NewReader(printed))
	if err != nil {
		t.Fatal(err)
	}
	want := map[cost][]point{
		{"Poll/by=exporter", "ns/op"}:     {{10, 250}, {1000, 2000}},
		{"Poll/by=exporter", "cpu-ms/op"}: {{10, 4.5}, {1000, 3}},
		{"Operations", "p99-late-ms"}:     {{1, 1.5}, {10, 0.5}},
	}
	if len(all) != len(want) {
		t.Errorf("have %v, want %v", slices.Collect(maps.Keys(all)), slices.Collect(maps.Keys(want)))
	}
	for of, points := range want {
		if have, err := all.medians(of); err != nil || !slices.Equal(have, points) {
			t.Errorf("%v: have %v, %v, want %v", of, have, err, points)
		}
	}
}

func TestReadCosts_SkipsOtherLines(t *testing.T) {
	if all, err := read(strings.NewReader("BenchmarkPoll/rows=10-2 1 fast ns/op")); err == nil {
		t.Errorf("have %v, want an error", all)
	}
}

func TestExponent_NeedsTwoSizes(t *testing.T) {
	all, err := read(strings.NewReader("BenchmarkPoll/rows=10-2 1 7 ns/op"))
	if err != nil {
		t.Fatal(err)
	}
	if points, err := all.medians(cost{"Poll", "ns/op"}); err == nil {
		t.Errorf("have %v, want an error", points)
	}
}

func TestExponent_OfPowers(t *testing.T) {
	for _, c := range []struct {
		name   string
		points []point
		want   float64
	}{
		{"constant", []point{{10, 3}, {100, 3}, {1000, 3}}, 0},
		{"in proportion", []point{{10, 3}, {100, 30}, {10_000, 3000}}, 1},
		{"of a square", []point{{1, 2}, {10, 200}, {100, 20_000}}, 2},
		{"of a root", []point{{1, 2}, {100, 20}}, 0.5},
	} {
		if have := exponent(c.points); have < c.want-1e-9 || have > c.want+1e-9 {
			t.Errorf("%s: have %v, want %v", c.name, have, c.want)
		}
	}
}
