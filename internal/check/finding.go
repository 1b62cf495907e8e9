// Package check checks an operation once and returns findings that a person can act
// on. It quotes nothing of a response.
package check

// Status is the result of a check.
type Status string

// The statuses. Only Failed makes a check fail.
const (
	OK      Status = "ok"
	Warning Status = "warning" // may need attention
	Failed  Status = "failed"  // the exporter will not work correctly
	Skipped Status = "skipped" // not checked
)

// ID identifies a check. IDs stay the same from version to version.
type ID string

// The checks of the whole program, which are also the first checks of each operation.
const (
	Configuration ID = "configuration"
	State         ID = "state"
)

// The other checks of each operation, in this order.
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

var operationIDs = []ID{Configuration, State, Name, Connection, TLS, Clock, Token, Quota, Report, TimeZone, Fields}

// Finding is the result of one check.
type Finding struct {
	ID     ID     `json:"id"`
	Status Status `json:"status"`
	Text   string `json:"text"`
	Advice string `json:"do,omitempty"` // what to do
}

// Passed reports whether no check failed.
func Passed(findings []Finding) bool { return countStatus(findings, Failed) == 0 }

func countStatus(findings []Finding, status Status) (n int) {
	for _, f := range findings {
		if f.Status == status {
			n++
		}
	}
	return n
}

// findingList holds the findings so far.
type findingList struct{ findings []Finding }

func (l *findingList) ok(id ID, text string)              { l.add(Finding{id, OK, text, ""}) }
func (l *findingList) warning(id ID, text, advice string) { l.add(Finding{id, Warning, text, advice}) }

func (l *findingList) failed(id ID, text, advice string) { l.add(Finding{id, Failed, text, advice}) }

func (l *findingList) skipped(id ID, reason string) {
	l.add(Finding{id, Skipped, "skipped: " + reason, ""})
}

func (l *findingList) add(found ...Finding) { l.findings = append(l.findings, found...) }

// skipRest skips all checks after the last finding.
func (l *findingList) skipRest(reason string) {
	for _, id := range operationIDs[len(l.findings):] {
		l.skipped(id, reason)
	}
}
