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

// gossip answers with whatever a server can let slip, one indiscretion per
// request, and before and after that as it should.
type gossip struct {
	good    http.Handler
	begun   atomic.Bool
	blurted atomic.Int64
	heard   atomic.Int64
}

func (g *gossip) begin() { g.begun.Store(true) }

// told tells whether nothing is left to tell.
func (g *gossip) told() bool { return int(g.heard.Load()) > len(indiscretions)+blurts }

// ServeHTTP implements http.Handler.
func (g *gossip) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Customer", secretName)
	w.Header().Set("Set-Cookie", "token="+secretToken)
	if strings.HasPrefix(r.URL.Path, "/moved") {
		raw("HTTP/1.1 "+secretPhone+" "+secretName)(w, r)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/information.php") {
		information(w, r)
		return
	}
	if g.begun.Load() {
		if n := int(g.heard.Add(1)) - 1; n < len(indiscretions) {
			indiscretions[n](w, r)
			return
		}
	}
	g.good.ServeHTTP(w, r)
}

const secretRow = `{"conn_id":"` + secretConn + `","session_id":"` + secretSession + `","customer_name":"` + secretName + `","customer_phone":"` + secretPhone +
	`","customer_email":"` + secretEmail + `","customer_id":"` + secretID + `","agent_name":"` + secretAgent + `"`

var secrets = strings.Join([]string{secretName, secretPhone, secretEmail, secretID, secretToken, secretAgent}, " ")

// indiscretions are responses with personal data and the token where they do
// not belong.
var indiscretions = []http.HandlerFunc{
	// Pages and messages of errors.
	page(500, "text/html", "<h1>Error while serving "+secrets+"</h1>"),
	page(403, "text/html", "<h1>Forbidden for "+secrets+"</h1>"),
	page(200, "text/html", "<form><input name=phone value="+secretPhone+"></form>"),
	page(404, "text/html", "<h1>No customer "+secrets+"</h1>"),
	page(403, "application/json", `{"code":403,"error":"`+secrets+`","msg":"no chats of `+secrets+` today","data":[]}`),
	page(400, "application/json", `{"code":"400","error":"`+secrets+`","msg":"`+secrets+`","data":["`+secretPhone+`"]}`),
	page(200, "application/json", `{"code":500,"error":"`+secrets+`","msg":"`+secrets+`","data":null}`),
	page(200, "application/json", `{"code":"`+secretPhone+`","msg":"`+secrets+`","data":[]}`),
	page(200, "application/json", `{"code":200,"msg":"`+secrets+`","data":"`+secretPhone+`"}`),
	page(200, "application/json", `{"code":200,"`+secretPhone+`":1,"`+secretPhone+`":2,"data":[]}`),
	page(200, "application/json", `<b>Warning</b>: `+secretName+` in <b>`+secretToken+`</b> {"code":200,"data":[]}`),

	// JSON that breaks at the wrong place.
	page(200, "application/json", `{"code":200,"data":[`+secretRow[:len(secretRow)-5]),
	page(200, "application/json", `{"code":200,"data":[`+secretRow+`,"`+secretPhone+`":1,"`+secretPhone+`":2}]}`),
	page(200, "application/json", `{"code":200,"data":[`+secretRow+`,`+secretName+`}]}`),
	page(200, "application/json", `{"code":200,"data":[`+secretRow+"}"+`]} `+secrets),

	// Redirects, whose addresses are in Go's errors.
	redirect("http://localhost.invalid/?wolkvox-token=" + secretToken + "&phone=" + secretPhone),
	redirect("/moved/" + secretPhone + "?wolkvox-token=" + secretToken),
	redirect("http://[" + secretToken + secretPhone),
	redirect("//" + secretToken + "%zz" + secretPhone),

	// HTTP that breaks, in words that Go quotes.
	raw("HTTP/1.1 " + secretPhone + " " + secretName),
	raw("SMTP " + secretName + " " + secretToken),
	raw("HTTP/1.1 200 OK\r\n" + secretName + " " + secretToken + "\r\n"),
	raw("HTTP/1.1 200 OK\r\nContent-Length: " + secretPhone + "x"),
	raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + secretPhone),
	raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + secretPhone + "q"),
	raw("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 400\r\n\r\n" + secrets),

	// Bytes before, inside and behind a response, on a connection that is kept.
	kept("HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n" + `{"code":200,"data":[]}` + secrets),
	kept("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" + `{"code":200,"data":[` + secretRow + "}]}"),
	kept("HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n" + `{"code":200,"data":[]}` + "HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + `{"code":200,"data":[` + secretRow + "}]}"),
	kept("HTTP/1.1 204 No Content\r\n\r\n" + secrets),
	kept("HTTP/1.1 304 Not Modified\r\n\r\n" + secrets),
	kept("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + secretName + "\r\n\r\n" + secrets),
	kept("HTTP/1.1 103 Early Hints\r\nLink: " + secretName + "\r\n\r\n" + secrets),
	kept("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n16;" + secretPhone + "\r\n" + `{"code":200,"data":[]}` + "\r\n0\r\nX-Customer: " + secretPhone + "\r\n\r\n" + secrets),
	kept("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n16\r\n" + `{"code":200,"data":[]}` + secrets),
	kept("HTTP/1.1 407 " + secretName + "\r\nProxy-Authenticate: Basic realm=" + secretToken + "\r\nContent-Length: 0\r\n\r\n"),

	// Rows with the right values in the wrong fields.
	page(200, "application/json", `{"code":200,"data":["`+secretPhone+`",["`+secretName+`"],`+
		secretRow+`,"start_date":"`+secretName+`","end_date":"`+secretEmail+`"},`+
		secretRow+`,"start_date":"2026-01-02 03:04:05","end_date":"`+secretPhone+`"},`+
		secretRow+`,"channel":{"`+secretPhone+`":"`+secretName+`"}},`+
		`{"`+secretName+`":"`+secretPhone+`"}]}`),
	misplaced(secretPhone),
	misplaced(secretName),
	misplaced(secretEmail),
	misplaced(secretToken),
}

// information answers routing_points and token_info, with more than is asked for.
var information = page(200, "application/json", `{"code":200,"error":"`+secrets+`","msg":"`+secrets+`","data":[`+
	secretRow+`},"`+secretPhone+`",{"rp_id":1101,"rp_name":"Ventas","description":"`+secrets+`","last_use":"`+secretPhone+`","`+secretName+`":{"rp_name":"`+secretName+`"},`+
	`"token_limit":"`+secretName+`","token_use_today":"`+secretPhone+`","all_token_today":"12","available_consumption_options":"988"}]}`)

// misplaced answers with an ended chat that has the same text everywhere but in
// rp_id and channel, whose values are what is asked for.
func misplaced(text string) http.HandlerFunc {
	row := `{"conn_id":"` + text + `","session_id":"` + text + `","rp_id":"1101","channel":"web","end_date":"2199-01-02 03:04:05"`
	for _, field := range []string{"start_date", "time_on_chatbot", "times_chatted", "go_to_agent", "time_with_agent", "total_time", "asa", "last_sender", "agent_id"} {
		row += `,"` + field + `":"` + text + `"`
	}
	return page(200, "application/json", `{"code":200,"msg":"`+text+`","data":[`+row+`}]}`)
}

func page(status int, contentType, body string) http.HandlerFunc {
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

// kept answers with what no server should send, and keeps the connection until the
// client closes it.
func kept(response string) http.HandlerFunc {
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

// blurts are how often it speaks before it is spoken to.
const blurts = 5

// serve starts a server, which speaks first on connections that come when all else
// is told.
func (g *gossip) serve(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(g)
	server.Config.ConnState = func(connection net.Conn, state http.ConnState) {
		if state == http.StateNew && g.heard.Load() >= int64(len(indiscretions)) && g.blurted.Add(1) <= blurts {
			_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"+secrets)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// raw answers with what no server should send, and hangs up.
func raw(response string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer connection.Close()
		_, _ = io.WriteString(connection, response+"\r\n\r\n")
	}
}
