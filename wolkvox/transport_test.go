package wolkvox

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func gzipText(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestClient_ReadsGzip(t *testing.T) {
	body := report(slices.Repeat([]string{rowWith()}, 500)...)
	packed := gzipText(t, body)
	serve := func(packed []byte, limit int64) answer {
		head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", len(packed))
		return askAt(t.Context(), t, wireBase, newRawTransport(t, head+string(packed)), withMaxBody(limit))
	}
	if have := serve(packed, maxBody); have.err != nil || len(have.chats) != 500 {
		t.Errorf("have %d chats, %v", len(have.chats), have.err)
	}
	// The limit applies to the decompressed size.
	if have := serve(packed, int64(len(body))-1); have.failure() != TooLarge {
		t.Errorf("with a small limit: have %v", have.err)
	}
	for name, c := range map[string]struct {
		packed []byte
		want   Result
	}{
		"no gzip":        {[]byte(body), Malformed},
		"a wrong block":  {slices.Concat(packed[:12], bytes.Repeat([]byte{0xff}, 40), packed[52:]), Malformed},
		"a wrong sum":    {slices.Concat(packed[:len(packed)-8], make([]byte, 8)), Malformed},
		"a cut stream":   {packed[:len(packed)/2], Network},
		"nothing at all": {nil, Malformed},
	} {
		if have := serve(c.packed, maxBody); have.failure() != c.want {
			t.Errorf("%s: have %s (%v), want %s", name, have.request.Result, have.err, c.want)
		}
	}
}

func TestClient_BrokenConnectionIsNetwork(t *testing.T) {
	body := report(rowWith(), rowWith())
	half := body[:len(body)*3/4]
	for name, c := range map[string]struct {
		text  string
		chats int
	}{
		"before the answer":      {"", 0},
		"in the status line":     {"HTTP/1.1 20", 0},
		"in the headers":         {"HTTP/1.1 200 OK\r\nDate: ", 0},
		"in the body":            {fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), half), 1},
		"in a chunk":             {fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s", len(body), half), 1},
		"before the last chunk":  {fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(body), body), 2},
		"in a chunk's size":      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + sampleName, 0},
		"with an empty body":     {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", 0},
		"in the body of a 404":   {"HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\n<ht", 0},
		"in the body of a 404, ": {"HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\n{", 0},
	} {
		have := askAt(t.Context(), t, wireBase, newRawTransport(t, c.text))
		if have.failure() != Network || len(have.chats) != c.chats {
			t.Errorf("%s: have %d chats, %s (%v)", name, len(have.chats), have.request.Result, have.err)
		}
		wantNoPersonalData(t, have.err)
	}
}

func TestRedact_QuotesNoForeignProtocol(t *testing.T) {
	for _, text := range []string{
		"SSH-2.0-" + sampleName + "\r\n", sampleName + "\r\n\r\n", "HTTP/1.1 " + sampleName + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\n" + sampleName + "\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: " + sampleName + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + sampleName + "\r\n\r\n",
		"HTTP/1.1 302 Found\r\nLocation: https://" + sampleName + ":x%zz/\r\n\r\n",
	} {
		have := askAt(t.Context(), t, wireBase, newRawTransport(t, text))
		if have.failure() != Network {
			t.Errorf("%q: have %s (%v)", text, have.request.Result, have.err)
		}
		wantNoPersonalData(t, have.err)
	}
	for _, location := range []string{"http://" + samplePhone + ".example.com/", "/" + sampleName} {
		have := askAt(t.Context(), t, wireBase, newRawTransport(t, "HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: "+location+"\r\n\r\n"))
		wantNoPersonalData(t, have.err)
	}
}

func TestRedact_KeepsAddressOfRefusedConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	have := askAt(t.Context(), t, &url.URL{Scheme: "http", Host: address}, transport)
	if have.failure() != Network || !strings.Contains(have.err.Error(), address) {
		t.Errorf("have %v, want %s in it", have.err, address)
	}
}

func TestClient_VerifiesTLS(t *testing.T) {
	quiet := log.New(io.Discard, "", 0)
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the token was sent to an unverified server") })
	secure := httptest.NewUnstartedServer(handler)
	secure.Config.ErrorLog = quiet
	secure.StartTLS()
	defer secure.Close()
	plain := httptest.NewServer(handler)
	defer plain.Close()
	for address, want := range map[string]string{
		secure.Listener.Addr().String(): "certificate",
		plain.Listener.Addr().String():  "does not speak TLS",
	} {
		transport := &http.Transport{}
		have := askAt(t.Context(), t, &url.URL{Scheme: "https", Host: address}, transport)
		transport.CloseIdleConnections()
		if have.failure() != Network || !strings.Contains(have.err.Error(), want) {
			t.Errorf("have %v, want %q in it", have.err, want)
		}
	}
}

func TestRedact_QuotesNoGreeting(t *testing.T) {
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			_, _ = far.Read(make([]byte, 5000))
			_, _ = io.WriteString(far, "SSH-2.0-"+sampleName+"\r\n")
		}()
		return near, nil
	}}
	have := askAt(t.Context(), t, &url.URL{Scheme: "https", Host: "wolkvox.test"}, transport)
	if have.failure() != Network || !strings.Contains(have.err.Error(), "does not speak TLS") {
		t.Errorf("have %v", have.err)
	}
	wantNoPersonalData(t, have.err)
}
