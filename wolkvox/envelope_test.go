package wolkvox

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
)

func TestMembersOfTheEnvelopeComeInAnyOrder(t *testing.T) {
	members := []string{`"code": 200`, `"error": null`, `"msg": "1 records were found"`, `"data": [` + rowWith() + `]`, `"more": {"data": [1, {}]}`}
	for range 50 {
		rand.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		body := "{" + strings.Join(members, ", ") + "}"
		if have := decoded(t, body); len(have.chats) != 1 || have.err != nil || have.request.Result != OK {
			t.Fatalf("have %d chats, %v from %s", len(have.chats), have.err, body)
		}
	}
}

func TestEnvelopes(t *testing.T) {
	row := rowWith()
	for _, c := range []struct {
		name, body string
		rows       int
		want       Result
	}{
		{"code as a number", `{"code": 200, "data": [` + row + `]}`, 1, OK},
		{"code as a string", `{"code": "200", "data": [` + row + `]}`, 1, OK},
		{"code with spaces", `{"code": " 200 ", "data": [` + row + `]}`, 1, OK},
		{"no code", `{"data": [` + row + `]}`, 1, OK},
		{"byte-order mark", "\ufeff" + report(row, row), 2, OK},
		{"space around", " \r\n\t" + report(row) + "\r\n ", 1, OK},
		{"message in pieces", `{"code": 200, "msg": ["x", {"y": 1}], "error": {"z": []}, "data": [` + row + `]}`, 1, OK},
		{"data twice", `{"data": [` + row + `], "data": [` + row + `]}`, 2, OK},
		{"escaped name", `{"c\u006fde": 200, "d\u0061ta": [` + row + `]}`, 1, OK},

		{"data empty", `{"code": 200, "data": []}`, 0, Empty},
		{"data null", `{"code": 200, "data": null}`, 0, Empty},
		{"data absent", `{"code": 200, "error": null, "msg": "0 records were found"}`, 0, Empty},
		{"only data", `{"data": []}`, 0, Empty},
		{"code 404", `{"code": 404, "error": "x", "msg": "0 records were found", "data": null}`, 0, Empty},
		{"code 404 as a string", `{"code": "404"}`, 0, Empty},
		{"code 204", `{"code": 204, "data": []}`, 0, Empty},

		{"code 403 after rows", `{"data": [` + row + `], "code": 403, "msg": "PLEASE  VALIDATE TOKEN "}`, 1, TokenRejected},
		{"code that is a word", `{"code": "OK", "data": []}`, 0, Malformed},
		{"code null", `{"code": null, "data": []}`, 0, Malformed},
		{"code true", `{"code": true, "data": []}`, 0, Malformed},
		{"code with a fraction", `{"code": 200.5, "data": []}`, 0, Malformed},
		{"code that overflows", `{"code": 99999999999999999999, "data": []}`, 0, Malformed},
		{"code that is no status", `{"code": 99, "data": []}`, 0, Malformed},
		{"code beyond every status", `{"code": 600, "data": []}`, 0, Malformed},
		{"code below zero", `{"code": -200, "data": []}`, 0, Malformed},
		{"code of a success that is none", `{"code": 201, "data": []}`, 0, Malformed},
		{"code in an array", `{"code": [200], "data": []}`, 0, Malformed},
		{"data that is an object", `{"code": 200, "data": {"0": ` + row + `}}`, 0, Malformed},
		{"data that is a string", `{"code": 200, "data": "none"}`, 0, Malformed},
		{"data that is true", `{"code": 200, "data": true}`, 0, Malformed},
		{"neither code nor data", `{"error": null, "msg": "hello"}`, 0, Malformed},
		{"an empty object", `{}`, 0, Malformed},
		{"an array", `[` + row + `]`, 0, Malformed},
		{"null", `null`, 0, Malformed},
		{"a string", `"hello"`, 0, Malformed},
		{"nothing", ``, 0, Malformed},
		{"only a byte-order mark", "\ufeff", 0, Malformed},
		{"HTML", "<!DOCTYPE html><html><body>login</body></html>", 0, Malformed},
		{"PHP's warning ahead", "<br />\n<b>Warning</b>: Undefined array key\n" + report(row), 0, Malformed},
		{"PHP's warning as text ahead", "\nWarning: Undefined array key\n" + report(row), 0, Malformed},
		{"PHP's warning behind", report(row) + "\n<b>Warning</b>", 1, Malformed},
		{"a second document behind", report(row) + report(row), 1, Malformed},
		{"a NUL behind", report(row) + "\x00", 1, Malformed},
		{"a bracket behind", report(row) + "}", 1, Malformed},
		{"no comma between rows", `{"data": [` + row + " " + row + `]}`, 1, Malformed},
		{"a comma too many", `{"data": [` + row + `,]}`, 1, Malformed},
		{"no comma between members", `{"code": 200 "data": []}`, 0, Malformed},
		{"a number for a name", `{200: "code"}`, 0, Malformed},
		{"names without quotes", `{code: 200}`, 0, Malformed},
		{"a control character in a string", "{\"code\": 200, \"msg\": \"a\nb\"}", 0, Malformed},
		{"half a byte-order mark", "\xef\xbb" + report(row), 0, Malformed},
		{"UTF-16", "\xff\xfe{\x00}\x00", 0, Malformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			have := decoded(t, c.body)
			if have.rows() != c.rows || have.request.Result != c.want {
				t.Errorf("have %d rows, %s (%v), want %d, %s", have.rows(), have.request.Result, have.err, c.rows, c.want)
			}
			if failed := c.want != OK && c.want != Empty; failed != (have.err != nil) {
				t.Errorf("have the error %v with %s", have.err, c.want)
			}
		})
	}
}

func TestACodeInTheEnvelopeIsKept(t *testing.T) {
	var failure *Error
	if have := decoded(t, `{"code": "503", "msg": "x"}`); !errors.As(have.err, &failure) || failure.Status != http.StatusServiceUnavailable {
		t.Errorf("have %v, want status 503", have.err)
	}
}

func TestARowsPersonalDataIsNotInTheErrorOfABrokenReport(t *testing.T) {
	for _, body := range []string{
		`{"data": [{"customer_name": "` + canaryName + `" "customer_phone": "` + canaryPhone + `"`,
		`{"extra": {"` + canaryName + `": {"` + canaryPhone + `": x}}}`,
		`{"data": [{"customer": {"` + canaryName + `": {`,
		`{"code": "` + canaryName + `"}`,
		`{"code": "` + canaryPhone + `"}`,
		`{"code": ` + canaryPhone + `, "data": []}`,
		`{"code": 400, "msg": "` + canaryName + `"}`,
		`{"data": "` + canaryName + `"}`,
		canaryName,
		report(rowWith()) + canaryName,
	} {
		mustHideCanaries(t, decoded(t, body).err)
	}
}

func mustHideCanaries(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Error("have no error")
	}
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("have more than a line: %q", err)
		}
		for _, canary := range canaries {
			if strings.Contains(strings.ToLower(err.Error()), strings.ToLower(canary)) {
				t.Errorf("have %q in %q", canary, err)
			}
		}
	}
}
