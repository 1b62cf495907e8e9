package wolkvox

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzDecode holds the decoder against encoding/json: a body that it accepts is
// JSON, and each element of data is a row.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		report(rowWith(), `"bad"`, rowWith("conn_id", `"-"`)), "\ufeff" + report(), `{"code": 200, "data": null}`,
		`{"data": [{"conn_id": "\ud800"}, {"conn\u005fid": 1, "asa": true}], "code": "403", "msg": "PLEASE VALIDATE TOKEN"}`,
		`{"data": [[], {}, null, 1e5, "x"], "data": [{}], "code": 404} `, `{"data": [{"start_date": "0000-00-00 00:00:00"}]}`,
		report(rowWith("novelty", nested(deepest)), rowWith("novelty", strings.Repeat("[", deepest)+"x}"+strings.Repeat("]", deepest-1))),
		"<br />" + report(), report()[:30], `{"data": [[[[[[`, "{\"data\": [\"\xff\"]}", "",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var chats []Chat
		bad := 0
		rows, err := decode(bytes.NewReader(body), wanted{}, func(c Chat, err error) bool {
			if err != nil {
				bad++
				return true
			}
			chats = append(chats, c)
			return true
		})
		if rows != len(chats)+bad {
			t.Fatalf("have %d rows, yielded %d and %d bad ones", rows, len(chats), bad)
		}
		for _, c := range chats {
			mustBeSound(t, c)
		}
		// Stopped after half of the rows, there are no more.
		if rows > 1 {
			n := 0
			if have, err := decode(bytes.NewReader(body), wanted{}, func(Chat, error) bool { n++; return n < rows/2+1 }); have != n || n != rows/2+1 || err == nil {
				t.Fatalf("stopped after %d: have %d, %v", n, have, err)
			}
		}
		if err == nil {
			mustBeRows(t, body, rows)
		}
	})
}

// FuzzDecodeInformation holds the three kinds of rows against each other: what is
// a report for one is a report for all.
func FuzzDecodeInformation(f *testing.F) {
	for _, body := range []string{
		report(`{"rp_id": 1101, "rp_name": "Ventas"}`, `{"rp_id": "-"}`, `{"rp_name": {}, "rp_id": "x\u0000"}`, `7`),
		report(`{"token_limit": "1000", "token_use_today": "2", "all_token_today": 8, "available_consumption_options": "992"}`),
		`{"data": [{"token_limit": 0}, {"all_token_today": "-1", "token_limit": 1e12}], "code": 404}`, `{"data": null}`,
		"{\"data\": [{\"rp_id\": \"\xff\", \"rp_name\": \"\xc3\"}]}", report(`{"rp_id": "` + strings.Repeat("1", longest) + `"}`), report()[:30],
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		chats, want := decode(bytes.NewReader(body), wanted{}, func(Chat, error) bool { return true })
		points, err := decodeRoutingPoints(bytes.NewReader(body), func(point RoutingPoint, err error) bool {
			if err == nil {
				mustBeLabel(t, "rp_id", point.ID)
				mustBeLabel(t, "rp_name", point.Name)
			} else if point != (RoutingPoint{}) {
				t.Fatalf("have %+v of a bad row", point)
			}
			return true
		})
		if points != chats || (err == nil) != (want == nil) {
			t.Fatalf("have %d routing points, %v, and %d chats, %v", points, err, chats, want)
		}
		infos, err := decodeTokenInfo(bytes.NewReader(body), func(info TokenInfo, _ error) bool {
			for _, n := range []*float64{info.Used, info.Limit} {
				if n != nil && !(*n >= 0 && *n <= 2*maxInteger) {
					t.Fatalf("have %v requests", *n)
				}
			}
			if info.Limit != nil && *info.Limit == 0 {
				t.Fatal("have a limit of 0")
			}
			return true
		})
		if infos != chats || (err == nil) != (want == nil) {
			t.Fatalf("have %d infos, %v, and %d chats, %v", infos, err, chats, want)
		}
	})
}

func mustBeSound(t *testing.T, c Chat) {
	t.Helper()
	switch {
	case c.ID == 0 || c.ID == c.Anonymous:
		t.Fatalf("have the ids %x, %x", c.ID, c.Anonymous)
	case c.Has&c.Malformed != 0 || c.Has>>AllFields != 0 || c.Malformed>>AllFields != 0:
		t.Fatalf("have stated %b, malformed %b", c.Has, c.Malformed)
	case c.Start < 0 || c.Start > maxLocalTime || c.End < 0 || c.End > maxLocalTime:
		t.Fatalf("have %d to %d", c.Start, c.End)
	case c.LastSender >= LastSenders:
		t.Fatalf("have the sender %d", c.LastSender)
	}
	for field, n := range c.Numbers {
		if !(n >= 0 && n <= maxInteger) {
			t.Fatalf("have %v for %v", n, Field(field))
		}
	}
	mustBeLabel(t, "rp_id", c.RoutingPoint)
	mustBeLabel(t, "channel", c.Channel)
}

// mustBeRows counts the rows of a body once more. encoding/json takes the last
// of several members of one name, and names in any case: such bodies are none
// of its business, and neither is what is wrong where nobody looks.
func mustBeRows(t *testing.T, body []byte, want int) {
	t.Helper()
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	var names []string
	decoder := json.NewDecoder(bytes.NewReader(body))
	depth, most := 0, 0
	for {
		token, err := decoder.Token()
		if err != nil {
			break
		}
		if name, ok := token.(string); ok && depth == 1 && strings.EqualFold(name, "data") {
			names = append(names, name)
		}
		if delim, ok := token.(json.Delim); ok {
			depth += map[json.Delim]int{'{': 1, '[': 1, '}': -1, ']': -1}[delim]
			most = max(most, depth)
		}
	}
	if !json.Valid(body) {
		if most < deepest {
			t.Fatalf("accepted %q", body)
		}
		return
	}
	if !slices.Equal(names, []string{"data"}) {
		return
	}
	var envelope struct{ Data []json.RawMessage }
	if err := json.Unmarshal(body, &envelope); err != nil {
		t.Fatalf("accepted %q: %v", body, err)
	}
	if len(envelope.Data) != want {
		t.Fatalf("have %d rows, want %d of %q", want, len(envelope.Data), body)
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, text := range []string{"00:14:10", "87660:00:00", "87660:00:01", "42", "42.5", "4e1", "-1", ":00:00", "1e400", "0x1p4", "999999999999999:59:59", "٤٢"} {
		f.Add([]byte(text))
	}
	clock := regexp.MustCompile(`^[0-9]{1,15}:[0-5][0-9]:[0-5][0-9]$`)
	count := regexp.MustCompile(`^[0-9]{1,15}(\.0)?$`)
	number := regexp.MustCompile(`^[0-9]+\.?[0-9]*([eE][+-]?[0-9]+)?$`)
	f.Fuzz(func(t *testing.T, text []byte) {
		value, err := strconv.ParseFloat(string(text), 64)
		plain := number.Match(text) && err == nil
		n, ok := parseDuration(text)
		switch {
		case ok && !(n >= 0 && n <= maxSeconds):
			t.Fatalf("%q is a duration of %v", text, n)
		case ok && !plain && !clock.Match(text), !ok && plain && value <= maxSeconds, ok && plain && n != value:
			t.Fatalf("%q is a duration of %v, %v", text, n, ok)
		}
		n, ok = parseInteger(text)
		if want := count.Match(text) && value <= maxInteger; ok != want || ok && n != value {
			t.Fatalf("%q is a count of %v, %v, want %v, %v", text, n, ok, value, want)
		}
	})
}

func FuzzParseLocalTime(f *testing.F) {
	for _, text := range []string{"2026-01-18 19:34:31", "2026-01-18T19:34:31", "20260118193431", "2026-02-29 00:00:00", "2028-02-29 24:00:00", "1970-01-01 00:00:00", "-0260118193431"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		have, ok := parseLocalTime(text)
		if !ok {
			return
		}
		if have <= 0 || have > maxLocalTime {
			t.Fatalf("%q is %d", text, have)
		}
		spellings := []string{have.String(), strings.Replace(have.String(), " ", "T", 1), have.param()}
		if !slices.Contains(spellings, string(text)) {
			t.Fatalf("%q is read as %q", text, spellings)
		}
	})
}

func FuzzLabel(f *testing.F) {
	for _, text := range []string{"12601", " Ventas Bogotá\n", "\xff\xfe", "\u2003", "-", "a\x00b", strings.Repeat("😀", 70), strings.Repeat(" ", 80) + "x", "İ", "\u0085"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		mustBeLabel(t, string(text), label(text))
		mustBeLabel(t, string(text), lowerLabel(text))
		if utf8.Valid(text) && len(text) <= maxLabelRunes && strings.TrimSpace(string(text)) == string(text) && !bytes.ContainsFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) {
			if have := label(text); have != string(text) && len(text) > 0 {
				t.Fatalf("have %q, want %q as it is", have, text)
			}
		}
	})
}
