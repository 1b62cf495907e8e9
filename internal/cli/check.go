package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/alecthomas/kingpin/v2"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/check"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/config"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/fault"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/manager"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/postgres"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// checkConcurrency is how many operations are checked at the same time.
const checkConcurrency = 10

// checkFlags holds the flags of the command check.
type checkFlags struct {
	json, verbose bool
	operations    []string // names; all operations if there are none
}

func (f *checkFlags) add(app *kingpin.Application) {
	command := app.Command(checkCommand, "Check each operation once and list what works, what does not, and what to do. "+
		"Exit status 1 if a check failed, otherwise 0; warnings (!) do not count. Makes at most 4 requests per operation.")
	command.Flag("json", "Print the findings as JSON.").BoolVar(&f.json)
	command.Flag("operation", "Check only the operation with this name in the configuration file. Repeatable.").
		PlaceHolder("NAME").StringsVar(&f.operations)
	command.Flag("verbose", "Show every line. By default, if there are several operations, those without failures take one line.").
		Short('v').BoolVar(&f.verbose)
}

// choose returns the targets whose names were given.
func (f *checkFlags) choose(targets []config.Target) ([]config.Target, error) {
	if len(f.operations) == 0 {
		return targets, nil
	}
	var names []string
	for _, target := range targets {
		names = append(names, fmt.Sprintf("%q", target.Name))
	}
	var unknown []error
	for _, name := range f.operations {
		if !slices.Contains(names, fmt.Sprintf("%q", name)) {
			unknown = append(unknown, fmt.Errorf("--operation=%q: no operation has this name (names: %s)", name, strings.Join(names, ", ")))
		}
	}
	chosen := slices.DeleteFunc(slices.Clone(targets), func(target config.Target) bool { return !slices.Contains(f.operations, target.Name) })
	return chosen, errors.Join(unknown...)
}

// check checks each operation once, prints the findings and returns the exit status.
func (c *command) check(ctx context.Context) int {
	db, err := c.openDatabase(ctx)
	if err != nil {
		fmt.Fprintf(c.stderr, "%s: error: %s\n", program, fault.OneLine(err))
		return 1
	}
	if db != nil {
		defer db.Close()
	}
	targets, findings := c.checkProgram(ctx, db)
	if ctx.Err() != nil {
		return 1
	}
	printer := check.Printer{Out: c.stdout, Colour: wantsColour(c.stdout), Verbose: c.checking.verbose || len(targets) == 1}
	if c.checking.json {
		printer.Out = io.Discard
	}
	for _, target := range targets {
		printer.NameWidth = max(printer.NameWidth, utf8.RuneCountInString(target.Name))
	}
	result := check.Result{OK: check.Passed(findings), Findings: findings, Operations: []check.OperationResult{}}
	printer.Print(release(), findings)
	results, wait := c.checkOperations(ctx, targets, c.savedStates(db, findings))
	defer wait()
	for _, operations := range results {
		operation := <-operations
		if ctx.Err() != nil {
			return 1 // The requests were interrupted: their failures are no findings.
		}
		printer.PrintOperation(&operation)
		result.OK = result.OK && operation.OK
		result.Operations = append(result.Operations, operation)
	}
	printer.PrintSummary(&result)
	if c.checking.json && result.JSON(c.stdout) != nil || !result.OK {
		return 1
	}
	return 0
}

// openDatabase opens the database of --storage.url. It returns nil if there is none.
func (c *command) openDatabase(ctx context.Context) (*postgres.DB, error) {
	if c.database.URL == "" {
		return nil, nil //nolint:nilnil // There may be none.
	}
	options := c.database
	options.Migrate = false // A check changes nothing.
	return postgres.Open(ctx, options)
}

// checkProgram checks what the operations have in common.
func (c *command) checkProgram(ctx context.Context, db *postgres.DB) ([]config.Target, []check.Finding) {
	all, err := c.targets(ctx)
	var targets []config.Target
	if err == nil {
		targets, err = c.checking.choose(all)
	}
	if err = errors.Join(err, c.checkWebConfig()); err != nil {
		targets = nil
	}
	source := "the flags and the environment"
	if c.configFile != "" {
		source = fmt.Sprintf("%q", c.configFile)
	}
	return targets, append(check.ConfigurationFindings(source, len(targets), len(all), err), c.checkStorage(db))
}

// checkStorage checks the storage folder, or the database if there is one.
func (c *command) checkStorage(db *postgres.DB) check.Finding {
	defer c.tasks.begin("checking the storage")()
	if db != nil {
		return check.DatabaseFinding(db)
	}
	exists, err := false, error(nil)
	if c.storagePath != "" {
		exists, err = store.Probe(c.storagePath)
	}
	return check.StorageFinding(c.storagePath, exists, errors.Is(err, store.ErrInUse), err)
}

// savedStates returns a function that loads the saved state of an operation as serve
// would. programFindings include the finding of the storage folder.
func (c *command) savedStates(db *postgres.DB, programFindings []check.Finding) func(operation string) check.Finding {
	switch {
	case db == nil && c.storagePath == "":
		return func(string) check.Finding { return check.SkippedState("it is kept in memory") }
	case !check.Passed(programFindings):
		return func(string) check.Finding { return check.SkippedState("the storage cannot be used") }
	}
	var mu sync.Mutex // Only one state is loaded at a time: it can take hundreds of megabytes.
	return func(operation string) check.Finding {
		mu.Lock()
		defer mu.Unlock()
		defer c.tasks.begin(fmt.Sprintf("loading the state of operation %q", operation))()
		if db != nil {
			return check.DatabaseStateFinding(db.Operation(operation))
		}
		return check.SavedStateFinding(c.storagePath, operation)
	}
}

// checkOperations checks the operations concurrently. It returns a channel for the findings
// of each, in the order of the configuration; wait waits until all checks have ended.
func (c *command) checkOperations(ctx context.Context, targets []config.Target, savedState func(operation string) check.Finding) (results []chan check.OperationResult, wait func()) {
	results = make([]chan check.OperationResult, len(targets))
	for i := range results {
		results[i] = make(chan check.OperationResult, 1)
	}
	slots := make(chan struct{}, checkConcurrency)
	var checks sync.WaitGroup
	for i, target := range targets {
		checks.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			state := savedState(target.Name)
			defer c.tasks.begin(fmt.Sprintf("checking operation %q", target.Name))()
			operation := c.newCheck(target)
			operation.State = state
			if target.Problem != nil {
				operation.Problem = target.Problem
			}
			findings := operation.Findings(ctx)
			results[i] <- check.OperationResult{Operation: target.Name, OK: check.Passed(findings), Findings: findings}
		})
	}
	return results, checks.Wait
}

// newCheck returns the check of an operation, with the client that would poll it.
func (c *command) newCheck(target config.Target) *check.Operation {
	malformed := check.MaskCounts{}
	var unused []wolkvox.Field
	if !c.agents {
		unused = append(unused, wolkvox.AgentField)
	}
	if !c.agentNames {
		unused = append(unused, wolkvox.AgentNameField)
	}
	return &check.Operation{
		BaseURL:        target.Base,
		Zone:           target.Zone,
		AddedBounds:    target.AddedBounds,
		API:            c.newPollingClient(target, wolkvox.WithMalformedObserver(malformed.Add)),
		Malformed:      malformed,
		RequestsPerDay: manager.RequestsPerDay(&target.Operation.Poll),
		UnusedKeys:     unused,
	}
}

// wantsColour reports whether w is a terminal and NO_COLOR is not set.
func wantsColour(w io.Writer) bool {
	return os.Getenv("NO_COLOR") == "" && isTerminal(w)
}

// isTerminal reports whether w is a terminal that can move its cursor.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
