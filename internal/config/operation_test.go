package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	_ "time/tzdata"
)

// validOperation returns a valid operation.
func validOperation() Operation {
	return Operation{Server: "0042", Token: "secret", TimeZone: "America/Bogota"}
}

func TestResolve_NamesOperation(t *testing.T) {
	for _, test := range []struct {
		name, server, url string
		wantName, wantURL string
	}{
		{"", "0042", "", "wv0042", "https://wv0042.wolkvox.com"},
		{"", "0042", "http://127.0.0.1:8080", "wv0042", "http://127.0.0.1:8080"},
		{"", "", "http://127.0.0.1:8080/below", "127.0.0.1:8080", "http://127.0.0.1:8080/below"},
		{"sales", "0042", "", "sales", "https://wv0042.wolkvox.com"},
	} {
		operation := validOperation()
		operation.Name, operation.Server, operation.URL = test.name, test.server, test.url
		have, err := operation.Resolve()
		if err != nil || have.Name != test.wantName || have.Base.String() != test.wantURL || have.Operation.Server != test.server {
			t.Errorf("%+v: have %+v and error %v", test, have, err)
		}
	}
}

func TestResolve_SetsZoneAndToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(" from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ token, file, want string }{{"secret", "", "secret"}, {"", file, "from-file"}, {"secret", file, "from-file"}} {
		operation := validOperation()
		operation.Token, operation.TokenFile = test.token, test.file
		have, err := operation.Resolve()
		if err != nil {
			t.Fatal(err)
		}
		if have.Zone.String() != "America/Bogota" {
			t.Errorf("have zone %s", have.Zone)
		}
		if token, err := have.Token(); err != nil || token != test.want {
			t.Errorf("have token %q and error %v, want %q", token, err, test.want)
		}
	}
}

func TestResolve_ReportsMistakesWithoutSecrets(t *testing.T) {
	for _, test := range []struct {
		change func(*Operation)
		names  string
	}{
		{func(o *Operation) { o.Server = "" }, "--wolkvox.server"},
		{func(o *Operation) { o.Server = "wv0042" }, "--wolkvox.server"},
		{func(o *Operation) { o.URL = "wv0042.wolkvox.com" }, "--wolkvox.url"},
		{func(o *Operation) { o.URL = "http://:80" }, "--wolkvox.url"},
		{func(o *Operation) { o.URL = "ftp://user:secret@127.0.0.1" }, "--wolkvox.url"},
		{func(o *Operation) { o.URL = "http://user:secret@127.0.0.1:%zz" }, "--wolkvox.url"},
		{func(o *Operation) { o.URL = "http://127.0.0.1?token=secret" }, "--wolkvox.url"},
		{func(o *Operation) { o.Token = "" }, "WOLKVOX_TOKEN"},
		{func(o *Operation) { o.Token = "secret secret" }, "WOLKVOX_TOKEN"},
		{func(o *Operation) { o.TokenFile = "file" }, "--wolkvox.token-file"},
		{func(o *Operation) { o.Token, o.TokenFile = "", "no/such/file" }, "no/such/file"},
		{func(o *Operation) { o.TimeZone = "" }, "--wolkvox.timezone"},
		{func(o *Operation) { o.TimeZone = "Local" }, "--wolkvox.timezone"},
		{func(o *Operation) { o.TimeZone = "America/Bogotá" }, "--wolkvox.timezone"},
	} {
		operation := validOperation()
		test.change(&operation)
		_, err := operation.Resolve()
		if err == nil || !strings.Contains(err.Error(), test.names) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: have error %v, want one that names %s", operation, err, test.names)
		}
	}
}
