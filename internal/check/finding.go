// Package check checks an operation once and returns findings that a person can act
// on. It quotes nothing of a response.
package check

// Status is the result of a check.
type Status string

// The statuses. Only Failed makes a check fail.
const (
	OK      Status = "ok"
	Look    Status = "warning" // it may be as it should be
	Failed  Status = "failed"  // the exporter will not work correctly
	Skipped Status = "skipped" // not checked
)

// ID names what was looked at. It does not change from version to version.
type ID string

// What is looked at for the whole program, and for each operation before all else.
const (
	Configuration ID = "configuration"
	State         ID = "state"
)

// What is looked at for each operation, in this order.
const (
	Name       ID = "name"
	Connection ID = "connection"
	TLS        ID = "tls"
	Clock      ID = "clock"
	Token      ID = "token"
	Quota      ID = "quota"
	Report     ID = "report"
	TimeZone   ID = "time_zone"
	Fields     ID = "fields"
)

var ofOperation = []ID{Configuration, State, Name, Connection, TLS, Clock, Token, Quota, Report, TimeZone, Fields}

// Finding is one line of the list.
type Finding struct {
	ID     ID     `json:"id"`
	Status Status `json:"status"`
	Text   string `json:"text"`         // what was seen
	Do     string `json:"do,omitempty"` // what to do about it
}

// Fine reports whether nothing failed.
func Fine(findings []Finding) bool { return countOf(findings, Failed) == 0 }

func countOf(findings []Finding, status Status) (n int) {
	for _, f := range findings {
		if f.Status == status {
			n++
		}
	}
	return n
}

// list is what was found of an operation so far.
type list struct{ findings []Finding }

func (l *list) ok(id ID, text string)         { l.add(Finding{id, OK, text, ""}) }
func (l *list) look(id ID, text, do string)   { l.add(Finding{id, Look, text, do}) }
func (l *list) failed(id ID, text, do string) { l.add(Finding{id, Failed, text, do}) }
func (l *list) skipped(id ID, why string)     { l.add(Finding{id, Skipped, "skipped: " + why, ""}) }

func (l *list) add(found ...Finding) { l.findings = append(l.findings, found...) }

// skipRest skips everything after the last finding, with the reason why.
func (l *list) skipRest(why string) {
	for _, id := range ofOperation[len(l.findings):] {
		l.skipped(id, why)
	}
}
