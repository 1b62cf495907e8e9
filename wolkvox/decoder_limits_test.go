package wolkvox

import (
	"bufio"
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

// A cut report has the rows before the cut, and is never treated as complete.
func TestChats_CutReportIsMalformed(t *testing.T) {
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
		full := decodeBody(t, body)
		if full.err != nil {
			t.Fatal(full.err)
		}
		for n := range body {
			have := decodeBody(t, body[:n])
			if have.failure() != Malformed {
				t.Fatalf("cut to %d bytes: have %v", n, have.err)
			}
			if have.badRows > full.badRows || len(have.chats) > len(full.chats) || !slices.Equal(have.chats, full.chats[:len(have.chats)]) {
				t.Fatalf("cut to %d bytes: have %d bad rows and %+v", n, have.badRows, have.chats)
			}
		}
	}
}

func TestDecoder_ReadsAnyChunks(t *testing.T) {
	body := report(rowWith(), rowWith(), rowWith(), `7`, rowWith("rp_id", `"Bogot\u00e1 \ud83d\ude00"`), rowWith("customer_name", `"`+strings.Repeat("x", 9000)+`"`))
	want := decodeBody(t, body)
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"byte by byte": iotest.OneByteReader, "halves": iotest.HalfReader, "end with data": iotest.DataErrReader, "in words": newWordReader,
	} {
		var have []Chat
		rows, err := decode(wrap(strings.NewReader("\ufeff"+body)), rowOptions{}, func(c Chat, err error) bool {
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

// newWordReader reads two rows, and then the rest word by word: in the buffer, the start of
// a name is before the end of the same name in the previous row.
func newWordReader(from io.Reader) io.Reader {
	text, err := io.ReadAll(from)
	if err != nil {
		return iotest.ErrReader(err)
	}
	rows := strings.SplitAfterN(string(text), "\n", 3)
	pieces := []io.Reader{strings.NewReader(rows[0]), strings.NewReader(rows[1])}
	for word := range strings.SplitAfterSeq(rows[2], "_") {
		pieces = append(pieces, strings.NewReader(word))
	}
	return io.MultiReader(pieces...)
}

// repeatReader reads a start, then the same text n times, then an end.
type repeatReader struct {
	start, text, end string
	n                int
	rest             string // of the piece that is read now
}

func (r *repeatReader) Read(p []byte) (int, error) {
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

func (r *repeatReader) next() bool {
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

// measureAllocation returns how many bytes decoding allocates on the heap, and on the stack
// beyond its present size.
func measureAllocation(body io.Reader) (total uint64, chats int, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = decode(body, rowOptions{}, func(_ Chat, err error) bool {
		if err == nil {
			chats++
		}
		return true
	})
	runtime.ReadMemStats(&after)
	total = after.TotalAlloc - before.TotalAlloc
	if after.StackSys > before.StackSys { // Stacks of tests that have ended are given back.
		total += after.StackSys - before.StackSys
	}
	return total, chats, err
}

// manyRows returns a million in long runs.
func manyRows() int {
	if runLong {
		return 1_000_000
	}
	return 20_000
}

// Any value of a report takes little memory and leaves the rows around it intact.
func TestDecoder_MemoryIsIndependentOfReport(t *testing.T) {
	const (
		start = `{"data": [{"conn_id": "1"}, `
		end   = `, {"conn_id": "2"}], "code": 200}`

		most = 256 << 10 // a buffer of 64 KiB, a stack, and a little
	)
	hundred := strings.Repeat("x", 100)
	for _, c := range []struct {
		name  string
		body  repeatReader
		chats int
	}{
		{"rows", repeatReader{start: start + `{}`, text: "," + rowWith(), n: 10_000, end: end}, 10_002},
		{"bad rows", repeatReader{start: start + `{}`, text: `,{"conn_id": [{}, "x"]}`, n: manyRows(), end: end}, 2},
		{"messages", repeatReader{start: start + `{}], `, text: `"msg": "` + strings.Repeat("x", 300) + `",`, n: 10_000, end: `"data": []}`}, 1},
		{"short values", repeatReader{start: start + `{"extra": ["`, text: `x", "`, n: manyRows(), end: `"]}` + end}, 2},
		{"a string", repeatReader{start: start + `{"customer_name": "`, text: hundred, n: manyRows(), end: `"}` + end}, 2},
		{"a session", repeatReader{start: start + `{"session_id": "`, text: strings.Repeat(`\u0041`, 20), n: manyRows(), end: `"}` + end}, 2},
		{"a number", repeatReader{start: start + `{"asa": 1`, text: strings.Repeat("1234567890", 10), n: manyRows(), end: `}` + end}, 2},
		{"a name", repeatReader{start: start + `{"`, text: hundred, n: manyRows(), end: `": 1}` + end}, 2},
		{"space", repeatReader{start: start, text: strings.Repeat(" ", 100), n: manyRows(), end: `{}` + end}, 2},
		{"a row that is a string", repeatReader{start: start + `"`, text: hundred, n: manyRows(), end: `"` + end}, 2},
		{"a row of arrays", repeatReader{start: start + `{"extra": `, text: "[", n: 50 * manyRows(), end: strings.Repeat("]", 50*manyRows()) + `}` + end}, 2},
		{"a row that is arrays", repeatReader{start: start, text: "[", n: 50 * manyRows(), end: strings.Repeat("]", 50*manyRows()) + end}, 2},
		{"names of names", repeatReader{start: start, text: `{"` + strings.Repeat(hundred, 650) + `": `, n: 200, end: "0" + strings.Repeat("}", 200) + end}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			total, chats, err := measureAllocation(&c.body)
			t.Logf("%d bytes allocated in all", total)
			if err != nil || total > most || chats != c.chats {
				t.Errorf("have %d chats, %d bytes allocated, %v, want %d, at most %d", chats, total, err, c.chats, most)
			}
		})
	}
}

func TestDecoder_MemoryIsIndependentOfLabels(t *testing.T) {
	const limit = 1 << 20
	from, to := io.Pipe()
	go func() {
		w := bufio.NewWriter(to)
		fmt.Fprint(w, `{"data": [{}`)
		for i := range manyRows() {
			fmt.Fprintf(w, `,{"conn_id": "%d", "rp_id": "RP %[1]d", "channel": "CH %[1]d"}`, i)
		}
		fmt.Fprint(w, `]}`)
		_ = to.CloseWithError(w.Flush())
	}()
	live := func() uint64 {
		var now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&now)
		return now.HeapAlloc
	}
	before, most, chats := live(), uint64(0), 0
	_, err := decode(from, rowOptions{}, func(_ Chat, err error) bool {
		if err == nil {
			chats++
		}
		if chats%(manyRows()/5) == 1 {
			most = max(most, live())
		}
		return true
	})
	t.Logf("%d bytes live at most", int64(most)-int64(before))
	if err != nil || chats != manyRows() || most > before+limit {
		t.Errorf("have %d chats, %v, and %d bytes live before, %d at most", chats, err, before, most)
	}
}

// A caller keeps 64 characters of a name, not all 60,000.
func TestLabel_KeepsNoLongText(t *testing.T) {
	const kept, limit = 500, 1 << 20
	body := repeatReader{
		start: `{"data": [{"rp_id": 1}`, text: `, {"rp_id": "1` + strings.Repeat("0", 60_000) + `", "rp_name": "` + strings.Repeat("ñ", 30_000) + `"}`,
		n: kept, end: `]}`,
	}
	live := func() uint64 {
		var now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&now)
		return now.HeapAlloc
	}
	var points []RoutingPoint
	before := live()
	_, err := decodeRoutingPoints(&body, func(point RoutingPoint, err error) bool {
		if err == nil {
			points = append(points, point)
		}
		return true
	})
	after := live()
	t.Logf("%d bytes live", int64(after)-int64(before))
	if err != nil || len(points) != kept+1 || after > before+limit {
		t.Errorf("have %d routing points, %v, and %d bytes live before, %d after", len(points), err, before, after)
	}
	runtime.KeepAlive(points)
}

func TestDecoder_LimitsInternedLabels(t *testing.T) {
	const many = 5000
	rows := []string{`{"conn_id": "1", "rp_id": "` + strings.Repeat("x", 10_000) + `"}`}
	for i := 1; i <= many; i++ {
		rows = append(rows, fmt.Sprintf(`{"conn_id": "1", "rp_id": "RP %d", "channel": "CH %[1]d"}`, i))
	}
	seen := 0
	d := newDecoder(strings.NewReader(report(rows...)), rowOptions{})
	err := decodeRows(d, (*decoder).chat, func(c Chat, _ error) bool {
		if want := strconv.Itoa(seen); seen > 0 && (c.RoutingPoint != "RP "+want || c.Channel != "ch "+want) {
			t.Errorf("have %q, %q, want number %s", c.RoutingPoint, c.Channel, want)
		}
		seen++
		return true
	})
	if err != nil || seen != many+1 {
		t.Fatalf("have %d rows, %v", seen, err)
	}
	if len(d.labels[RoutingPointField]) > 1000 || len(d.labels[ChannelField]) > 1000 {
		t.Errorf("have %d and %d labels kept", len(d.labels[RoutingPointField]), len(d.labels[ChannelField]))
	}
	for text := range d.labels[RoutingPointField] {
		if len(text) > 256 {
			t.Errorf("have a text of %d bytes kept", len(text))
		}
	}
}

func TestDecoder_RefusesForeignBodyAtOnce(t *testing.T) {
	for _, body := range []repeatReader{
		{text: "["},
		{start: "[", text: `"x", `},
		{start: "{", text: "["},
		{start: "{", text: `{"a": `},
		{start: "{[", text: `"x", `},
		{text: "Warning: "},
		{start: `{"data": [], `, text: "["},
		{start: `{"data": [{`, text: `{"a": `},
		{start: `{"data": [{[`, text: `"x", `},
		{start: `{"data": [] `, text: "["},
	} {
		const most = 1_000_000
		body.n = most
		total, _, err := measureAllocation(&body)
		if read := most - body.n; err == nil || total > 256<<10 || read > 3*maxTokenLen {
			t.Errorf("%+v: have %v after %d pieces, %d bytes allocated", body, err, read, total)
		}
	}
}

func TestDecoder_RowAllocatesNothing(t *testing.T) {
	body := func(n int) string {
		rows := []string{rowWith("rp_id", `"Bogot\u00e1"`)} // Escapes cost what they are in.
		rows = append(rows, slices.Repeat([]string{rowWith(), rowWith("go_to_agent", `"no"`, "asa", `"-"`)}, n/2)...)
		return report(rows...)
	}
	count := func(body string) float64 {
		return testing.AllocsPerRun(5, func() {
			if _, err := decode(strings.NewReader(body), rowOptions{}, func(Chat, error) bool { return true }); err != nil {
				t.Fatal(err)
			}
		})
	}
	few, many := count(body(100)), count(body(2100))
	if perRow := (many - few) / 2000; perRow > 0.1 {
		t.Errorf("have %v allocations per row, want none", perRow)
	}
}

// A name that is cut because the response is too large or too slow is a failure of the
// reader, not of the report.
func TestClient_KeepsErrorOfBody(t *testing.T) {
	want := &Error{Result: Timeout}
	body := io.MultiReader(strings.NewReader(report(rowWith())[:200]), iotest.ErrReader(want))
	have := ask(t, roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(body), Request: r}, nil
	}))
	if !errors.Is(have.err, want) || have.request.Result != Timeout {
		t.Errorf("have %v, %s", have.err, have.request.Result)
	}
}

// A reader may return its error together with its last bytes, and only once.
func TestClient_BodyErrorWithLastBytes(t *testing.T) {
	body := &failOnceReader{report(rowWith()), io.ErrUnexpectedEOF}
	have := ask(t, roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(body), Request: r}, nil
	}))
	if have.failure() != Network {
		t.Errorf("have %d chats, %v, want it to be the network's fault", len(have.chats), have.err)
	}
}

// failOnceReader returns all of its text together with its error, and then EOF.
type failOnceReader struct {
	text string
	err  error
}

// Read implements io.Reader.
func (f *failOnceReader) Read(p []byte) (int, error) {
	n, err := copy(p, f.text), f.err
	f.text, f.err = f.text[n:], io.EOF
	return n, err
}
