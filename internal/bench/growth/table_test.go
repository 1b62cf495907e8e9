package main

import (
	"strings"
	"testing"
)

func TestTable_ReplacesExisting(t *testing.T) {
	all := costs{
		{"Poll/by=exporter", "ns/op"}: {10: {25e6}, 1000: {2.5e9}, 1_000_000: {2.5e12}},
		{"Poll/by=exporter", "B/op"}:  {10: {70.1}, 1000: {70}, 1_000_000: {70}},
		{"Poll/by=obvious", "ns/op"}:  {10: {1e6}, 1000: {10e6}},
	}
	poll := table{"poll", "rows", []column{
		{"time", cost{"Poll/by=exporter", "ns/op"}},
		{"allocated", cost{"Poll/by=exporter", "B/op"}},
		{"obvious: time", cost{"Poll/by=obvious", "ns/op"}},
	}}
	const page = `Above.

<!-- growth: poll -->

| rows | time |
|---:|---:|
| 10 | 7 ms |

Below.

<!-- growth: other -->

| a |
|---:|
`
	const want = `Above.

<!-- growth: poll -->

| rows | time | allocated | obvious: time |
|---:|---:|---:|---:|
| 10 | 25 ms | 70 B | 1.0 ms |
| 1,000 | 2.5 s | 70 B | 10 ms |
| 1,000,000 | 2500 s | 70 B |  |
| exponent | 1.00 | 0.00 | 0.50 |

Below.

<!-- growth: other -->

| a |
|---:|
`
	have, err := poll.into([]byte(page), all)
	if err != nil || string(have) != want {
		t.Errorf("have %v, %s, want %s", err, have, want)
	}
	if again, err := poll.into(have, all); err != nil || string(again) != want {
		t.Errorf("the second time: have %v, %s, want %s", err, again, want)
	}
}

func TestTable_RefusesPageWithoutMarkers(t *testing.T) {
	if page, err := tables[0].into([]byte("Nothing.\n"), nil); err == nil || !strings.Contains(err.Error(), tables[0].name) {
		t.Errorf("have %v, %s, want an error that names %s", err, page, tables[0].name)
	}
}

func TestFormat_ChoosesUnit(t *testing.T) {
	for _, c := range []struct {
		unit  string
		value float64
		want  string
	}{
		{"ns/op", 994_000, "994 µs"},
		{"ns/op", 999_600, "1.0 ms"},
		{"cpu-ms/op", 0.04, "0.0 ms"},
		{"cpu-ms/op", 9.94, "9.9 ms"},
		{"cpu-ms/op", 9.96, "10 ms"},
		{"cpu-ms/op", 12_900, "13 s"},
		{"B/op", 283_044, "283 kB"},
		{"B/op", 3_389_296_552, "3.4 GB"},
		{"disk-B/chat", 16.05, "16 B"},
		{"MiB-rss", 391.4, "391 MiB"},
	} {
		if have := units[c.unit](c.value); have != c.want {
			t.Errorf("%v %s: have %s, want %s", c.value, c.unit, have, c.want)
		}
	}
}

func TestTables_UseKnownUnits(t *testing.T) {
	for _, table := range tables {
		for _, c := range table.columns {
			if units[c.cost.unit] == nil {
				t.Errorf("%s, %s: no format for %s", table.name, c.title, c.cost.unit)
			}
		}
	}
}
