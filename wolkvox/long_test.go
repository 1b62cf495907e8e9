package wolkvox

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/internal/jsonscan"
)

// indispensables are the fields that a chat cannot do without.
var indispensables = []Field{ConnIDField, SessionIDField, StartDate, EndDate}

// long is text that is longer than what is kept of it.
func long(text string) string { return strings.Repeat(text, maxTokenLen/len(text)+100) }

// nested is n arrays, each inside the one before.
func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func TestChats_LongValueCostsRowOnlyIfNeeded(t *testing.T) {
	values := []string{
		`"` + long("x") + `"`, `"` + long(`\u00e1`) + `"`, `"` + long(`\"`) + `"`, `"` + long("]}") + `"`, `"` + long(" ") + `"`,
		`1` + long("0"), `1.` + long("0"), `1e` + long("0"),
	}
	want := only(t, rowWith())
	for i, value := range values {
		for _, field := range indispensables {
			if i > 0 && field != ConnIDField {
				continue
			}
			name := field.String()
			have := decoded(t, report(rowWith(), rowWith(name, value), rowWith()))
			if have.err != nil || have.badRows != 1 || !slices.Equal(have.chats, []Chat{want, want}) {
				t.Errorf("%s: %.20s…: have %d chats, %d bad rows, %v", name, value, len(have.chats), have.badRows, have.err)
			}
		}
		for _, name := range []string{"customer_name", "agent_name", long("x")} {
			if have := only(t, rowWith(name, value)); have != want {
				t.Errorf("%.20s…: %.20s…: have %+v, want %+v", name, value, have, want)
			}
		}
		if have := decoded(t, report(rowWith(), value, rowWith())); have.err != nil || have.badRows != 1 || len(have.chats) != 2 {
			t.Errorf("a row that is %.20s…: have %d chats, %d bad rows, %v", value, len(have.chats), have.badRows, have.err)
		}
	}
}

func TestChats_ValueIsWholeOrRowIsBad(t *testing.T) {
	ids := map[ID]int{}
	for size := maxTokenLen - 10; size < maxTokenLen+10; size++ {
		have := decoded(t, report(rowWith("conn_id", `"`+strings.Repeat("x", size)+`"`)))
		if bad := size+len(`""`) > maxTokenLen; have.err != nil || have.rows() != 1 || bad != (have.badRows == 1) {
			t.Errorf("%d bytes: have %d chats, %v", size, len(have.chats), have.err)
		}
		for _, chat := range have.chats {
			if other, known := ids[chat.ID]; known {
				t.Errorf("%d bytes are counted as %d bytes", size, other)
			}
			ids[chat.ID] = size
		}
	}
}

func TestChats_DeepValueCostsRowOnlyIfNeeded(t *testing.T) {
	const most = 11_000
	want := only(t, rowWith())
	for _, value := range []string{
		nested(jsonscan.MaxDepth), nested(most), strings.Repeat(`{"a":[`, most) + `"]]}}\"]"` + strings.Repeat(`]}`, most),
		strings.Repeat(`[0,{"b":"[","a":`, most) + `{}` + strings.Repeat(`},"]"]`, most),
	} {
		for _, field := range indispensables {
			name := field.String()
			have := decoded(t, report(rowWith(), rowWith(name, value), rowWith()))
			if have.err != nil || have.badRows != 1 || !slices.Equal(have.chats, []Chat{want, want}) {
				t.Errorf("%s: %.20s…: have %d chats, %d bad rows, %v", name, value, len(have.chats), have.badRows, have.err)
			}
		}
		if have := only(t, rowWith("novelty", value)); have != want {
			t.Errorf("%.20s…: have %+v, want %+v", value, have, want)
		}
		if have := decoded(t, report(rowWith(), value, rowWith())); have.err != nil || have.badRows != 1 || len(have.chats) != 2 {
			t.Errorf("a row that is %.20s…: have %d chats, %d bad rows, %v", value, len(have.chats), have.badRows, have.err)
		}
	}
}

// However much there is, the level is that of what is read now.
func TestDecoder_RefusesWrongBracket(t *testing.T) {
	rows := slices.Repeat([]string{rowWith("novelty", `{"a": [1, {}]}`)}, 2*jsonscan.MaxDepth)
	if have := decoded(t, report(rows...)); have.err != nil || len(have.chats) != len(rows) {
		t.Errorf("have %d chats, %v, want %d", len(have.chats), have.err, len(rows))
	}
	rows = append(rows, rowWith("novelty", `[}`))
	if have := decoded(t, report(rows...)); have.failure() != Malformed {
		t.Errorf("have %v, want it malformed", have.err)
	}
}

func TestError_HasOffset(t *testing.T) {
	body := report(slices.Repeat([]string{rowWith()}, 1000)...)
	for text, want := range map[string]string{
		body + "[":                 fmt.Sprintf("unexpected JSON after the end at byte %d", len(body)),
		body[:len(body)-1]:         fmt.Sprintf("unexpected end at byte %d", len(body)-1),
		body[:len(body)-2] + ",]}": fmt.Sprintf("expected a value at byte %d", len(body)-1),
	} {
		if have := decoded(t, text).err; have == nil || !strings.HasSuffix(have.Error(), ": "+want) {
			t.Errorf("have %v, want %s", have, want)
		}
	}
}

func TestEnvelope_LongParts(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want Result
	}{
		"space":                        {long(" ") + `{` + long("\n") + `"data"` + long("\t") + `:` + long("\r") + `[` + long(" ") + `]}` + long(" "), Empty},
		"a name":                       {`{"` + long("x") + `": 1, "code": 200, "error": null, "msg": "", "data": []}`, Empty},
		"a message":                    {`{"msg": "` + long("x") + `", "data": []}`, Empty},
		"a code that would start as 0": {`{"code": "` + long("0") + `403", "data": []}`, Malformed},
		"a number that would be 0":     {`{"code": 0` + long("0") + `, "data": []}`, Malformed},
		"a code that is deep":          {`{"code": ` + nested(2*jsonscan.MaxDepth) + `, "data": []}`, Malformed},
		"data that is long":            {`{"data": "` + long("x") + `"}`, Malformed},
		"text behind":                  {`{"data": []}` + long(" ") + "x", Empty},
		"JSON behind":                  {`{"data": []}` + long(" ") + "{", Malformed},
		"text behind what is deep":     {`{"more": ` + nested(2*jsonscan.MaxDepth) + `x, "data": []}`, Malformed},
		"a bracket of another kind":    {`{"more": ` + strings.Repeat("[", 2*jsonscan.MaxDepth) + strings.Repeat("}", 2*jsonscan.MaxDepth) + `, "data": []}`, Malformed},
	} {
		if have := decoded(t, c.body); have.request.Result != c.want {
			t.Errorf("%s: have %s (%v), want %s", name, have.request.Result, have.err, c.want)
		}
	}
}

// What is too long to keep, or too deep to compare, is read all the same.
func TestDecoder_ChecksWhatItSkips(t *testing.T) {
	for _, value := range []string{
		`"` + long("x") + `\x"`, `"` + long("x") + `\u00g0"`, `"` + long("x") + `\u"00"`, `"` + long(`\\`) + `\"`,
		`-` + long("0"), `0` + long("0"), `1` + long("0") + `x`, `1` + long("0") + `.`, `1.` + long("0") + `.0`, `1` + long("0") + `e`, `1` + long(" ") + `1`,
		strings.Repeat("[", 2*jsonscan.MaxDepth) + `"\x"` + strings.Repeat("]", 2*jsonscan.MaxDepth),
		strings.Repeat("[", 2*jsonscan.MaxDepth) + strings.Repeat("]", 2*jsonscan.MaxDepth-1), strings.Repeat("[", 2*jsonscan.MaxDepth) + strings.Repeat("]", 2*jsonscan.MaxDepth+1),
	} {
		if have := decoded(t, report(rowWith("novelty", value), rowWith())); have.failure() != Malformed || len(have.chats) != 0 {
			t.Errorf("%.20s…%s: have %d chats, %v", value, value[len(value)-5:], len(have.chats), have.err)
		}
	}
}

func TestDecoder_CutLongReportIsMalformed(t *testing.T) {
	body := report(rowWith("a", `"`+long(`\u00e1`)+`"`, "b", `1`+long("0"), "c", nested(maxTokenLen), "d", `[`+long(" ")+`]`), rowWith())
	for n := 0; n < len(body); n += 29_989 {
		if have := decoded(t, body[:n]); have.failure() != Malformed || have.rows() > 1 {
			t.Fatalf("cut to %d bytes: have %d rows, %v", n, have.rows(), have.err)
		}
	}
}

func TestDecoder_ReadsLongBodyInAnyChunks(t *testing.T) {
	body := report(rowWith(), rowWith("a", `"`+long(`\u00e1`)+`"`), rowWith("b", nested(1000), "conn_id", `"`+long("x")+`"`), long(" ")+rowWith())
	want := decoded(t, body)
	for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
		have := ask(t, roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(wrap(strings.NewReader(body))), Request: r}, nil
		}))
		if have.err != nil || have.badRows != 1 || !slices.Equal(have.chats, want.chats) || len(have.chats) != 3 {
			t.Errorf("have %d chats, %d bad rows, %v", len(have.chats), have.badRows, have.err)
		}
	}
}
