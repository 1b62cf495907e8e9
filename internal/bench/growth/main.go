// Command growth reads what benchmarks of several sizes print, such as
//
//	BenchmarkPoll/rows=1000/by=exporter-2   30   4140888 ns/op   3.777 cpu-ms/op
//
// and writes a table of each: the medians by size, and the exponents with which they
// grow. A cost that is twice as high for twice the size has exponent 1.
package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "growth:", err)
		os.Exit(1) //nolint:forbidigo // It is main that exits.
	}
}

// units are the columns of a table, where a benchmark has them.
var units = []string{"ns/op", "cpu-ms/op", "B/op", "MiB-rss", "allocs/row", "disk-B/chat", "heap-B/chat"}

// series is a benchmark without its size.
type series struct {
	name, size string                       // what is measured, and what its size is of
	values     map[int]map[string][]float64 // by size and unit
}

// sized finds the size in a name, and what go test appends to it.
var sized = regexp.MustCompile(`^Benchmark(\w+)/(\w+)=(\d+)(.*?)(-\d+)?$`)

func run(in io.Reader, out io.Writer) error {
	var found []*series
	byName := map[string]*series{}
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
		size, err := strconv.Atoi(match[3])
		if err != nil {
			return fmt.Errorf("reading the size of %q: %w", fields[0], err)
		}
		name := match[1] + match[4]
		s, ok := byName[name]
		if !ok {
			s = &series{name: name, size: match[2], values: map[int]map[string][]float64{}}
			byName[name] = s
			found = append(found, s)
		}
		if err := s.add(size, fields[2:]); err != nil {
			return fmt.Errorf("reading the figures of %q: %w", fields[0], err)
		}
	}
	for _, s := range found {
		s.write(out)
	}
	return lines.Err()
}

// add takes pairs of a value and its unit.
func (s *series) add(size int, pairs []string) error {
	if s.values[size] == nil {
		s.values[size] = map[string][]float64{}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		value, err := strconv.ParseFloat(pairs[i], 64)
		if err != nil {
			return err
		}
		s.values[size][pairs[i+1]] = append(s.values[size][pairs[i+1]], value)
	}
	return nil
}

func (s *series) write(out io.Writer) {
	sizes := slices.Sorted(maps.Keys(s.values))
	columns := slices.DeleteFunc(slices.Clone(units), func(unit string) bool {
		_, there := s.values[sizes[0]][unit]
		return !there
	})
	fmt.Fprintf(out, "\n%s:\n\n| %s | %s |\n|%s\n", s.name, s.size, strings.Join(columns, " | "), strings.Repeat("---:|", 1+len(columns)))
	for _, size := range sizes {
		fmt.Fprintf(out, "| %d |", size)
		for _, unit := range columns {
			fmt.Fprintf(out, " %s |", short(median(s.values[size][unit])))
		}
		fmt.Fprintln(out)
	}
	fmt.Fprint(out, "| exponent |")
	for _, unit := range columns {
		var x, y []float64
		for _, size := range sizes {
			x = append(x, math.Log(float64(size)))
			y = append(y, math.Log(median(s.values[size][unit])))
		}
		fmt.Fprintf(out, " %.2f |", slope(x, y))
	}
	fmt.Fprintln(out)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return math.NaN()
	}
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// short writes a value with three digits, or all before the point.
func short(value float64) string {
	if !(value > 0) {
		return strconv.FormatFloat(value, 'f', -1, 64) // 0, or NaN where a size has no such figure
	}
	digits := max(0, 2-int(math.Floor(math.Log10(value))))
	return strconv.FormatFloat(value, 'f', digits, 64)
}

// slope is that of the straight line with the least squares.
func slope(x, y []float64) float64 {
	var sumX, sumY, sumXX, sumXY float64
	for i := range x {
		sumX, sumY = sumX+x[i], sumY+y[i]
		sumXX, sumXY = sumXX+x[i]*x[i], sumXY+x[i]*y[i]
	}
	n := float64(len(x))
	return (n*sumXY - sumX*sumY) / (n*sumXX - sumX*sumX)
}
