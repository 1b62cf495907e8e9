package test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// leakyServer answers each request with another of leakyResponses once it starts leaking,
// and with valid responses before and after that.
type leakyServer struct {
	valid       http.Handler
	leaking     atomic.Bool
	unsolicited atomic.Int64
	requests    atomic.Int64
}

func (s *leakyServer) startLeaking() { s.leaking.Store(true) }

// isDone reports whether all leaky and unsolicited responses have been sent.
func (s *leakyServer) isDone() bool {
	return int(s.requests.Load()) > len(leakyResponses)+unsolicitedCount
}

// ServeHTTP implements http.Handler.
func (s *leakyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Customer", secretName)
	w.Header().Set("Set-Cookie", "token="+secretToken)
	if strings.HasPrefix(r.URL.Path, "/moved") {
		rawAndHangUp("HTTP/1.1 "+secretPhone+" "+secretName)(w, r)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/information.php") {
		informationResponse(w, r)
		return
	}
	if s.leaking.Load() {
		if n := int(s.requests.Add(1)) - 1; n < len(leakyResponses) {
			leakyResponses[n](w, r)
			return
		}
	}
	s.valid.ServeHTTP(w, r)
}

const secretRow = `{"conn_id":"` + secretConn + `","session_id":"` + secretSession + `","customer_name":"` + secretName + `","customer_phone":"` + secretPhone +
	`","customer_email":"` + secretEmail + `","customer_id":"` + secretID + `","agent_name":"` + secretAgent + `"`

var secrets = strings.Join([]string{secretName, secretPhone, secretEmail, secretID, secretToken, secretAgent}, " ")

// leakyResponses have personal data and the token in the wrong places.
var leakyResponses = []http.HandlerFunc{
	// Pages and messages of errors.
	respondWith(500, "text/html", "<h1>Error while serving "+secrets+"</h1>"),
	respondWith(403, "text/html", "<h1>Forbidden for "+secrets+"</h1>"),
	respondWith(200, "text/html", "<form><input name=phone value="+secretPhone+"></form>"),
	respondWith(404, "text/html", "<h1>No customer "+secrets+"</h1>"),
	respondWith(403, "application/json", `{"code":403,"error":"`+secrets+`","msg":"no chats of `+secrets+` today","data":[]}`),
	respondWith(400, "application/json", `{"code":"400","error":"`+secrets+`","msg":"`+secrets+`","data":["`+secretPhone+`"]}`),
	respondWith(200, "application/json", `{"code":500,"error":"`+secrets+`","msg":"`+secrets+`","data":null}`),
	respondWith(200, "application/json", `{"code":"`+secretPhone+`","msg":"`+secrets+`","data":[]}`),
	respondWith(200, "application/json", `{"code":200,"msg":"`+secrets+`","data":"`+secretPhone+`"}`),
	respondWith(200, "application/json", `{"code":200,"`+secretPhone+`":1,"`+secretPhone+`":2,"data":[]}`),
	respondWith(200, "application/json", `<b>Warning</b>: `+secretName+` in <b>`+secretToken+`</b> {"code":200,"data":[]}`),

	// JSON that breaks at the wrong place.
	respondWith(200, "application/json", `{"code":200,"data":[`+secretRow[:len(secretRow)-5]),
	respondWith(200, "application/json", `{"code":200,"data":[`+secretRow+`,"`+secretPhone+`":1,"`+secretPhone+`":2}]}`),
	respondWith(200, "application/json", `{"code":200,"data":[`+secretRow+`,`+secretName+`}]}`),
	respondWith(200, "application/json", `{"code":200,"data":[`+secretRow+"}"+`]} `+secrets),

	// Redirects, whose addresses are in Go's errors.
	redirect("http://localhost.invalid/?wolkvox-token=" + secretToken + "&phone=" + secretPhone),
	redirect("/moved/" + secretPhone + "?wolkvox-token=" + secretToken),
	redirect("http://[" + secretToken + secretPhone),
	redirect("//" + secretToken + "%zz" + secretPhone),

	// HTTP that breaks, in words that Go quotes.
	rawAndHangUp("HTTP/1.1 " + secretPhone + " " + secretName),
	rawAndHangUp("SMTP " + secretName + " " + secretToken),
	rawAndHangUp("HTTP/1.1 200 OK\r\n" + secretName + " " + secretToken + "\r\n"),
	rawAndHangUp("HTTP/1.1 200 OK\r\nContent-Length: " + secretPhone + "x"),
	rawAndHangUp("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + secretPhone),
	rawAndHangUp("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + secretPhone + "q"),
	rawAndHangUp("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 400\r\n\r\n" + secrets),

	// Bytes before, inside and behind a response, on a connection that is kept.
	rawAndKeepOpen("HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n" + `{"code":200,"data":[]}` + secrets),
	rawAndKeepOpen("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" + `{"code":200,"data":[` + secretRow + "}]}"),
	rawAndKeepOpen("HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n" + `{"code":200,"data":[]}` + "HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + `{"code":200,"data":[` + secretRow + "}]}"),
	rawAndKeepOpen("HTTP/1.1 204 No Content\r\n\r\n" + secrets),
	rawAndKeepOpen("HTTP/1.1 304 Not Modified\r\n\r\n" + secrets),
	rawAndKeepOpen("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + secretName + "\r\n\r\n" + secrets),
	rawAndKeepOpen("HTTP/1.1 103 Early Hints\r\nLink: " + secretName + "\r\n\r\n" + secrets),
	rawAndKeepOpen("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n16;" + secretPhone + "\r\n" + `{"code":200,"data":[]}` + "\r\n0\r\nX-Customer: " + secretPhone + "\r\n\r\n" + secrets),
	rawAndKeepOpen("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n16\r\n" + `{"code":200,"data":[]}` + secrets),
	rawAndKeepOpen("HTTP/1.1 407 " + secretName + "\r\nProxy-Authenticate: Basic realm=" + secretToken + "\r\nContent-Length: 0\r\n\r\n"),

	// Rows with the right values in the wrong fields.
	respondWith(200, "application/json", `{"code":200,"data":["`+secretPhone+`",["`+secretName+`"],`+
		secretRow+`,"start_date":"`+secretName+`","end_date":"`+secretEmail+`"},`+
		secretRow+`,"start_date":"2026-01-02 03:04:05","end_date":"`+secretPhone+`"},`+
		secretRow+`,"channel":{"`+secretPhone+`":"`+secretName+`"}},`+
		`{"`+secretName+`":"`+secretPhone+`"}]}`),
	chatWithText(secretPhone),
	chatWithText(secretName),
	chatWithText(secretEmail),
	chatWithText(secretToken),
}

// informationResponse answers routing_points and token_info, with additional values.
var informationResponse = respondWith(200, "application/json", `{"code":200,"error":"`+secrets+`","msg":"`+secrets+`","data":[`+
	secretRow+`},"`+secretPhone+`",{"rp_id":1101,"rp_name":"Ventas","description":"`+secrets+`","last_use":"`+secretPhone+`","`+secretName+`":{"rp_name":"`+secretName+`"},`+
	`"token_limit":"`+secretName+`","token_use_today":"`+secretPhone+`","all_token_today":"12","available_consumption_options":"988"}]}`)

// chatWithText answers with an ended chat that has the same text in every field but rp_id
// and channel, which are labels.
func chatWithText(text string) http.HandlerFunc {
	row := `{"conn_id":"` + text + `","session_id":"` + text + `","rp_id":"1101","channel":"web","end_date":"2199-01-02 03:04:05"`
	for _, field := range []string{"start_date", "time_on_chatbot", "times_chatted", "go_to_agent", "time_with_agent", "total_time", "asa", "last_sender", "agent_id"} {
		row += `,"` + field + `":"` + text + `"`
	}
	return respondWith(200, "application/json", `{"code":200,"msg":"`+text+`","data":[`+row+`}]}`)
}

func respondWith(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	}
}

// rawAndKeepOpen sends an invalid response, and keeps the connection until the client
// closes it.
func rawAndKeepOpen(response string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer connection.Close()
		_, _ = io.WriteString(connection, response+"\r\n\r\n")
		_, _ = io.Copy(io.Discard, connection)
	}
}

// unsolicitedCount is the number of responses that are sent before a request.
const unsolicitedCount = 5

// serve starts a server. After all leaky responses it sends unsolicited ones on new connections.
func (s *leakyServer) serve(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(s)
	server.Config.ConnState = func(connection net.Conn, state http.ConnState) {
		if state == http.StateNew && s.requests.Load() >= int64(len(leakyResponses)) && s.unsolicited.Add(1) <= unsolicitedCount {
			_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"+secrets)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// rawAndHangUp sends an invalid response and closes the connection.
func rawAndHangUp(response string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer connection.Close()
		_, _ = io.WriteString(connection, response+"\r\n\r\n")
	}
}
