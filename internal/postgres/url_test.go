//go:build unix

package postgres

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseURL_ChoosesTLS(t *testing.T) {
	for text, want := range map[string]string{
		"postgres://u@db.example/w":                           "sslmode=verify-full",
		"postgresql://u@db.example:6432/w?sslmode=require":    "sslmode=require",
		"postgres://u@db.example/w?sslmode=disable":           "sslmode=disable",
		"postgres://u@127.0.0.1/w":                            "sslmode=disable",
		"postgres://u@localhost/w":                            "sslmode=disable",
		"postgres://u@[::1]:5432/w":                           "sslmode=disable",
		"postgres:///w?host=/run/postgresql":                  "",
		"postgres://u@/w?host=/run/postgresql":                "sslmode=disable",
		"postgres://u@/w?host=db.example":                     "sslmode=verify-full",
		"postgres://u@localhost/w?sslmode=verify-full":        "sslmode=verify-full",
		"postgres://u@localhost.example/w?sslrootcert=ca.pem": "sslmode=verify-full",
	} {
		complete, _, err := parseURL(text)
		if (err == nil) != (want != "") || !strings.Contains(complete, want) {
			t.Errorf("%s: have %q, %v, want %q", text, complete, err, want)
		}
	}
}

func TestCheckURL_RefusesWithoutQuoting(t *testing.T) {
	const secret = "hunter2"
	for text, want := range map[string]string{
		"postgres://u:" + secret + "@db.example/w":           "use --storage.password-file",
		"postgres://u@db.example/w?password=" + secret:       "use --storage.password-file",
		"postgres://u@db.example/w?sslpassword=" + secret:    "use --storage.password-file",
		"postgres://u:" + secret + "@db example/w":           "not a URL",
		"mysql://u@db.example/" + secret:                     "does not begin with postgres://",
		secret:                                               "does not begin with postgres://",
		"postgres://db.example/w":                            "needs a user, a host and a database",
		"postgres://u@db.example":                            "needs a user, a host and a database",
		"postgres://u@/w":                                    "needs a user, a host and a database",
		"postgres://u@db.example/w?sslmode=prefer":           `invalid sslmode "prefer" (allowed: verify-full, verify-ca, require, disable)`,
		"postgres://u@db.example/w?sslmode=allow":            `invalid sslmode "allow"`,
		"postgres://u@db.example/w?sslmode=":                 `invalid sslmode ""`,
		"postgres://u@db.example/w?target_session_attrs=any": `unknown parameter "target_session_attrs"`,
	} {
		err := CheckURL(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: have %v, want %q", text, err, want)
		}
	}
}

func TestOptions_ReadPasswordForEachConnection(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	passFile := filepath.Join(t.TempDir(), "pgpass")
	write(t, passFile, "db.example:5432:w:u:of-pgpass\n")
	if err := os.Chmod(passFile, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PGPASSFILE", passFile)
	t.Setenv("PGSSLMODE", "disable")
	o := Options{URL: "postgres://u@db.example/w"}
	check := func(want string) {
		t.Helper()
		config, err := o.config()
		if err != nil || config.Password != want {
			t.Errorf("have %v, %v, want %q", config, err, want)
		}
		if err == nil && (config.TLSConfig == nil || config.TLSConfig.ServerName != "db.example" || len(config.Fallbacks) > 0) {
			t.Errorf("have TLS %+v and fallbacks %v, want that of verify-full", config.TLSConfig, config.Fallbacks)
		}
	}
	check("of-pgpass")
	o.Password = "of-the-environment"
	check("of-the-environment")
	o.PasswordFile = file
	if _, err := o.config(); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), file) {
		t.Errorf("have %v, want the missing file", err)
	}
	write(t, file, "first\n")
	check("first")
	write(t, file, "second")
	check("second")
	write(t, file, "\n")
	if _, err := o.config(); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("have %v, want an error", err)
	}
}
