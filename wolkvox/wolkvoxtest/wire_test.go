package wolkvoxtest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// endlessFaults are the faults whose response does not end.
var endlessFaults = []wolkvoxtest.Fault{
	wolkvoxtest.SwitchingProtocols, wolkvoxtest.DripInterim, wolkvoxtest.DripHeader, wolkvoxtest.DripBody, wolkvoxtest.DripError,
	wolkvoxtest.DripMissing, wolkvoxtest.DripExtension, wolkvoxtest.DripTrailer, wolkvoxtest.DripGzip,
}

// sendRequest sends a request on a new connection. It returns the response within a time,
// and a function that closes the connection.
func sendRequest(t *testing.T, s *wolkvoxtest.Server, during time.Duration) (got string, hangUp func()) {
	t.Helper()
	conn, err := s.DialContext(t.Context(), "tcp", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nwolkvox-token: secret\r\n\r\n", dayReport()); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(during)); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(conn)
	if err == nil {
		t.Error("the server has hung up")
	}
	return string(text), func() { _ = conn.Close() }
}

func TestFault_EndlessLastsUntilClientCloses(t *testing.T) {
	for _, fault := range endlessFaults {
		t.Run(fault.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{})
				defer s.Close()
				s.FailAlways(fault)
				short, hangUp := sendRequest(t, s, 10*time.Second)
				hangUp()
				long, hangUp := sendRequest(t, s, time.Hour)
				defer hangUp() // The server's end does so, too.
				if fault == wolkvoxtest.SwitchingProtocols {
					if short != long || !strings.HasPrefix(long, "HTTP/1.1 101 ") {
						t.Errorf("have %q", long)
					}
				} else if len(long) < len(short)+3000 {
					t.Errorf("have %d bytes in 10 seconds and %d in an hour", len(short), len(long))
				}
				if s.MaxInFlight() > 1 {
					t.Error("a request that the client has given up is in the way of the next")
				}
			})
		})
	}
}

func TestFault_BytesAfterResponse(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{Location: bogota})
	s.Add(answered(1, noon))
	for fault, rows := range map[wolkvoxtest.Fault]string{wolkvoxtest.Unasked: `"1001"`, wolkvoxtest.ShortLength: `{"code":200`} {
		s.FailNext(fault)
		text, hangUp := sendRequest(t, s, 200*time.Millisecond)
		hangUp()
		stream := bufio.NewReader(strings.NewReader(text))
		response, err := http.ReadResponse(stream, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || !strings.Contains(string(body), rows) {
			t.Errorf("%v: have %q, %v", fault, body, err)
		}
		behind, err := io.ReadAll(stream)
		if err != nil || !strings.Contains(string(behind), "customer_phone") {
			t.Errorf("%v: have %q behind it, %v", fault, behind, err)
		}
	}
}

func TestServer_CloseEndsEndlessResponse(t *testing.T) {
	for _, fault := range endlessFaults {
		s := wolkvoxtest.NewServer(wolkvoxtest.Config{})
		s.FailAlways(fault)
		ctx, cancel := context.WithCancel(t.Context())
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+dayReport(), nil)
		req.Header.Set("wolkvox-token", "secret")
		done := make(chan response)
		go func() { done <- do(s, req) }()
		for len(s.Requests()) == 0 || s.Requests()[0].Status == 0 {
			time.Sleep(time.Millisecond)
		}
		s.Close()
		cancel()
		<-done
	}
}
