package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// costs are the values of each cost by size, one for each run.
type costs map[cost]map[int][]float64

// cost is what a benchmark measured, such as Poll/by=exporter and cpu-ms/op.
type cost struct{ benchmark, unit string }

// sized matches the size in a benchmark's name, and the suffix of go test.
var sized = regexp.MustCompile(`^Benchmark(\w+)/\w+=(\d+)(.*?)(-\d+)?$`)

// read parses lines with a benchmark's name, its iterations, and pairs of a value and its
// unit, such as
//
//	BenchmarkPoll/rows=1000/by=exporter-2   30   4140888 ns/op   3.777 cpu-ms/op
func read(in io.Reader) (costs, error) {
	all := costs{}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 {
			continue
		}
		match := sized.FindStringSubmatch(fields[0])
		if match == nil {
			continue
		}
		size, err := strconv.Atoi(match[2])
		if err != nil {
			return nil, fmt.Errorf("reading the size of %q: %w", fields[0], err)
		}
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("reading the values of %q: %w", fields[0], err)
			}
			all.add(cost{match[1] + match[3], fields[i+1]}, size, value)
		}
	}
	return all, lines.Err()
}

func (c costs) add(of cost, size int, value float64) {
	if c[of] == nil {
		c[of] = map[int][]float64{}
	}
	c[of][size] = append(c[of][size], value)
}

// medians returns the medians of a cost by size, sorted by size.
func (c costs) medians(of cost) (points []point, err error) {
	for _, size := range slices.Sorted(maps.Keys(c[of])) {
		points = append(points, point{size, median(c[of][size])})
	}
	if len(points) < 2 {
		return nil, fmt.Errorf("have %d sizes of %q in %q, want several", len(points), of.benchmark, of.unit)
	}
	return points, nil
}

// point is a size and its cost.
type point struct {
	size  int
	value float64
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// exponent is the slope of the straight line with the least squares through the
// logarithms: 1 if a cost is twice as high for twice the size.
func exponent(points []point) float64 {
	var sumX, sumY, sumXX, sumXY float64
	for _, p := range points {
		x, y := math.Log(float64(p.size)), math.Log(p.value)
		sumX, sumY = sumX+x, sumY+y
		sumXX, sumXY = sumXX+x*x, sumXY+x*y
	}
	n := float64(len(points))
	return (n*sumXY - sumX*sumY) / (n*sumXX - sumX*sumX)
}
