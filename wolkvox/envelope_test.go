package wolkvox

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
)

func TestEnvelope_MembersInAnyOrder(t *testing.T) {
	members := []string{`"code": 200`, `"error": null`, `"msg": "1 records were found"`, `"data": [` + rowWith() + `]`, `"more": {"data": [1, {}]}`}
	for range 50 {
		rand.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		body := "{" + strings.Join(members, ", ") + "}"
		if have := decodeBody(t, body); len(have.chats) != 1 || have.err != nil || have.request.Result != OK {
			t.Fatalf("have %d chats, %v from %s", len(have.chats), have.err, body)
		}
	}
}

func TestEnvelope_EveryForm(t *testing.T) {
	row := rowWith()
	foreign := `{"status": "UP", "service": "gateway"}`
	for _, c := range []struct {
		name, body string
		rows       int
		want       Result
	}{
		{"code as a number", `{"code": 200, "data": [` + row + `]}`, 1, OK},
		{"code as a string", `{"code": "200", "data": [` + row + `]}`, 1, OK},
		{"code with spaces", `{"code": " 200 ", "data": [` + row + `]}`, 1, OK},
		{"code with a fraction of 0", `{"code": "200.0", "data": [` + row + `]}`, 1, OK},
		{"code as a float", `{"code": 200.00, "data": [` + row + `]}`, 1, OK},
		{"code 201", `{"code": 201, "data": [` + row + `]}`, 1, OK},
		{"code 202", `{"code": "202", "data": [` + row + `]}`, 1, OK},
		{"code 204 with a row", `{"code": 204, "data": [` + row + `]}`, 1, OK},
		{"code 404 with a row", `{"code": 404, "data": [` + row + `]}`, 1, OK},
		{"code null", `{"code": null, "data": [` + row + `]}`, 1, OK},
		{"code empty", `{"code": "", "data": [` + row + `]}`, 1, OK},
		{"code blank", `{"code": " ", "data": [` + row + `]}`, 1, OK},
		{"no code", `{"data": [` + row + `]}`, 1, OK},
		{"members in capitals", `{"CODE": 200, "Error": null, "MSG": "x", "Data": [` + row + `]}`, 1, OK},
		{"members with space", `{"code ": 200, " data": [` + row + `]}`, 1, OK},
		{"space around", " \r\n\t" + report(row) + "\r\n ", 1, OK},
		{"message in pieces", `{"code": 200, "msg": ["x", {"y": 1}], "error": {"z": []}, "data": [` + row + `]}`, 1, OK},
		{"data twice", `{"data": [` + row + `], "data": [` + row + `]}`, 2, OK},
		{"escaped name", `{"c\u006fde": 200, "d\u0061ta": [` + row + `]}`, 1, OK},
		{"a control character in a string", "{\"code\": 200, \"msg\": \"a\nb\tc\x00\", \"data\": [" + row + "]}", 1, OK},

		{"data an object of rows", `{"code": 200, "data": {"0": ` + row + `, "2": ` + row + `}}`, 2, OK},
		{"data an object of a good row and a bad one", `{"code": 200, "data": {"0": "x", "2": ` + row + `}}`, 2, OK},
		{"data an object of bad rows", `{"code": 200, "data": {"0": "x", "2": {}}}`, 2, OK},
		{"data an object of rows by names", `{"code": 200, "data": {"a.b": ` + row + `, "c": 1}}`, 2, OK},
		{"data one row", `{"code": 200, "data": ` + row + `}`, 1, OK},
		{"a top-level array", `[` + row + `, ` + row + `]`, 2, OK},
		{"a top-level array with a bad row", `[ {}, ` + row + `]`, 2, OK},
		{"data an object that is no row", `{"code": 200, "data": ` + foreign + `}`, 1, Malformed},
		{"data objects that are no rows", `{"code": 200, "data": {"links": ` + foreign + `}}`, 1, Malformed},
		{"a top-level array of no rows", `[` + foreign + `]`, 1, Malformed},
		{"a top-level array of numbers", `[1, 2]`, 0, Malformed},
		{"an object with a name of more than 64 KiB", `{"data": {"` + tooLong("x") + `": ` + row + `}}`, 1, Malformed},

		{"data empty", `{"code": 200, "data": []}`, 0, Empty},
		{"data an object without members", `{"code": 200, "data": { }}`, 0, Empty},
		{"data null", `{"code": 200, "data": null}`, 0, Empty},
		{"data false", `{"code": 200, "data": false}`, 0, Empty},
		{"data an empty string", `{"code": 200, "data": ""}`, 0, Empty},
		{"data a blank string", `{"code": 200, "data": " "}`, 0, Empty},
		{"data absent", `{"code": 200, "error": null, "msg": "0 records were found"}`, 0, Empty},
		{"data and code absent", `{"msg": "0 records were found"}`, 0, Empty},
		{"only data", `{"data": []}`, 0, Empty},
		{"a top-level array without elements", ` [ ] `, 0, Empty},
		{"code null without rows", `{"code": null, "data": []}`, 0, Empty},
		{"code 0", `{"code": "0", "data": []}`, 0, Empty},
		{"code 201 without rows", `{"code": 201, "data": []}`, 0, Empty},
		{"code 204", `{"code": 204, "data": []}`, 0, Empty},
		{"code 404", `{"code": 404, "error": "x", "msg": "0 records were found", "data": null}`, 0, Empty},
		{"code 404 with a text", `{"code": "404", "msg": "NO RESULTS"}`, 0, Empty},
		{"a novel member", `{"code": 200, "error": null, "msg": "", "data": [], "paging": {}}`, 0, Empty},
		{"an error that is none", `{"code": 200, "error": " null ", "msg": "", "data": null}`, 0, Empty},
		{"an error that says nothing was found", `{"code": 200, "error": "No records found", "msg": "", "data": []}`, 0, Empty},
		{"an error beside no records", `{"code": 200, "error": "x", "msg": " 0 records were found", "data": []}`, 0, Empty},
		{"no records exist", `{"code": 200, "error": "No existen registros", "msg": "", "data": []}`, 0, Empty},

		{"an error without rows", `{"code": 200, "error": "Connection failed", "msg": "", "data": null}`, 0, ServerError},
		{"an error without rows or code", `{"error": "Connection failed", "msg": "", "data": []}`, 0, ServerError},
		{"an error with rows", `{"code": 200, "error": "Connection failed", "data": [` + row + `]}`, 1, OK},
		{"no such API", `{"code": 200, "error": null, "msg": "THE API YOU WANT TO CONSULT  DOES NOT EXIST", "data": []}`, 0, BadRequest},
		{"no such API, 404", `{"code": 404, "error": "La API no existe", "msg": "", "data": null}`, 0, BadRequest},
		{"parameters", `{"code": 200, "error": "Some parameters are required", "msg": "", "data": []}`, 0, BadRequest},
		{"parámetros", `{"code": 404, "error": "faltan par\u00e1metros", "data": []}`, 0, BadRequest},
		{"a refused token", `{"code": 200, "error": null, "msg": "PLEASE VALIDATE TOKEN", "data": []}`, 0, TokenRejected},
		{"a spent quota", `{"code": 200, "error": "TOKEN LIMIT EXCEEDED", "data": []}`, 0, QuotaExceeded},
		{"code 404 alone", `{"code": "404"}`, 0, BadRequest},
		{"code 404 of another", `{"code": 404, "error": "Not Found"}`, 0, BadRequest},
		{"code 404 of another with data", `{"code": 404, "message": "Not Found", "data": null}`, 0, BadRequest},
		{"code 403 after rows", `{"data": [` + row + `], "code": 403, "msg": "PLEASE  VALIDATE TOKEN "}`, 1, TokenRejected},

		{"code that is a word", `{"code": "OK", "data": []}`, 0, Malformed},
		{"code true", `{"code": true, "data": []}`, 0, Malformed},
		{"code with a fraction", `{"code": 200.5, "data": []}`, 0, Malformed},
		{"code that overflows", `{"code": 99999999999999999999, "data": []}`, 0, Malformed},
		{"code that is no status", `{"code": 99, "data": []}`, 0, Malformed},
		{"code beyond every status", `{"code": 600, "data": []}`, 0, Malformed},
		{"code below zero", `{"code": -200, "data": []}`, 0, Malformed},
		{"code of a success that is none", `{"code": 206, "data": []}`, 0, Malformed},
		{"code in an array", `{"code": [200], "data": []}`, 0, Malformed},
		{"data that is a string", `{"code": 200, "data": "none"}`, 0, Malformed},
		{"data that is true", `{"code": 200, "data": true}`, 0, Malformed},
		{"data that is a number", `{"code": 200, "data": 0}`, 0, Malformed},
		{"only a code", `{"code": 200}`, 0, Malformed},
		{"neither code nor data", `{"error": null, "msg": "hello"}`, 0, Malformed},
		{"another's JSON", `{"message": "no Route matched with those values"}`, 0, Malformed},
		{"another's status", `{"timestamp": "2026-11-26", "status": 404, "error": "Not Found", "path": "/api/v2"}`, 0, Malformed},
		{"another's data", `{"data": [], "links": {"self": "/"}}`, 0, Malformed},
		{"an empty object", `{}`, 0, Malformed},
		{"null", `null`, 0, Malformed},
		{"false", `false`, 0, Malformed},
		{"a string", `"hello"`, 0, Malformed},
		{"nothing", ``, 0, Malformed},
		{"space", " \n", 0, Malformed},
		{"HTML", "<!DOCTYPE html><html><body>login</body></html>", 0, Malformed},
		{"no comma between rows", `{"data": [` + row + " " + row + `]}`, 1, Malformed},
		{"a comma too many", `{"data": [` + row + `,]}`, 1, Malformed},
		{"no comma between members", `{"code": 200 "data": []}`, 0, Malformed},
		{"a number for a name", `{200: "code"}`, 0, Malformed},
		{"names without quotes", `{code: 200}`, 0, Malformed},
		{"UTF-16", "\xff\xfe{\x00}\x00", 0, Malformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			have := decodeBody(t, c.body)
			if have.rows() != c.rows || have.request.Result != c.want || have.request.ExtraText {
				t.Errorf("have %d rows, %s (%v), extra text %t, want %d, %s", have.rows(), have.request.Result, have.err, have.request.ExtraText, c.rows, c.want)
			}
			if failed := c.want != OK && c.want != Empty; failed != (have.err != nil) {
				t.Errorf("have the error %v with %s", have.err, c.want)
			}
		})
	}
}

func TestError_HasCodeOfEnvelope(t *testing.T) {
	var failure *Error
	if have := decodeBody(t, `{"code": "503", "msg": "x"}`); !errors.As(have.err, &failure) || failure.Status != http.StatusServiceUnavailable {
		t.Errorf("have %v, want status 503", have.err)
	}
}

func TestError_QuotesNoPersonalData(t *testing.T) {
	for _, body := range []string{
		`{"data": [{"customer_name": "` + sampleName + `" "customer_phone": "` + samplePhone + `"`,
		`{"extra": {"` + sampleName + `": {"` + samplePhone + `": x}}}`,
		`{"data": [{"customer": {"` + sampleName + `": {`,
		`{"code": "` + sampleName + `"}`,
		`{"code": "` + samplePhone + `"}`,
		`{"code": ` + samplePhone + `, "data": []}`,
		`{"code": 400, "msg": "` + sampleName + `"}`,
		`{"data": "` + sampleName + `"}`,
		sampleName,
		sampleName + "{",
		report(rowWith()) + "[" + sampleName,
		"<html>" + sampleName + report(),
		`{"code": 200, "error": "` + sampleName + `", "data": []}`,
		`{"data": {"` + sampleName + `": {"` + samplePhone + `": 1}}}`,
	} {
		wantNoPersonalData(t, decodeBody(t, body).err)
	}
}

func wantNoPersonalData(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Error("have no error")
	}
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("have more than a line: %q", err)
		}
		for _, canary := range personalValues {
			if strings.Contains(strings.ToLower(err.Error()), strings.ToLower(canary)) {
				t.Errorf("have %q in %q", canary, err)
			}
		}
	}
}
