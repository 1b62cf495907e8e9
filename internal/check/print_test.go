package check

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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

// example returns the result that docs/check.md shows: an operation in Madrid that is
// configured as one in Bogota and has malformed values of one field.
func example(t *testing.T) (result Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sleepUntil(noon)
		api := newFakeAPI()
		for ago := 2 * time.Minute; ago < 12*time.Hour; ago += 5 * time.Minute {
			api.ends = append(api.ends, ended(load(t, "Europe/Madrid"), ago))
		}
		checked := operation(t, api, "America/Bogota")
		for range 3 {
			checked.Malformed.Add("total_time", "9,9")
		}
		findings := checked.Findings(t.Context())
		result = Result{
			OK:         Passed(findings),
			Findings:   append(ConfigurationFindings("the flags and the environment", 1, 1, nil), StorageFinding("data", true, false, nil)),
			Operations: []OperationResult{{Operation: "wv0042", OK: Passed(findings), Findings: findings}},
		}
	})
	return result
}

// captures returns the other results that docs/check.md shows, by their name.
func captures(t *testing.T) map[string][]Finding {
	t.Helper()
	check := func(change func(*fakeAPI)) (findings []Finding) {
		synctest.Test(t, func(t *testing.T) {
			sleepUntil(noon)
			api := newFakeAPI()
			for ago := 2 * time.Minute; ago < time.Hour; ago += 2 * time.Minute {
				api.ends = append(api.ends, ended(load(t, "America/Bogota"), ago))
			}
			change(api)
			findings = operation(t, api, "America/Bogota").Findings(t.Context())
		})
		return findings
	}
	return map[string][]Finding{
		"a renamed key": check(func(f *fakeAPI) { f.missing = 1 << wolkvox.ASA }),
		"a foreign 404": check(func(f *fakeAPI) {
			f.failure = always(&wolkvox.Error{Result: wolkvox.BadRequest, Status: 404, Err: errors.New("the answer is not the API's")})
		}),
		"only handoffs": check(func(f *fakeAPI) { f.botToo = false }),
	}
}

// printed returns what is printed of r: every line if it has a single operation.
func printed(r *Result, colour bool) string {
	return printedBy(&Printer{Colour: colour, Verbose: len(r.Operations) == 1, NameWidth: len("wv0042")}, r)
}

func printedBy(p *Printer, r *Result) string {
	var b bytes.Buffer
	p.Out = &b
	p.Print("wolkvox_exporter 0.1.0, revision 8e15eac", r.Findings)
	for i := range r.Operations {
		p.PrintOperation(&r.Operations[i])
	}
	p.PrintSummary(r)
	return b.String()
}

// twelve returns the result of 12 operations that docs/check.md shows: the state of one is
// corrupt, the token of another is refused, and a third has a quiet hour.
func twelve(t *testing.T) *Result {
	t.Helper()
	const corrupt, refused, quiet = 3, 8, 10
	t.Chdir(t.TempDir())
	saveCorrupt(t, "data", fmt.Sprintf("wv%04d", corrupt+1))
	result := &Result{Findings: append(ConfigurationFindings(`"wolkvox.yml"`, 12, 12, nil), StorageFinding("data", true, false, nil))}
	for i := range 12 {
		name := fmt.Sprintf("wv%04d", i+1)
		var findings []Finding
		synctest.Test(t, func(t *testing.T) {
			sleepUntil(noon)
			api := newFakeAPI()
			for ago := 2 * time.Minute; i != quiet && ago < time.Hour; ago += 2 * time.Minute {
				api.ends = append(api.ends, ended(load(t, "America/Bogota"), ago))
			}
			if i == refused {
				api.failure = always(&wolkvox.Error{Result: wolkvox.TokenRejected, Status: 403})
			}
			checked := operation(t, api, "America/Bogota")
			checked.BaseURL = address(t, "https://"+name+".wolkvox.com")
			checked.State = loadable(name)
			if i == corrupt {
				checked.State = SavedStateFinding("data", name)
			}
			api.connect = connectTo(name + ".wolkvox.com")
			findings = checked.Findings(t.Context())
		})
		result.Operations = append(result.Operations, OperationResult{name, Passed(findings), findings})
	}
	return result
}

func TestPrinter_ShowsTwelveOperationsBriefly(t *testing.T) {
	want, err := os.ReadFile("testdata/twelve.txt")
	if err != nil {
		t.Fatal(err)
	}
	have := printed(twelve(t), false)
	if have != string(want) {
		t.Errorf("have:\n%s\nwant testdata/twelve.txt", have)
	}
	if lines := strings.Count(have, "\n"); lines > 60 {
		t.Errorf("have %d lines, want 60 at most", lines)
	}
}

func TestPrinter_ShowsEveryLineIfVerbose(t *testing.T) {
	result := twelve(t)
	have := printedBy(&Printer{Verbose: true}, result)
	for _, o := range result.Operations {
		for _, f := range o.Findings {
			if !strings.Contains(have, f.Text) {
				t.Errorf("%s: have no line %q", o.Operation, f.Text)
			}
		}
	}
	if !strings.HasSuffix(have, "\n✗ 2 problems found in 2 of 12 operations\n") || !strings.Contains(have, "\nProblems\n  ✗ wv0004  state ") {
		t.Errorf("have:\n%s\nwant it to end in the problems", have)
	}
}

func TestConfigurationFindings_ReportEachMistake(t *testing.T) {
	have := ConfigurationFindings(`"wolkvox.yml"`, 0, 0, errors.Join(errors.Join(errors.New("one"), errors.New("two")), errors.New("three")))
	if len(have) != 3 || have[0].Text != "one" || have[2].Text != "three" || have[2].Advice == "" || Passed(have[:1]) {
		t.Errorf("have %+v, want three failures", have)
	}
	if text := ConfigurationFindings(`"wolkvox.yml"`, 2, 12, nil)[0].Text; text != `2 of 12 operations, by "wolkvox.yml"` {
		t.Errorf("have %q", text)
	}
}

// documentation returns docs/check.md.
func documentation(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/check.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// excerpt reports whether block is a part of output. Lines of "..." stand for what the
// block leaves out.
func excerpt(block, output string) bool {
	for part := range strings.SplitSeq(block, "...\n") {
		_, after, found := strings.Cut("\n"+output, "\n"+part)
		if part == "" || !found {
			return false
		}
		output = after
	}
	return true
}

func TestExcerpt_FindsPartsInOrder(t *testing.T) {
	const output = "one\ntwo\nthree\nfour\n"
	for block, want := range map[string]bool{
		output: true, "one\n...\nfour\n": true, "two\n...\nthree\n": true,
		"four\n...\none\n": false, "one\nthree\n": false, "tw\n": false, "wo\n": false, "": false,
	} {
		if have := excerpt(block, output); have != want {
			t.Errorf("%q: have %v, want %v", block, have, want)
		}
	}
}

func TestDocument_ShowsWhatIsPrinted(t *testing.T) {
	blocks := regexp.MustCompile("(?ms)^```\n(.*?)^```$").FindAllStringSubmatch(documentation(t), -1)
	result := example(t)
	whole := printed(&result, false)
	if len(blocks) == 0 || blocks[0][1] != whole {
		t.Errorf("docs/check.md does not begin with:\n%s", whole)
	}
	several, err := os.ReadFile("testdata/twelve.txt")
	if err != nil {
		t.Fatal(err)
	}
	outputs := map[string]string{"an operation in Madrid": whole, "twelve operations": string(several)}
	for name, findings := range captures(t) {
		outputs[name] = printed(&Result{OK: Passed(findings), Operations: []OperationResult{{Operation: "wv0042", OK: Passed(findings), Findings: findings}}}, false)
	}
	shown := map[string]bool{}
	for _, block := range blocks {
		found := false
		for name, output := range outputs {
			if excerpt(block[1], output) {
				found, shown[name] = true, true
			}
		}
		if !found {
			t.Errorf("nothing prints what docs/check.md shows:\n%s", block[1])
		}
	}
	for name, output := range outputs {
		if !shown[name] {
			t.Errorf("%s: docs/check.md shows nothing of:\n%s", name, output)
		}
	}
}

func TestDocument_ListsEveryIDAndStatus(t *testing.T) {
	text := documentation(t)
	for _, id := range append(slices.Clone(operationIDs), State) {
		if !regexp.MustCompile(`(?m)^\| ` + "`" + string(id) + "`").MatchString(text) {
			t.Errorf("docs/check.md has no line of a table for %s", id)
		}
	}
	for status, s := range styles {
		if !strings.Contains(text, "\n| "+s.sign+" | `"+string(status)+"` |") {
			t.Errorf("docs/check.md has no line of a table for %s %s", s.sign, status)
		}
	}
}

func TestPrinter_AddsOnlyColours(t *testing.T) {
	result := example(t)
	plain, colourful := printed(&result, false), printed(&result, true)
	if have := regexp.MustCompile("\x1b\\[[0-9]+m").ReplaceAllString(colourful, ""); have != plain || colourful == plain {
		t.Errorf("have:\n%q\nwant colours and:\n%q", colourful, plain)
	}
}

func TestPrinter_EndsWithTheNumberOfProblems(t *testing.T) {
	failed, warning := Finding{Status: Failed}, Finding{Status: Warning}
	good, bad := OperationResult{OK: true, Findings: []Finding{warning}}, OperationResult{Findings: []Finding{failed, warning, failed}}
	for want, r := range map[string]*Result{
		"✓ no problems found":                                       {OK: true, Findings: []Finding{{Status: OK}, {Status: Skipped}}},
		"✓ no problems found, 1 warning":                            {OK: true, Findings: []Finding{warning}},
		"✓ no problems found, 2 warnings":                           {OK: true, Operations: []OperationResult{good, good}},
		"✗ 1 problem found":                                         {Findings: []Finding{failed, warning}},
		"✗ 3 problems found":                                        {Findings: []Finding{failed}, Operations: []OperationResult{bad}},
		"✗ 2 problems found in 1 of 3 operations":                   {Operations: []OperationResult{good, bad, good}},
		"✗ 5 problems found, 4 of them in 2 of 3 operations":        {Findings: []Finding{failed}, Operations: []OperationResult{good, bad, bad}},
		"Problems\n  ✗ (all)                 \n\n✗ 1 problem found": {Findings: []Finding{failed}, Operations: []OperationResult{good, good}},
	} {
		if have := printed(r, false); !strings.HasSuffix(have, "\n"+want+"\n") {
			t.Errorf("have %q, want it to end in %q", have, want)
		}
	}
}

func TestResult_JSONHasSameFindings(t *testing.T) {
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
		if f.Advice != "" {
			same["do"] = f.Advice
		}
		if have := have.Operations[0].Findings[i]; !maps.Equal(have, same) {
			t.Errorf("have %v, want %v", have, same)
		}
	}
}

func TestStorageFinding_ReportsFolder(t *testing.T) {
	for _, test := range []struct {
		path        string
		made, inUse bool
		err         error
		status      Status
		text        string
	}{
		{"", false, false, nil, Warning, "in memory only"},
		{"data", true, false, nil, OK, `the folder "data" can be written to and is not in use`},
		{"data", false, false, nil, OK, `the folder "data" does not exist yet`},
		{"data", true, true, os.ErrExist, Warning, `a running wolkvox_exporter uses the folder "data"`},
		{"data", true, false, os.ErrPermission, Failed, "permission denied"},
	} {
		if have := StorageFinding(test.path, test.made, test.inUse, test.err); have.Status != test.status || !strings.Contains(have.Text, test.text) {
			t.Errorf("have %+v, want %s: %s", have, test.status, test.text)
		}
	}
}
