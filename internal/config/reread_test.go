package config

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestTarget_HasProblemUntilFilesAreValid(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("wolkvox.yml", `operations:
- {name: good, server: "1", token: t}
- name: bad
  server: "2"
  token_file: bad.token
  http_config: {tls_config: {ca_file: ca.pem}, http_headers: {X-A: {files: [header]}}}
`)
	targets, err := Load(t.Context(), "wolkvox.yml", defaults())
	if err != nil || len(targets) != 2 || targets[0].Problem != nil {
		t.Fatalf("have %v and error %v, want two operations, the first without a problem", targets, err)
	}
	bad := &targets[1]
	const token, ca, header = `wolkvox.yml:5: operations[1].token_file: reading the token file "bad.token": no such file or directory`,
		`wolkvox.yml:6: operations[1].http_config.tls_config.ca_file: "ca.pem": no such file or directory`,
		`wolkvox.yml:6: operations[1].http_config.http_headers.X-A.files: "header": `
	for _, step := range []struct{ file, text, key, want string }{
		{"", "", "token_file", token + "\n" + header + "no such file or directory\n" + ca},
		{"bad.token", "token", "http_config.http_headers.X-A.files", header + "no such file or directory\n" + ca},
		{"header", "two\nlines", "http_config.http_headers.X-A.files", header + "the value must be one line\n" + ca},
		{"header", "one\n", "http_config.tls_config.ca_file", ca},
		{"ca.pem", "none", "http_config.tls_config", "wolkvox.yml:6: operations[1].http_config.tls_config: unable to use specified CA cert file ca.pem"},
	} {
		if step.file != "" {
			write(step.file, step.text)
			bad.Reread()
		}
		if bad.Problem == nil || bad.Problem.Key != step.key || bad.Problem.Error() != step.want {
			t.Errorf("%s: have the problem %+v, want %s: %s", step.file, bad.Problem, step.key, step.want)
		}
		if failure, ok := errors.AsType[*FileError](Problems(targets)); !ok || failure.Error() != step.want {
			t.Errorf("have %v", failure)
		}
	}
	write("wolkvox.yml", `operations: [{name: bad, server: "2", token_file: bad.token}]`)
	if err := os.Remove(filepath.Clean("bad.token")); err != nil {
		t.Fatal(err)
	}
	targets, err = Load(t.Context(), "wolkvox.yml", defaults())
	if err != nil || targets[0].Problem == nil {
		t.Fatalf("have %v and error %v", targets, err)
	}
	write("bad.token", "token")
	targets[0].Reread()
	if targets[0].Problem != nil || Problems(targets) != nil {
		t.Errorf("have %v after the file is right", targets[0].Problem)
	}
}
