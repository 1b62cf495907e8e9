package web

import (
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
)

func TestLanding_IsJSONIfAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handler(inZone(t, polled("wv0042"), "America/Bogota"), with(polled("other"), failing), status.Snapshot{Operation: "new"})
		request := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		request.Header.Set("Accept", "application/json")
		recorder := httptest.NewRecorder()
		h.ServeHTTP(recorder, request)
		want := `{"version":"wolkvox_exporter 1.2.3","now":"2000-01-01T00:00:00Z","operations":[` +
			`{"name":"wv0042","time_zone":"America/Bogota","state":"up","up":true,"ready":true,"last_poll":"1999-12-31T23:57:00Z","complete_until":"1999-12-31T23:57:00Z","next_poll":"2000-01-01T00:02:00Z",` +
			`"rows":{"changed":0,"completed":0,"counted":12,"duplicate":30,"expired":0,"invalid":0,"seeded":0,"unfinished":0}},` +
			`{"name":"other","state":"failing","up":false,"ready":true,"last_poll":"1999-12-31T23:57:00Z","complete_until":"1999-12-31T23:57:00Z","next_poll":"2000-01-01T00:02:00Z",` +
			`"rows":{"changed":0,"completed":0,"counted":12,"duplicate":30,"expired":0,"invalid":0,"seeded":0,"unfinished":0},` +
			`"failure":{"result":"token_rejected","explanation":"token_rejected: the API refuses the token: it is wrong, expired or of another operation","since":"1999-12-31T23:58:30Z"},"last_failure":{"at":"1999-12-31T23:59:30Z","result":"token_rejected"}},` +
			`{"name":"new","state":"first poll under way","up":false,"ready":false,` +
			`"rows":{"changed":0,"completed":0,"counted":0,"duplicate":0,"expired":0,"invalid":0,"seeded":0,"unfinished":0}}]}` + "\n"
		if have := recorder.Body.String(); have != want {
			t.Errorf("have %s\nwant %s", have, want)
		}
		if have := recorder.Header(); have.Get("Content-Type") != "application/json" || have.Get("Vary") != "Accept" {
			t.Errorf("have header %v", have)
		}
		for _, accept := range []string{"", "text/html,application/xhtml+xml,*/*;q=0.8", "*/*"} {
			request.Header.Set("Accept", accept)
			recorder := httptest.NewRecorder()
			h.ServeHTTP(recorder, request)
			if !strings.Contains(recorder.Body.String(), "</html>") {
				t.Errorf("Accept %q: have %.60q, want the page", accept, recorder.Body)
			}
		}
	})
}
