package check

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// example is the result that docs/check.md shows: an operation in Madrid that is
// configured as one in Bogota, and writes a field as nobody expects.
func example(t *testing.T) (result Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sleepUntil(noon)
		api := wellAPI()
		for ago := 2 * time.Minute; ago < 12*time.Hour; ago += 5 * time.Minute {
			api.ends = append(api.ends, ended(load(t, "Europe/Madrid"), ago))
		}
		looked := operation(t, api, "America/Bogota")
		for range 3 {
			looked.Shapes.Add("total_time", 9)
		}
		findings := looked.Findings(t.Context())
		result = Result{
			OK:         Fine(findings),
			Findings:   []Finding{OfConfiguration("the flags and the environment", 1, nil), OfState("data", true, false, nil)},
			Operations: []OperationResult{{Operation: "wv0042", OK: Fine(findings), Findings: findings}},
		}
	})
	return result
}

// captures are the other results that docs/check.md shows, by their name.
func captures(t *testing.T) map[string][]Finding {
	t.Helper()
	look := func(change func(*fakeAPI)) (findings []Finding) {
		synctest.Test(t, func(t *testing.T) {
			sleepUntil(noon)
			api := wellAPI()
			for ago := 2 * time.Minute; ago < time.Hour; ago += 2 * time.Minute {
				api.ends = append(api.ends, ended(load(t, "America/Bogota"), ago))
			}
			change(api)
			findings = operation(t, api, "America/Bogota").Findings(t.Context())
		})
		return findings
	}
	return map[string][]Finding{
		"a renamed key": look(func(f *fakeAPI) { f.lacks = 1 << wolkvox.ASA }),
		"a foreign 404": look(func(f *fakeAPI) {
			f.fails = always(&wolkvox.Error{Result: wolkvox.BadRequest, Status: 404, Err: errors.New("the answer is not the API's")})
		}),
		"only handoffs": look(func(f *fakeAPI) { f.botToo = false }),
	}
}

func printed(r *Result, colour bool) string {
	var b bytes.Buffer
	p := Printer{To: &b, Colour: colour}
	p.Print("wolkvox_exporter 0.1.0, revision 8e15eac", r.Findings)
	for _, o := range r.Operations {
		p.Print(o.Operation, o.Findings)
	}
	p.Summary(r)
	return b.String()
}

// documentation is docs/check.md.
func documentation(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/check.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheDocumentShowsWhatIsPrinted(t *testing.T) {
	result := example(t)
	if have := printed(&result, false); !strings.Contains(documentation(t), "```\n"+have+"```\n") {
		t.Errorf("docs/check.md has not:\n%s", have)
	}
}

func TestTheDocumentShowsOtherResultsAsTheyArePrinted(t *testing.T) {
	for name, findings := range captures(t) {
		r := Result{OK: Fine(findings), Operations: []OperationResult{{Operation: "wv0042", OK: Fine(findings), Findings: findings}}}
		var b bytes.Buffer
		p := Printer{To: &b}
		p.Print("wv0042", findings)
		p.Summary(&r)
		if !strings.Contains(documentation(t), "```\n"+b.String()+"```\n") {
			t.Errorf("%s: docs/check.md has not:\n%s", name, b.String())
		}
	}
}

func TestTheDocumentListsEveryIDAndStatus(t *testing.T) {
	text := documentation(t)
	for _, id := range append(slices.Clone(ofOperation), State) {
		if !regexp.MustCompile(`(?m)^\| ` + "`" + string(id) + "`").MatchString(text) {
			t.Errorf("docs/check.md has no line of a table for %s", id)
		}
	}
	for status, s := range signs {
		if !strings.Contains(text, "\n| "+s.sign+" | `"+string(status)+"` |") {
			t.Errorf("docs/check.md has no line of a table for %s %s", s.sign, status)
		}
	}
}

func TestColoursAreAllThatATerminalHasMore(t *testing.T) {
	result := example(t)
	plain, colourful := printed(&result, false), printed(&result, true)
	if have := regexp.MustCompile("\x1b\\[[0-9]+m").ReplaceAllString(colourful, ""); have != plain || colourful == plain {
		t.Errorf("have:\n%q\nwant colours and:\n%q", colourful, plain)
	}
}

func TestTheLastLineCountsWhatIsToBeMended(t *testing.T) {
	failed, fine := Finding{Status: Failed}, Finding{Status: Look}
	for want, r := range map[string]*Result{
		"✓ everything is as it should be":             {OK: true, Findings: []Finding{{Status: OK}, {Status: Skipped}}},
		"✓ nothing has failed; worth a look: 1 thing": {OK: true, Findings: []Finding{fine}},
		"✗ 1 thing to mend":                           {Findings: []Finding{failed, fine}},
		"✗ 3 things to mend":                          {Findings: []Finding{failed}, Operations: []OperationResult{{Findings: []Finding{failed}}, {Findings: []Finding{fine, failed}}}},
	} {
		if have := printed(r, false); !strings.HasSuffix(have, "\n"+want+"\n") {
			t.Errorf("have %q, want it to end in %q", have, want)
		}
	}
}

func TestJSONHasTheSameFindings(t *testing.T) {
	want := example(t)
	var b bytes.Buffer
	if err := want.JSON(&b); err != nil {
		t.Fatal(err)
	}
	var have struct {
		OK         bool
		Findings   []map[string]string
		Operations []struct {
			Operation string
			OK        bool
			Findings  []map[string]string
		}
	}
	if err := json.Unmarshal(b.Bytes(), &have); err != nil {
		t.Fatal(err)
	}
	if have.OK || len(have.Findings) != 2 || len(have.Operations) != 1 || have.Operations[0].Operation != "wv0042" || have.Operations[0].OK {
		t.Fatalf("have %s", b.String())
	}
	for i, f := range want.Operations[0].Findings {
		same := map[string]string{"id": string(f.ID), "status": string(f.Status), "text": f.Text}
		if f.Do != "" {
			same["do"] = f.Do
		}
		if have := have.Operations[0].Findings[i]; !maps.Equal(have, same) {
			t.Errorf("have %v, want %v", have, same)
		}
	}
}

func TestTheStateFolderIsToldOf(t *testing.T) {
	for _, test := range []struct {
		path        string
		made, inUse bool
		err         error
		status      Status
		text        string
	}{
		{"", false, false, nil, Look, "in memory only"},
		{"data", true, false, nil, OK, `the folder "data" can be written to and is not in use`},
		{"data", false, false, nil, OK, `the folder "data" is not there yet`},
		{"data", true, true, os.ErrExist, Look, `a running wolkvox_exporter has the folder "data"`},
		{"data", true, false, os.ErrPermission, Failed, "permission denied"},
	} {
		if have := OfState(test.path, test.made, test.inUse, test.err); have.Status != test.status || !strings.Contains(have.Text, test.text) {
			t.Errorf("have %+v, want %s: %s", have, test.status, test.text)
		}
	}
}
