package wolkvox

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

// Rows of a cut report are those before the cut, and it never passes for a
// complete one.
func TestAReportCutAnywhereIsMalformed(t *testing.T) {
	rows := []string{
		rowWith(), `"bad"`, rowWith("conn_id", `"2"`, "extra", `{"a": [1, {"b": "}]"}]}`), `{}`,
		rowWith("conn_id", `"3"`, "rp_id", `"Bogot\u00e1 \ud83d\ude00"`),
	}
	for _, body := range []string{
		report(rows...),
		"\ufeff" + report(rows...),
		`{"data": [` + strings.Join(rows, ",") + `], "msg": "5 records were found", "code": 200}`,
		`{"code": 404, "error": "none", "msg": "0 records were found", "data": null}`,
	} {
		full := decoded(t, body)
		if full.err != nil {
			t.Fatal(full.err)
		}
		for n := range body {
			have := decoded(t, body[:n])
			if have.failure() != Malformed {
				t.Fatalf("cut to %d bytes: have %v", n, have.err)
			}
			if have.badRows > full.badRows || len(have.chats) > len(full.chats) || !slices.Equal(have.chats, full.chats[:len(have.chats)]) {
				t.Fatalf("cut to %d bytes: have %d bad rows and %+v", n, have.badRows, have.chats)
			}
		}
	}
}

func TestHowTheBytesArriveMakesNoDifference(t *testing.T) {
	body := report(rowWith(), `7`, rowWith("rp_id", `"Bogot\u00e1 \ud83d\ude00"`), rowWith("customer_name", `"`+strings.Repeat("x", 9000)+`"`))
	want := decoded(t, body)
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"byte by byte": iotest.OneByteReader, "halves": iotest.HalfReader, "end with data": iotest.DataErrReader,
	} {
		var have []Chat
		rows, err := decode(wrap(strings.NewReader("\ufeff"+body)), func(c Chat, err error) bool {
			if err == nil {
				have = append(have, c)
			}
			return true
		})
		if rows != want.rows() || err != nil || !slices.Equal(have, want.chats) {
			t.Errorf("%s: have %d rows, %v, %+v", name, rows, err, have)
		}
	}
}

// repeated reads as a start, then as the same text n times, then as an end.
type repeated struct {
	start, text, end string
	n                int
	rest             string // of the piece that is read now
}

func (r *repeated) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && r.next() {
		copied := copy(p[n:], r.rest)
		r.rest = r.rest[copied:]
		n += copied
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (r *repeated) next() bool {
	switch {
	case r.rest != "":
	case r.start != "":
		r.rest, r.start = r.start, ""
	case r.n > 0:
		r.rest, r.n = r.text, r.n-1
	default:
		r.rest, r.end = r.end, ""
	}
	return r.rest != ""
}

// allocated is how many bytes decoding takes from the heap, in all.
func allocated(body io.Reader) (total uint64, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = decode(body, func(Chat, error) bool { return true })
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, err
}

func TestMemoryDoesNotGrowWithTheReport(t *testing.T) {
	const limit = 1 << 20
	for _, c := range []struct {
		name string
		body repeated
		want error
	}{
		{"rows", repeated{start: `{"data": [{}`, text: "," + rowWith(), n: 10_000, end: "]}"}, nil},
		{"bad rows", repeated{start: `{"data": [{}`, text: `,{"conn_id": [{}, "x"]}`, n: 100_000, end: "]}"}, nil},
		{"messages", repeated{start: `{`, text: `"msg": "` + strings.Repeat("x", 300) + `",`, n: 10_000, end: `"data": []}`}, nil},
		{"short unknown values", repeated{start: `{"extra": ["`, text: `x", "`, n: 500_000, end: `"], "data": []}`}, nil},
		{"a string", repeated{start: `{"data": [{"customer_name": "`, text: strings.Repeat("x", 1000), n: 5_000, end: `"}]}`}, errLongToken},
		{"a session", repeated{start: `{"data": [{"session_id": "`, text: `\u0041`, n: 500_000, end: `"}]}`}, errLongToken},
		{"a number", repeated{start: `{"data": [{"asa": `, text: "1234567890", n: 500_000, end: `}]}`}, errLongToken},
		{"a name", repeated{start: `{"data": [{"`, text: strings.Repeat("x", 1000), n: 5_000, end: `": 1}]}`}, errLongToken},
		{"space", repeated{start: `{`, text: strings.Repeat(" ", 1000), n: 5_000, end: `"data": []}`}, errLongToken},
	} {
		t.Run(c.name, func(t *testing.T) {
			total, err := allocated(&c.body)
			if !errors.Is(err, c.want) {
				t.Errorf("have the error %v, want %v", err, c.want)
			}
			if total > limit {
				t.Errorf("have %d bytes allocated, want at most %d", total, limit)
			}
		})
	}
}

func TestFewAndShortLabelsAreKept(t *testing.T) {
	const many = 5000
	rows := []string{`{"conn_id": "1", "rp_id": "` + strings.Repeat("x", 10_000) + `"}`}
	for i := 1; i <= many; i++ {
		rows = append(rows, fmt.Sprintf(`{"conn_id": "1", "rp_id": "RP %d", "channel": "CH %[1]d"}`, i))
	}
	seen := 0
	d := newDecoder(strings.NewReader(report(rows...)), func(c Chat, _ error) bool {
		if want := strconv.Itoa(seen); seen > 0 && (c.RoutingPoint != "RP "+want || c.Channel != "ch "+want) {
			t.Errorf("have %q, %q, want number %s", c.RoutingPoint, c.Channel, want)
		}
		seen++
		return true
	})
	if err := d.envelope(); err != nil || seen != many+1 {
		t.Fatalf("have %d rows, %v", seen, err)
	}
	if len(d.routingPoints) > 1000 || len(d.channels) > 1000 {
		t.Errorf("have %d and %d labels kept", len(d.routingPoints), len(d.channels))
	}
	for text := range d.routingPoints {
		if len(text) > 256 {
			t.Errorf("have a text of %d bytes kept", len(text))
		}
	}
}

func TestNestingIsRefusedAtOnce(t *testing.T) {
	const deep = 1_000_000
	for _, body := range []string{
		strings.Repeat("[", deep),
		`{"data": ` + strings.Repeat("[", deep),
		`{"data": [` + strings.Repeat("[", deep) + strings.Repeat("]", deep) + `]}`,
		`{"data": [` + rowWith("rp_id", strings.Repeat("[", deep)),
		`{"data": [{"asa": ` + strings.Repeat("[", deep),
		`{"more": ` + strings.Repeat(`{"a":`, deep),
		`{` + strings.Repeat("[", deep),
	} {
		if have := decoded(t, body); have.failure() != Malformed {
			t.Errorf("%.20s: have %v", body, have.err)
		}
		reader := strings.NewReader(body)
		total, err := allocated(reader)
		if read := len(body) - reader.Len(); err == nil || total > 4<<20 || read > 100_000 {
			t.Errorf("%.20s: have %v after %d bytes read, %d allocated", body, err, read, total)
		}
	}
}

func TestARowTakesNoAllocation(t *testing.T) {
	body := func(rows int) string {
		return report(slices.Repeat([]string{rowWith(), rowWith("go_to_agent", `"no"`, "asa", `"-"`)}, rows/2)...)
	}
	count := func(body string) float64 {
		return testing.AllocsPerRun(5, func() {
			if _, err := decode(strings.NewReader(body), func(Chat, error) bool { return true }); err != nil {
				t.Fatal(err)
			}
		})
	}
	few, many := count(body(100)), count(body(2100))
	if perRow := (many - few) / 2000; perRow > 0.1 {
		t.Errorf("have %v allocations per row, want none", perRow)
	}
}

// A name that is cut off when the response is too large or too slow is the
// reader's failure, not the report's.
func TestAReadersFailureIsNotTheReports(t *testing.T) {
	want := &Error{Result: Timeout}
	body := io.MultiReader(strings.NewReader(report(rowWith())[:200]), iotest.ErrReader(want))
	have := ask(t, roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(body), Request: r}, nil
	}))
	if !errors.Is(have.err, want) || have.request.Result != Timeout {
		t.Errorf("have %v, %s", have.err, have.request.Result)
	}
}
