package wolkvox

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/internal/jsonscan"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/internal/jsonscan/jsonscantest"
)

// FuzzDecode compares the decoder with encoding/json: an accepted body has a document that
// is JSON, and each element of data is a row. The decoder accepts rows that encoding/json
// accepts.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		report(rowWith(), `"bad"`, rowWith("conn_id", `"-"`)), "\ufeff" + report(), `{"code": 200, "data": null}`,
		`{"data": [{"conn_id": "\ud800"}, {"conn\u005fid": 1, "asa": true}], "code": "403", "msg": "PLEASE VALIDATE TOKEN"}`,
		`{"data": [[], {}, null, 1e5, "x"], "data": [{}], "code": 404} `, `{"data": [{"start_date": "0000-00-00 00:00:00"}]}`,
		report(rowWith("novelty", nestArrays(jsonscan.MaxDepth)), rowWith("novelty", strings.Repeat("[", jsonscan.MaxDepth)+"x}"+strings.Repeat("]", jsonscan.MaxDepth-1))),
		"<br />" + report(), phpWarning + report(rowWith()) + phpWarning, "\x00\ufeff" + report(rowWith()) + "\x00", report() + report(), "[x] " + report(),
		`{"DATA ": {"0": {"conn_id": "1"}, "2": 7}, "code": null}`, `{"data": {"conn_id": 1}}`, `{"data": {"a": {"conn_id": 1}}}`, `[{"conn_id": 1}]`, `[ ]`,
		`{"data": {}}`, `{"data": false}`, `{"data": {"": 1}}`, "{\"data\": [{\"conn_id\": \"a\tb\\n\", \"asa\": NaN, \"rp_id\": -Infinity}]}",
		`{"message": "x"}`, `{"code": 404, "error": "x"}`, `{"code": 200, "error": "x", "data": []}`, report()[:30], `{"data": [[[[[[`, "{\"data\": [\"\xff\"]}", "",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var chats []Chat
		bad := 0
		rows, err := decode(bytes.NewReader(body), rowOptions{}, func(c Chat, err error) bool {
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
			requireValidChat(t, c)
		}
		// If the caller stops after half of the rows, no more follow.
		if rows > 1 {
			n := 0
			if have, err := decode(bytes.NewReader(body), rowOptions{}, func(Chat, error) bool { n++; return n < rows/2+1 }); have != n || n != rows/2+1 || err == nil {
				t.Fatalf("stopped after %d: have %d, %v", n, have, err)
			}
		}
		if err == nil {
			requireRows(t, body, rows)
		}
		var plain struct {
			Code json.RawMessage
			Data []json.RawMessage
		}
		if json.Unmarshal(body, &plain) == nil && plain.Code == nil && len(plain.Data) > 0 && len(dataValues(body)) == 1 && (err != nil || rows != len(plain.Data)) {
			t.Fatalf("have %d rows, %v, want %d of %q", rows, err, len(plain.Data), body)
		}
	})
}

// FuzzDecodeInformation compares the three kinds of rows: a body is a report for all of
// them or for none.
func FuzzDecodeInformation(f *testing.F) {
	for _, body := range []string{
		report(`{"rp_id": 1101, "rp_name": "Ventas"}`, `{"rp_id": "-"}`, `{"rp_name": {}, "rp_id": "x\u0000"}`, `7`),
		report(`{"token_limit": "1000", "token_use_today": "2", "all_token_today": 8, "available_consumption_options": "992"}`),
		`{"data": [{"token_limit": 0}, {"all_token_today": "-1", "token_limit": 1e12}], "code": 404}`, `{"data": null}`,
		"{\"data\": [{\"rp_id\": \"\xff\", \"rp_name\": \"\xc3\"}]}", report(`{"rp_id": "` + strings.Repeat("1", maxTokenLen) + `"}`), report()[:30],
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		chats, want := decode(bytes.NewReader(body), rowOptions{}, func(Chat, error) bool { return true })
		points, err := decodeRoutingPoints(bytes.NewReader(body), func(point RoutingPoint, err error) bool {
			if err == nil {
				requireLabel(t, "rp_id", point.ID)
				requireLabel(t, "rp_name", point.Name)
			} else if point != (RoutingPoint{}) {
				t.Fatalf("have %+v of a bad row", point)
			}
			return true
		})
		if points != chats || (err == nil) != (want == nil) && !otherRows(err, want) {
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
		if infos != chats || (err == nil) != (want == nil) && !otherRows(err, want) {
			t.Fatalf("have %d infos, %v, and %d chats, %v", infos, err, chats, want)
		}
	})
}

// otherRows reports whether an object was a row of one kind and not of another, which
// matters where it is in no array.
func otherRows(errs ...error) bool {
	return slices.ContainsFunc(errs, func(err error) bool { return err != nil && strings.HasSuffix(err.Error(), "other JSON than rows") })
}

func requireValidChat(t *testing.T, c Chat) {
	t.Helper()
	switch {
	case c.ID == 0 || c.ID == c.FallbackID:
		t.Fatalf("have the ids %x, %x", c.ID, c.FallbackID)
	case c.Present&c.Malformed != 0 || c.Present>>FieldCount != 0 || c.Malformed>>FieldCount != 0 || c.Keys>>allKeys != 0, c.Present&^c.Keys != 0, c.Malformed&^c.Keys != 0:
		t.Fatalf("have stated %b, malformed %b, keys %b", c.Present, c.Malformed, c.Keys)
	case c.Start < 0 || c.Start > maxLocalTime || c.End < 0 || c.End > maxLocalTime:
		t.Fatalf("have %d to %d", c.Start, c.End)
	case c.LastSender >= SenderCount:
		t.Fatalf("have the sender %d", c.LastSender)
	}
	for field, n := range c.Numbers {
		if !(n >= 0 && n <= maxInteger) {
			t.Fatalf("have %v for %v", n, Field(field))
		}
	}
	requireLabel(t, "rp_id", c.RoutingPoint)
	requireLabel(t, "channel", c.Channel)
}

// requireRows counts the rows of a body with encoding/json. Deep values are not checked.
func requireRows(t *testing.T, body []byte, want int) {
	t.Helper()
	body = bytes.TrimLeft(body, "\x00\ufeff \t\r\n")
	start := 0
	if !regexp.MustCompile(`^(\{|\[[ \t\r\n]*[{\]])`).Match(body) {
		found := regexp.MustCompile(`(?i)\{[ \t\r\n]*"\s*(code|error|msg|data)\s*"[ \t\r\n]*:`).FindIndex(body)
		if found == nil || found[0] >= maxTokenLen {
			t.Fatalf("accepted %q", body)
		}
		start = found[0]
	}
	var document json.RawMessage
	decoder := json.NewDecoder(bytes.NewReader(jsonscantest.Strict(body[start:])))
	if err := decoder.Decode(&document); err != nil {
		if bytes.Count(body, []byte("["))+bytes.Count(body, []byte("{")) < jsonscan.MaxDepth {
			t.Fatalf("accepted %q: %v", body, err)
		}
		return
	}
	rest, _ := io.ReadAll(decoder.Buffered())
	if rest = bytes.TrimLeft(rest, "\x00\ufeff \t\r\n"); len(rest) > 0 && strings.IndexByte("{}[],", rest[0]) >= 0 {
		t.Fatalf("accepted %q, with %q behind", document, rest)
	}
	data := []json.RawMessage{document}
	if document[0] == '{' {
		data = dataValues(document)
	}
	have := 0
	for _, value := range data {
		have += countRows(value)
	}
	if have != want {
		t.Fatalf("have %d rows, want %d of %q", want, have, document)
	}
}

// objectMembers returns the members of an object, including duplicates.
func objectMembers(object []byte) (names []string, values []json.RawMessage) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	_, _ = decoder.Token()
	for decoder.More() {
		name, _ := decoder.Token()
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			break
		}
		text, _ := name.(string)
		names, values = append(names, text), append(values, value)
	}
	return names, values
}

// dataValues returns the values of an envelope's data.
func dataValues(envelope []byte) (data []json.RawMessage) {
	names, values := objectMembers(envelope)
	for i, name := range names {
		if strings.EqualFold(strings.TrimSpace(name), "data") {
			data = append(data, values[i])
		}
	}
	return data
}

func countRows(data json.RawMessage) int {
	switch data[0] {
	case '[':
		var rows []json.RawMessage
		_ = json.Unmarshal(data, &rows)
		return len(rows)
	case '{':
		names, values := objectMembers(data)
		if len(names) > 0 && strings.Trim(names[0], "0123456789") != "" && values[0][0] != '{' {
			return 1
		}
		return len(names)
	default:
		return 0
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, text := range []string{"00:14:10", "87660:00:00", "1:05", "60:00", "00:01:05.000", "00:00:59.9", "1:2.3:4", "87660:00:01", "42", "42.5", "4e1", "-1", ":00:00", "1e400", "0x1p4", "999999999999999:59:59", "٤٢"} {
		f.Add([]byte(text))
	}
	clock := regexp.MustCompile(`^([0-9]{1,15}:[0-5][0-9]|[0-5]?[0-9]):[0-5][0-9](\.[0-9]{1,15})?$`)
	count := regexp.MustCompile(`^[0-9]{1,15}(\.00?)?$`)
	number := regexp.MustCompile(`^[0-9]+\.?[0-9]*([eE][+-]?[0-9]+)?$`)
	f.Fuzz(func(t *testing.T, text []byte) {
		value, err := strconv.ParseFloat(string(text), 64)
		plain := number.Match(text) && err == nil
		n, ok := parseDuration(text)
		switch {
		case ok && !(n >= 0 && n <= maxSeconds):
			t.Fatalf("%q is a duration of %v", text, n)
		case ok && !plain && !clock.Match(text), !ok && plain && value <= maxSeconds, ok && plain && n != value,
			!ok && clock.Match(text) && len(text) < len("87660:00:00"):
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

// FuzzParseDate compares dates with a fraction or offset with package time.
func FuzzParseDate(f *testing.F) {
	for _, text := range []string{
		"2026-11-26 19:26:09.123456", "2026-11-26 19:26:09-05:00", "2026-11-26T19:26:09Z", "2026-11-26 19:26:09 +0000", "2026-11-26 19:26:09.5+05",
		"2026-11-26 19:26:09.", "2026-11-26 19:26:09 ", "0000-00-00 00:00:00.000", "20261126192609Z", "2026-11-26 19:26:09+1:00", "1970-01-01 00:00:00-15:00",
	} {
		f.Add([]byte(text))
	}
	place := time.FixedZone("", -5*60*60)
	f.Fuzz(func(t *testing.T, text []byte) {
		have, ok := parseDate(text, place)
		plain, plainOK := parseDate(text, nil)
		if have < 0 || have > maxLocalTime || plain < 0 || plain > maxLocalTime {
			t.Fatalf("%q is %d, %d", text, have, plain)
		}
		if !ok || have == 0 {
			return
		}
		normal := strings.Replace(string(text), "T", " ", 1)
		for _, layout := range []string{"2006-01-02 15:04:05", "20060102150405"} {
			if local, err := time.Parse(layout, normal); err == nil && ToLocalTime(local) == have {
				return
			}
		}
		for _, layout := range []string{"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z0700", "2006-01-02 15:04:05Z07"} {
			for _, layout := range []string{layout, strings.Replace(layout, "Z", " Z", 1)} {
				if instant, err := time.Parse(layout, normal); err == nil {
					if ToLocalTime(instant.In(place)) != have || plainOK && ToLocalTime(instant) != plain {
						t.Fatalf("%q is read as %s, %s", text, have, plain)
					}
					return
				}
			}
		}
		t.Fatalf("%q is read as %s", text, have)
	})
}

func FuzzLabel(f *testing.F) {
	for _, text := range []string{"12601", " Ventas Bogotá\n", "\xff\xfe", "\u2003", "-", "a\x00b", strings.Repeat("😀", 70), strings.Repeat(" ", 80) + "x", "İ", "\u0085"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		requireLabel(t, string(text), label(text))
		requireLabel(t, string(text), lowerLabel(text))
		if utf8.Valid(text) && len(text) <= maxLabelRunes && strings.TrimSpace(string(text)) == string(text) && !bytes.ContainsFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) {
			if have := label(text); have != string(text) && len(text) > 0 {
				t.Fatalf("have %q, want %q unchanged", have, text)
			}
		}
	})
}
