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

// requiredFields are the fields without which a row is bad.
var requiredFields = []Field{ConnIDField, SessionIDField, StartDate, EndDate}

// tooLong returns a text that is longer than maxTokenLen.
func tooLong(text string) string { return strings.Repeat(text, maxTokenLen/len(text)+100) }

// nestArrays returns n nested arrays.
func nestArrays(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func TestChats_LongValueCostsRowOnlyIfNeeded(t *testing.T) {
	values := []string{
		`"` + tooLong("x") + `"`, `"` + tooLong(`\u00e1`) + `"`, `"` + tooLong(`\"`) + `"`, `"` + tooLong("]}") + `"`, `"` + tooLong(" ") + `"`,
		`1` + tooLong("0"), `1.` + tooLong("0"), `1e` + tooLong("0"),
	}
	want := decodeOneRow(t, rowWith())
	for i, value := range values {
		for _, field := range requiredFields {
			if i > 0 && field != ConnIDField {
				continue
			}
			name := field.String()
			have := decodeBody(t, report(rowWith(), rowWith(name, value), rowWith()))
			if have.err != nil || have.badRows != 1 || !slices.Equal(have.chats, []Chat{want, want}) {
				t.Errorf("%s: %.20s…: have %d chats, %d bad rows, %v", name, value, len(have.chats), have.badRows, have.err)
			}
		}
		for _, name := range []string{"customer_name", "agent_name", tooLong("x")} {
			if have := decodeOneRow(t, rowWith(name, value)); have != want {
				t.Errorf("%.20s…: %.20s…: have %+v, want %+v", name, value, have, want)
			}
		}
		if have := decodeBody(t, report(rowWith(), value, rowWith())); have.err != nil || have.badRows != 1 || len(have.chats) != 2 {
			t.Errorf("a row that is %.20s…: have %d chats, %d bad rows, %v", value, len(have.chats), have.badRows, have.err)
		}
	}
}

func TestChats_ValueIsWholeOrRowIsBad(t *testing.T) {
	ids := map[ID]int{}
	for size := maxTokenLen - 10; size < maxTokenLen+10; size++ {
		have := decodeBody(t, report(rowWith("conn_id", `"`+strings.Repeat("x", size)+`"`)))
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
	want := decodeOneRow(t, rowWith())
	for _, value := range []string{
		nestArrays(jsonscan.MaxDepth), nestArrays(most), strings.Repeat(`{"a":[`, most) + `"]]}}\"]"` + strings.Repeat(`]}`, most),
		strings.Repeat(`[0,{"b":"[","a":`, most) + `{}` + strings.Repeat(`},"]"]`, most),
	} {
		for _, field := range requiredFields {
			name := field.String()
			have := decodeBody(t, report(rowWith(), rowWith(name, value), rowWith()))
			if have.err != nil || have.badRows != 1 || !slices.Equal(have.chats, []Chat{want, want}) {
				t.Errorf("%s: %.20s…: have %d chats, %d bad rows, %v", name, value, len(have.chats), have.badRows, have.err)
			}
		}
		if have := decodeOneRow(t, rowWith("novelty", value)); have != want {
			t.Errorf("%.20s…: have %+v, want %+v", value, have, want)
		}
		if have := decodeBody(t, report(rowWith(), value, rowWith())); have.err != nil || have.badRows != 1 || len(have.chats) != 2 {
			t.Errorf("a row that is %.20s…: have %d chats, %d bad rows, %v", value, len(have.chats), have.badRows, have.err)
		}
	}
}

// The depth is that of the current value, after any number of values.
func TestDecoder_RefusesWrongBracket(t *testing.T) {
	rows := slices.Repeat([]string{rowWith("novelty", `{"a": [1, {}]}`)}, 2*jsonscan.MaxDepth)
	if have := decodeBody(t, report(rows...)); have.err != nil || len(have.chats) != len(rows) {
		t.Errorf("have %d chats, %v, want %d", len(have.chats), have.err, len(rows))
	}
	rows = append(rows, rowWith("novelty", `[}`))
	if have := decodeBody(t, report(rows...)); have.failure() != Malformed {
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
		if have := decodeBody(t, text).err; have == nil || !strings.HasSuffix(have.Error(), ": "+want) {
			t.Errorf("have %v, want %s", have, want)
		}
	}
}

func TestEnvelope_LongParts(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want Result
	}{
		"space":                        {tooLong(" ") + `{` + tooLong("\n") + `"data"` + tooLong("\t") + `:` + tooLong("\r") + `[` + tooLong(" ") + `]}` + tooLong(" "), Empty},
		"a name":                       {`{"` + tooLong("x") + `": 1, "code": 200, "error": null, "msg": "", "data": []}`, Empty},
		"a message":                    {`{"msg": "` + tooLong("x") + `", "data": []}`, Empty},
		"a code that would start as 0": {`{"code": "` + tooLong("0") + `403", "data": []}`, Malformed},
		"a number that would be 0":     {`{"code": 0` + tooLong("0") + `, "data": []}`, Malformed},
		"a code that is deep":          {`{"code": ` + nestArrays(2*jsonscan.MaxDepth) + `, "data": []}`, Malformed},
		"data that is long":            {`{"data": "` + tooLong("x") + `"}`, Malformed},
		"text behind":                  {`{"data": []}` + tooLong(" ") + "x", Empty},
		"JSON behind":                  {`{"data": []}` + tooLong(" ") + "{", Malformed},
		"text behind what is deep":     {`{"more": ` + nestArrays(2*jsonscan.MaxDepth) + `x, "data": []}`, Malformed},
		"a bracket of another kind":    {`{"more": ` + strings.Repeat("[", 2*jsonscan.MaxDepth) + strings.Repeat("}", 2*jsonscan.MaxDepth) + `, "data": []}`, Malformed},
	} {
		if have := decodeBody(t, c.body); have.request.Result != c.want {
			t.Errorf("%s: have %s (%v), want %s", name, have.request.Result, have.err, c.want)
		}
	}
}

// Values that are too long or too deep to keep are still checked.
func TestDecoder_ChecksWhatItSkips(t *testing.T) {
	for _, value := range []string{
		`"` + tooLong("x") + `\x"`, `"` + tooLong("x") + `\u00g0"`, `"` + tooLong("x") + `\u"00"`, `"` + tooLong(`\\`) + `\"`,
		`-` + tooLong("0"), `0` + tooLong("0"), `1` + tooLong("0") + `x`, `1` + tooLong("0") + `.`, `1.` + tooLong("0") + `.0`, `1` + tooLong("0") + `e`, `1` + tooLong(" ") + `1`,
		strings.Repeat("[", 2*jsonscan.MaxDepth) + `"\x"` + strings.Repeat("]", 2*jsonscan.MaxDepth),
		strings.Repeat("[", 2*jsonscan.MaxDepth) + strings.Repeat("]", 2*jsonscan.MaxDepth-1), strings.Repeat("[", 2*jsonscan.MaxDepth) + strings.Repeat("]", 2*jsonscan.MaxDepth+1),
	} {
		if have := decodeBody(t, report(rowWith("novelty", value), rowWith())); have.failure() != Malformed || len(have.chats) != 0 {
			t.Errorf("%.20s…%s: have %d chats, %v", value, value[len(value)-5:], len(have.chats), have.err)
		}
	}
}

func TestDecoder_CutLongReportIsMalformed(t *testing.T) {
	body := report(rowWith("a", `"`+tooLong(`\u00e1`)+`"`, "b", `1`+tooLong("0"), "c", nestArrays(maxTokenLen), "d", `[`+tooLong(" ")+`]`), rowWith())
	for n := 0; n < len(body); n += 29_989 {
		if have := decodeBody(t, body[:n]); have.failure() != Malformed || have.rows() > 1 {
			t.Fatalf("cut to %d bytes: have %d rows, %v", n, have.rows(), have.err)
		}
	}
}

func TestDecoder_ReadsLongBodyInAnyChunks(t *testing.T) {
	body := report(rowWith(), rowWith("a", `"`+tooLong(`\u00e1`)+`"`), rowWith("b", nestArrays(1000), "conn_id", `"`+tooLong("x")+`"`), tooLong(" ")+rowWith())
	want := decodeBody(t, body)
	for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
		have := ask(t, roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(wrap(strings.NewReader(body))), Request: r}, nil
		}))
		if have.err != nil || have.badRows != 1 || !slices.Equal(have.chats, want.chats) || len(have.chats) != 3 {
			t.Errorf("have %d chats, %d bad rows, %v", len(have.chats), have.badRows, have.err)
		}
	}
}
