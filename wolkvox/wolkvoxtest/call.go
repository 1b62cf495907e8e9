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

// The targets of redirects. Requests to them meet no fault, so that a client that follows
// a redirect gets a correct report.
const (
	movedPath     = "/moved"
	elsewherePath = "/elsewhere"
	loginPath     = "/login.php"
)

const (
	reportsPath     = "/api/v2/reports_manager.php"
	informationPath = "/api/v2/information.php"
)

// call is the handling of one request.
type call struct {
	*Server
	w        http.ResponseWriter
	r        *http.Request
	now      time.Time
	path     string
	api      string
	token    string
	entry    *Request
	admitted bool // counts as a simultaneous request of the token
}

// Handler serves the API on another HTTP server, such as one with TLS.
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
		fault = s.faults.next(c.path, c.api)
	}
	tokenOK := s.admission.accepts(c.token)
	c.entry = s.admission.logRequest(Request{
		Time: c.now, Method: r.Method, Host: r.Host, Path: r.URL.Path, API: c.api,
		From: query.Get("date_ini"), To: query.Get("date_end"), TokenOK: tokenOK, Fault: fault,
	})
	if fault == Hang {
		c.hang()
		return
	}
	free := s.admission.enter(c.token)
	c.admitted = true
	defer c.leave()

	spec := findSpec(fault)
	switch {
	case spec.serve != nil:
		if tokenOK {
			s.admission.spend(c.token, c.now, 1)
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
	case !s.admission.spend(c.token, c.now, 1):
		c.refuse(http.StatusForbidden, msgQuota)
	case !free:
		c.refuse(http.StatusForbidden, msgBusy)
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		c.refuse(http.StatusMethodNotAllowed, "METHOD NOT ALLOWED")
	case c.api == "":
		c.refuse(http.StatusBadRequest, msgParameters)
	case c.path == reportsPath && c.api == "chat_8":
		c.report(spec.alteration)
	case c.path == informationPath && c.api == "routing_points":
		c.routingPoints()
	case c.path == informationPath && c.api == "token_info":
		c.tokenInfo()
	default:
		c.refuse(http.StatusBadRequest, msgNoSuchAPI)
	}
}

// finish ends the call for the log and for the limit of simultaneous requests.
// It is called before the last byte of the response is sent: a client that has read
// that byte may send the next request at once, or read the log.
func (c *call) finish(status, rows, badRows int, cut bool) {
	c.admission.updateRequest(c.entry, func(r *Request) {
		r.Status, r.Rows, r.BadRows, r.Cut = status, rows, badRows, cut
	})
	c.leave()
}

func (c *call) leave() {
	if c.admitted {
		c.admitted = false
		c.admission.leave(c.token)
	}
}

// hang waits until the client closes the connection, or the server closes.
func (c *call) hang() {
	select {
	case <-c.r.Context().Done():
	case <-c.closing:
	}
	panic(http.ErrAbortHandler)
}

// refuse answers with an error whose code is also the HTTP status.
func (c *call) refuse(status int, msg string) { c.respondWithCode(status, status, msg) }

// respondWithCode writes a response without data.
func (c *call) respondWithCode(status, code int, msg string) {
	e := c.encoder()
	e.envelope(code, msg, "[]")
	c.respond(status, "application/json", e.buf)
}

// page responds as the web server in front of PHP does.
func (c *call) page(status int, html string) {
	c.respond(status, "text/html; charset=UTF-8", []byte(html))
}

func (c *call) respond(status int, contentType string, body []byte) {
	c.finish(status, 0, 0, false)
	c.w.Header().Set("Content-Type", contentType)
	c.w.WriteHeader(status)
	// The client may have disconnected.
	_, _ = c.w.Write(body)
}

func (c *call) encoder() *encoder {
	e := &encoder{readings: &c.cfg.Readings, loc: c.cfg.Location, now: c.now}
	if c.api == "chat_8" {
		e.keys = c.keys.Load().at(c.now)
	}
	return e
}
