package wolkvoxtest

import (
	"net/http"
	"strings"
	"time"
)

// The messages of the vendor's table of errors.
const (
	msgNoSuchAPI  = "THE API YOU WANT TO CONSULT DOES NOT EXIST"
	msgParameters = "SOME PARAMETERS ARE REQUIRED"
	msgNoToken    = "PLEASE ENTER THE WOLKVOX-TOKEN"
	msgToken      = "PLEASE VALIDATE TOKEN"
	msgQuota      = "TOKEN LIMIT EXCEEDED"
	msgBusy       = "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)"
	msgNotFound   = "0 records were found"
)

// Where the faults that redirect lead to. What is asked for there is answered
// without a fault, so that a client that follows gets a correct report.
const (
	movedPath     = "/moved"
	elsewherePath = "/elsewhere"
	loginPath     = "/login.php"
)

const (
	reportsPath     = "/api/v2/reports_manager.php"
	informationPath = "/api/v2/information.php"
)

// call is one request on its way through the server.
type call struct {
	*Server
	w     http.ResponseWriter
	r     *http.Request
	now   time.Time
	path  string
	api   string
	token string
	entry *Request
	seat  bool // the token's place is taken
}

// Handler serves the API, for a server of one's own, such as one with TLS.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	c := &call{Server: s, w: w, r: r, now: s.cfg.Now(), token: r.Header.Get("wolkvox-token")}
	query := r.URL.Query()
	c.api = query.Get("api")
	w.Header().Set("Date", c.now.Add(time.Duration(s.dateOffset.Load())).UTC().Format(http.TimeFormat))

	var redirected bool
	c.path = r.URL.Path
	for _, prefix := range []string{movedPath, elsewherePath} {
		if rest, ok := strings.CutPrefix(c.path, prefix); ok {
			c.path, redirected = rest, true
		}
	}
	var fault Fault
	if !redirected {
		fault = s.faults.draw(c.path, c.api)
	}
	tokenOK := s.desk.accepts(c.token)
	c.entry = s.desk.open(Request{
		Time: c.now, Method: r.Method, Host: r.Host, Path: r.URL.Path, API: c.api,
		From: query.Get("date_ini"), To: query.Get("date_end"), TokenOK: tokenOK, Fault: fault,
	})
	if fault == Hang {
		c.hang()
		return
	}
	free := s.desk.enter(c.token)
	c.seat = true
	defer c.leave()

	spec := specOf(fault)
	switch {
	case spec.serve != nil:
		if tokenOK {
			s.desk.spend(c.token, c.now, 1)
		}
		spec.serve(c)
	case c.path == loginPath:
		c.page(http.StatusOK, pageLogin)
	case c.path != reportsPath && c.path != informationPath:
		c.page(http.StatusNotFound, pageNotFound)
	case c.token == "":
		c.refuse(http.StatusUnauthorized, msgNoToken)
	case !tokenOK:
		c.refuse(http.StatusForbidden, msgToken)
	case !s.desk.spend(c.token, c.now, 1):
		c.refuse(http.StatusForbidden, msgQuota)
	case !free:
		c.refuse(http.StatusForbidden, msgBusy)
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		c.refuse(http.StatusMethodNotAllowed, "METHOD NOT ALLOWED")
	case c.api == "":
		c.refuse(http.StatusBadRequest, msgParameters)
	case c.path == reportsPath && c.api == "chat_8":
		c.report(spec.shape)
	case c.path == informationPath && c.api == "routing_points":
		c.routingPoints()
	case c.path == informationPath && c.api == "token_info":
		c.tokenInfo()
	default:
		c.refuse(http.StatusBadRequest, msgNoSuchAPI)
	}
}

// settle ends the call for the log and for the limit of simultaneous requests.
// It comes before the last byte of an answer: whoever has read that may ask
// again at once, or read the log.
func (c *call) settle(status, rows, badRows int, cut bool) {
	c.desk.edit(c.entry, func(r *Request) {
		r.Status, r.Rows, r.BadRows, r.Cut = status, rows, badRows, cut
	})
	c.leave()
}

func (c *call) leave() {
	if c.seat {
		c.seat = false
		c.desk.leave(c.token)
	}
}

// hang waits for the client to give up, and lets go of the connection then.
func (c *call) hang() {
	select {
	case <-c.r.Context().Done():
	case <-c.closing:
	}
	panic(http.ErrAbortHandler)
}

// refuse answers with an error whose code is also the HTTP status.
func (c *call) refuse(status int, msg string) { c.answer(status, status, msg) }

// answer writes a body without data.
func (c *call) answer(status, code int, msg string) {
	e := c.encoder()
	e.envelope(code, msg, "[]")
	c.body(status, "application/json", e.buf)
}

// page answers as the web server in front of PHP does.
func (c *call) page(status int, html string) {
	c.body(status, "text/html; charset=UTF-8", []byte(html))
}

func (c *call) body(status int, contentType string, body []byte) {
	c.settle(status, 0, 0, false)
	c.w.Header().Set("Content-Type", contentType)
	c.w.WriteHeader(status)
	// A client that has left is no matter of the server's.
	_, _ = c.w.Write(body)
}

func (c *call) encoder() *encoder {
	e := &encoder{readings: &c.cfg.Readings, loc: c.cfg.Location, now: c.now}
	if c.api == "chat_8" {
		e.keys = c.keys.Load().at(c.now)
	}
	return e
}
