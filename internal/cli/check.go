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
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/manager"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// atOnce is how many operations are looked at at the same time.
const atOnce = 10

// checkFlags are those of the command check alone.
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
	targets, findings := c.checkProgram(ctx)
	if ctx.Err() != nil {
		return 1
	}
	printer := check.Printer{To: c.stdout, Colour: colourful(c.stdout), Full: c.checking.verbose || len(targets) == 1}
	if c.checking.json {
		printer.To = io.Discard
	}
	for _, target := range targets {
		printer.Width = max(printer.Width, utf8.RuneCountInString(target.Name))
	}
	result := check.Result{OK: check.Fine(findings), Findings: findings, Operations: []check.OperationResult{}}
	printer.Print(release(), findings)
	results, wait := c.checkOperations(ctx, targets, c.savedStates(findings))
	defer wait()
	for _, found := range results {
		operation := <-found
		if ctx.Err() != nil {
			return 1 // What the interrupted requests have failed of is nobody's fault.
		}
		printer.PrintOperation(&operation)
		result.OK = result.OK && operation.OK
		result.Operations = append(result.Operations, operation)
	}
	printer.Summary(&result)
	if c.checking.json && result.JSON(c.stdout) != nil || !result.OK {
		return 1
	}
	return 0
}

// checkProgram looks at what the operations have in common.
func (c *command) checkProgram(ctx context.Context) ([]config.Target, []check.Finding) {
	all, err := c.targets(ctx)
	var targets []config.Target
	if err == nil {
		targets, err = c.checking.choose(all)
	}
	if err = errors.Join(err, c.checkWebConfig()); err != nil {
		targets = nil
	}
	from := "the flags and the environment"
	if c.configFile != "" {
		from = fmt.Sprintf("%q", c.configFile)
	}
	made, lookErr := false, error(nil)
	if c.storagePath != "" {
		end := c.tasks.begin("looking at the storage folder")
		made, lookErr = store.Probe(c.storagePath)
		end()
	}
	return targets, append(
		check.OfConfiguration(from, len(targets), len(all), err),
		check.OfState(c.storagePath, made, errors.Is(lookErr, store.ErrInUse), lookErr),
	)
}

// savedStates returns a function that tries to load the saved state of an operation
// as serve would. ofProgram are the findings of the storage folder.
func (c *command) savedStates(ofProgram []check.Finding) func(operation string) check.Finding {
	switch {
	case c.storagePath == "":
		return func(string) check.Finding { return check.NoSavedState("it is kept in memory") }
	case !check.Fine(ofProgram):
		return func(string) check.Finding { return check.NoSavedState("the storage folder cannot be used") }
	}
	var one sync.Mutex // at a time: a state can take hundreds of megabytes
	return func(operation string) check.Finding {
		one.Lock()
		defer one.Unlock()
		defer c.tasks.begin(fmt.Sprintf("loading the state of operation %q", operation))()
		return check.OfSavedState(c.storagePath, operation)
	}
}

// checkOperations looks at them side by side. The findings of each come in the
// order of the configuration; wait waits until all are done.
func (c *command) checkOperations(ctx context.Context, targets []config.Target, savedState func(operation string) check.Finding) (results []chan check.OperationResult, wait func()) {
	results = make([]chan check.OperationResult, len(targets))
	for i := range results {
		results[i] = make(chan check.OperationResult, 1)
	}
	slots := make(chan struct{}, atOnce)
	var looks sync.WaitGroup
	for i, target := range targets {
		looks.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			state := savedState(target.Name)
			defer c.tasks.begin(fmt.Sprintf("checking operation %q", target.Name))()
			toCheck := c.toCheck(target)
			toCheck.State = state
			if target.Problem != nil {
				toCheck.Problem = target.Problem
			}
			findings := toCheck.Findings(ctx)
			results[i] <- check.OperationResult{Operation: target.Name, OK: check.Fine(findings), Findings: findings}
		})
	}
	return results, looks.Wait
}

// toCheck returns an operation with the client that would poll it.
func (c *command) toCheck(target config.Target) *check.Operation {
	malformed := check.MaskCounts{}
	var unread []wolkvox.Field
	if !c.agents {
		unread = append(unread, wolkvox.AgentField)
	}
	if !c.agentNames {
		unread = append(unread, wolkvox.AgentNameField)
	}
	return &check.Operation{
		Base:      target.Base,
		Zone:      target.Zone,
		Added:     target.AddedBounds,
		API:       c.newPollingClient(target, wolkvox.WithMalformedObserver(malformed.Add)),
		Malformed: malformed,
		Needs:     manager.RequestsPerDay(&target.Operation.Poll),
		Unread:    unread,
	}
}

// colourful tells whether w is a terminal whose user has nothing against colours.
func colourful(w io.Writer) bool {
	return os.Getenv("NO_COLOR") == "" && terminal(w)
}

// terminal tells whether w is one that can do more than print lines.
func terminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
