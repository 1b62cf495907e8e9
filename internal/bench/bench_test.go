package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// maxRows is the largest number of rows of a response.
const maxRows = wolkvox.MaxRows

// BenchmarkDecode decodes a response that is in memory.
func BenchmarkDecode(b *testing.B) {
	for _, rows := range []int{1000, 10_000, maxRows} {
		body, err := get(b.Context(), http.DefaultClient, reportURL(0, rows))
		if err != nil {
			b.Fatal(err)
		}
		api, err := url.Parse(base)
		if err != nil {
			b.Fatal(err)
		}
		client := wolkvox.NewClient(api, wolkvox.StaticToken(token), wolkvox.WithTransport(answer(body)))
		b.Run(fmt.Sprintf("rows=%d/by=exporter", rows), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			measure(b, rows, func() {
				n := 0
				for _, err := range client.Chats(b.Context(), window) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				requireRows(b, n, rows, nil)
			})
		})
		b.Run(fmt.Sprintf("rows=%d/by=obvious", rows), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			measure(b, rows, func() {
				report, err := (&naiveExporter{}).decode(body)
				requireRows(b, len(report), rows, err)
			})
		})
	}
}

// answer is a transport whose every response has this body.
type answer []byte

func (a answer) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(a))}, nil
}

// poller is either exporter.
type poller interface {
	forget()
	poll(ctx context.Context, base string) (rows int, err error)
}

// BenchmarkPoll fetches, decodes and counts chats, and saves the state if there is one.
// More rows than a response can have are in several responses, as in a catch-up.
func BenchmarkPoll(b *testing.B) {
	sizes := []int{1000, 10_000, maxRows}
	if large {
		sizes = []int{1000, 10_000, maxRows, 100_000, 1_000_000}
	}
	for _, rows := range sizes {
		for _, by := range []struct {
			name   string
			poller poller
		}{{"exporter", newExporter(b)}, {"obvious", newNaiveExporter()}} {
			pollAll(b, by.poller, rows) // The server makes the reports.
			b.Run(fmt.Sprintf("rows=%d/chats=known/by=%s", rows, by.name), func(b *testing.B) {
				measure(b, rows, func() { pollAll(b, by.poller, rows) })
			})
			b.Run(fmt.Sprintf("rows=%d/chats=new/by=%s", rows, by.name), func(b *testing.B) {
				measure(b, rows, func() {
					by.poller.forget()
					pollAll(b, by.poller, rows)
				})
			})
			by.poller.forget()
		}
	}
}

// BenchmarkOperations polls many operations one after the other, each with a thousand known
// rows.
func BenchmarkOperations(b *testing.B) {
	const rows = 1000
	sizes := []int{10}
	if large {
		sizes = []int{1, 10, 100, 1000}
	}
	for _, operations := range sizes {
		for _, by := range []struct {
			name   string
			poller func() poller
		}{
			{"exporter", func() poller { return newExporter(b) }},
			{"obvious", func() poller { return newNaiveExporter() }},
		} {
			b.Run(fmt.Sprintf("operations=%d/by=%s", operations, by.name), func(b *testing.B) {
				before := measureHeap()
				pollers := make([]poller, operations)
				for i := range pollers {
					pollers[i] = by.poller()
					pollAll(b, pollers[i], rows)
				}
				measure(b, operations*rows, func() {
					for _, p := range pollers {
						pollAll(b, p, rows)
					}
				})
				b.ReportMetric(float64(measureHeap()-before), "heap-B")
				runtime.KeepAlive(pollers)
			})
		}
	}
}

func pollAll(b *testing.B, p poller, rows int) {
	b.Helper()
	for from := 0; from < rows; from += maxRows {
		n, err := p.poll(b.Context(), reportURL(from, min(maxRows, rows-from)))
		requireRows(b, n, min(maxRows, rows-from), err)
	}
}

func reportURL(from, rows int) string { return fmt.Sprintf("%s/%d/%d", base, from, rows) }

func requireRows(b *testing.B, have, want int, err error) {
	b.Helper()
	if have != want || err != nil {
		b.Fatalf("have %d rows, %v, want %d", have, err, want)
	}
}
