package test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

func TestServe_RequiresPasswordOfWebConfig(t *testing.T) {
	t.Parallel()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken})
	defer server.Close()
	// The password is "open sesame".
	config := writeFile(t, "basic_auth_users:\n  prometheus: $2a$04$TuxBOi6odNSQf8a8eBp6MOVnUnIvO0lAshx.qtzigPg7/zdKEu9iW\n")
	e := pollCommand(server, "--storage.path=", "--web.config.file="+config).start(t)
	for _, page := range []string{"/metrics", "/", "/-/ready", "/-/healthy"} {
		for _, test := range []struct {
			name   string
			header []string
			want   func(status int) bool
		}{
			{"unknown", nil, func(status int) bool { return status == http.StatusUnauthorized }},
			{"a wrong password", []string{"Authorization", "Basic cHJvbWV0aGV1czp3cm9uZw=="}, func(status int) bool { return status == http.StatusUnauthorized }},
			{"the password", []string{"Authorization", "Basic cHJvbWV0aGV1czpvcGVuIHNlc2FtZQ=="}, func(status int) bool { return status != http.StatusUnauthorized }},
		} {
			status, body, err := e.get(page, test.header...)
			if err != nil {
				t.Fatal(err)
			}
			if !test.want(status) {
				t.Errorf("%s with %s: have status %d", page, test.name, status)
			}
			if status == http.StatusUnauthorized && strings.Contains(body, "wolkvox") {
				t.Errorf("%s with %s: have %q", page, test.name, body)
			}
		}
	}
}
