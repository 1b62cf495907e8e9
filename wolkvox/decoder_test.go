package wolkvox

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

const phpWarning = "<br />\n<b>Warning</b>:  Undefined array key \"asa\" in <b>/var/www/api.php</b> on line <b>7</b><br />\n"

func TestDocument_AllowsSurroundingText(t *testing.T) {
	row, whole := rowWith(), report(rowWith())
	tooMuch := strings.Repeat("Notice: x\n", maxTokenLen/10+1)
	for _, c := range []struct {
		name, body string
		rows       int
		want       Result
		extra      bool
	}{
		{"a byte-order mark", "\ufeff" + whole, 1, OK, false},
		{"two byte-order marks", "\ufeff\ufeff" + whole, 1, OK, false},
		{"NULs before", "\x00\x00 " + whole, 1, OK, false},
		{"NULs behind", whole + "\x00\n\x00", 1, OK, false},
		{"a byte-order mark behind", whole + "\ufeff", 1, OK, false},
		{"filler before an array", "\ufeff\x00\n[" + row + "]", 1, OK, false},
		{"HTML warning before", phpWarning + whole, 1, OK, true},
		{"text warning before", "\nWarning: Undefined array key 1 in /var/www/api.php on line 7\n" + whole, 1, OK, true},
		{"a log's line before", "[26-Nov-2026 19:26:09 UTC] PHP Notice: x {y} [z]\n" + whole, 1, OK, true},
		{"braces before", `Notice: {} {"a": 1} {"code" {"code: ` + whole, 1, OK, true},
		{"a name in capitals", "x" + `{ "DATA ": [` + row + `]}`, 1, OK, true},
		{"nothing found behind a warning", phpWarning + `{"code": 200, "error": null, "msg": "0 records were found", "data": []}`, 0, Empty, true},
		{"warning behind", whole + "\n" + phpWarning, 1, OK, true},
		{"warnings on both sides", phpWarning + whole + phpWarning, 1, OK, true},
		{"braces behind", whole + `Notice: {"a": 1} []`, 1, OK, true},
		{"64 KiB before", strings.Repeat("x", maxTokenLen-len(`{"code": `)) + `{"code":200,"data":[` + row + `]}`, 1, OK, true},

		{"an error behind a warning", phpWarning + `{"code": 403, "msg": "PLEASE VALIDATE TOKEN"}`, 0, TokenRejected, true},
		{"more than 64 KiB before", tooMuch + whole, 0, Malformed, false},
		{"a page", "<html><script>x = " + whole + "</script></html>", 0, Malformed, false},
		{"a page's head", "x <HEAD >" + whole, 0, Malformed, false},
		{"a page's doctype", " <!DocType html>" + whole, 0, Malformed, false},
		{"a page's body", "<p><Body>" + whole, 0, Malformed, false},
		{"a page without a head", "<form>" + whole, 0, Malformed, false},
		{"rows behind a warning", phpWarning + "[" + row + "]", 0, Malformed, false},
		{"another object behind a warning", phpWarning + `{"message": "x", "data": []}`, 0, Malformed, false},
		{"only a warning", phpWarning, 0, Malformed, false},
		{"only byte-order marks", "\ufeff\ufeff", 0, Malformed, false},
		{"only NULs", "\x00\x00", 0, Malformed, false},
		{"a cut document behind a warning", phpWarning + whole[:len(whole)-1], 1, Malformed, false},
		{"a second document", whole + whole, 1, Malformed, false},
		{"a second document behind NULs", whole + "\x00" + whole, 1, Malformed, false},
		{"a second document behind a warning", whole + phpWarning + whole, 1, Malformed, false},
		{"another object", whole + "\n{}", 1, Malformed, false},
		{"an array behind", whole + "\n[]", 1, Malformed, false},
		{"a bracket behind", whole + "}", 1, Malformed, false},
		{"another bracket behind", whole + "]", 1, Malformed, false},
		{"a comma behind", whole + ",", 1, Malformed, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			have := decodeBody(t, c.body)
			if have.rows() != c.rows || have.request.Result != c.want || have.request.ExtraText != c.extra || have.response.ExtraText != c.extra {
				t.Errorf("have %d rows, %s (%v), extra text %t, %t", have.rows(), have.request.Result, have.err, have.request.ExtraText, have.response.ExtraText)
			}
			for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
				again := ask(t, roundTrip(func(r *http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(wrap(strings.NewReader(c.body))), Request: r}, nil
				}))
				if again.request.Result != have.request.Result || again.response != have.response || again.badRows != have.badRows || !slices.Equal(again.chats, have.chats) {
					t.Errorf("in pieces: have %d rows, %s (%v)", again.rows(), again.request.Result, again.err)
				}
			}
		})
	}
}

// A response that ends inside its document is cut, even if text precedes the document.
func TestDocument_CutBehindTextIsMalformed(t *testing.T) {
	body := "\ufeff" + phpWarning + report(rowWith()) + phpWarning
	document := len(body) - len(phpWarning)
	for n := range body {
		have := decodeBody(t, body[:n])
		if whole := n >= document; whole != (have.err == nil) || !whole && have.failure() != Malformed {
			t.Fatalf("cut to %d bytes of %d: have %d rows, %v", n, document, have.rows(), have.err)
		}
	}
}

func TestClient_LastResponse(t *testing.T) {
	for msg, want := range map[string]int{
		`"3 records were found"`: 3, `" 12 record  were found "`: 12, `"Se encontraron 60000 registros"`: 60000, `"0 records were found"`: 0,
		`"X records were found"`: -1, `""`: -1, `null`: -1, `7`: 7, `[7]`: -1, `"1234567890 records"`: -1, `"123456789 records"`: 123456789, `"chat_8: 5"`: 8,
	} {
		have := decodeBody(t, `{"code": 200, "msg": `+msg+`, "data": [`+rowWith()+`]}`)
		if have.response.Announced != want || have.response.ExtraText {
			t.Errorf("%s: have %+v, want %d", msg, have.response, want)
		}
	}
	// It is that of the chats.
	client := NewClient(anyBase, StaticToken("t"), WithTransport(roundTrip(func(r *http.Request) (*http.Response, error) {
		if bytes.Contains([]byte(r.URL.RawQuery), []byte("chat_8")) {
			return newResponder(http.StatusOK, `{"code": 200, "msg": "3 records", "data": []}`)(r)
		}
		return newResponder(http.StatusOK, `x{"code": 200, "msg": "5 records", "data": []}`)(r)
	})))
	if have := client.LastResponse(); have != (Response{Announced: -1}) {
		t.Errorf("have %+v before a request", have)
	}
	for chat, err := range client.Chats(t.Context(), anyWindow) {
		t.Errorf("have %+v, %v", chat, err)
	}
	if _, err := client.TokenInfo(t.Context()); err != nil || client.LastResponse() != (Response{Announced: 3}) {
		t.Errorf("have %+v, %v, want 3 announced", client.LastResponse(), err)
	}
	client.token = func() (string, error) { return "", io.ErrUnexpectedEOF }
	for _, err := range client.Chats(t.Context(), anyWindow) {
		if have := client.LastResponse(); err == nil || have != (Response{Announced: -1}) {
			t.Errorf("have %+v, %v without a response", have, err)
		}
	}
}

func TestDecode_ControlCharactersBesideEscapes(t *testing.T) {
	want := decodeOneRow(t, rowWith("channel", `"a\tb\nc\u00e1\\"`))
	if have := decodeOneRow(t, rowWith("channel", "\"a\tb\nc\\u00e1\\\\\"")); have != want {
		t.Errorf("have %q, want %q", have.Channel, want.Channel)
	}
	if have := decodeOneRow(t, rowWith("channel", "\"a\x00b\"")).Channel; have != "a\ufffdb" {
		t.Errorf("have %q of a NUL", have)
	}
}
