package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/check"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/config"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/poller"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// atOnce is how many operations are looked at at the same time.
const atOnce = 10

// checkup looks at each operation once and prints what it finds. It answers with
// the exit status.
func (s *settings) checkup(ctx context.Context, stdout io.Writer) int {
	printer := check.Printer{To: stdout, Colour: colourful(stdout)}
	if s.checkJSON {
		printer.To = io.Discard
	}
	targets, findings := s.checkProgram(ctx)
	if ctx.Err() != nil {
		return 1
	}
	result := check.Result{OK: check.Fine(findings), Findings: findings, Operations: []check.OperationResult{}}
	printer.Print(release(), findings)
	results, wait := s.checkOperations(ctx, targets)
	defer wait()
	for _, found := range results {
		operation := <-found
		if ctx.Err() != nil {
			return 1 // What the interrupted requests have failed of is nobody's fault.
		}
		printer.Print(operation.Operation, operation.Findings)
		result.OK = result.OK && operation.OK
		result.Operations = append(result.Operations, operation)
	}
	printer.Summary(&result)
	if s.checkJSON && result.JSON(stdout) != nil || !result.OK {
		return 1
	}
	return 0
}

// checkProgram looks at what the operations have in common.
func (s *settings) checkProgram(ctx context.Context) ([]config.Target, []check.Finding) {
	targets, err := s.targets(ctx)
	if err == nil {
		err = config.Problems(targets)
	}
	if err == nil {
		err = s.checkWebConfig()
	}
	if err != nil {
		targets = nil
	}
	from := "the flags and the environment"
	if s.configFile != "" {
		from = fmt.Sprintf("%q", s.configFile)
	}
	made, lookErr := false, error(nil)
	if s.storagePath != "" {
		end := s.busy.begin("looking at the storage folder")
		made, lookErr = store.Look(s.storagePath)
		end()
	}
	return targets, []check.Finding{
		check.OfConfiguration(from, len(targets), err),
		check.OfState(s.storagePath, made, errors.Is(lookErr, store.ErrInUse), lookErr),
	}
}

// checkOperations looks at them side by side. The findings of each come in the
// order of the configuration; wait waits until all are done.
func (s *settings) checkOperations(ctx context.Context, targets []config.Target) (results []chan check.OperationResult, wait func()) {
	results = make([]chan check.OperationResult, len(targets))
	for i := range results {
		results[i] = make(chan check.OperationResult, 1)
	}
	o, slots := &operations{settings: s}, make(chan struct{}, atOnce)
	var looks sync.WaitGroup
	for i, target := range targets {
		looks.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			defer s.busy.begin(fmt.Sprintf("checking operation %q", target.Name))()
			findings := o.toCheck(target).Findings(ctx)
			results[i] <- check.OperationResult{Operation: target.Name, OK: check.Fine(findings), Findings: findings}
		})
	}
	return results, looks.Wait
}

// toCheck is an operation with the client that would poll it.
func (o *operations) toCheck(target config.Target) *check.Operation {
	shapes := check.Shapes{}
	options := append(o.clientOptions(target), wolkvox.WithShapes(shapes.Add))
	var unread []wolkvox.Field
	if !o.agents {
		unread = append(unread, wolkvox.AgentField)
	}
	if !o.agentNames {
		unread = append(unread, wolkvox.AgentNameField)
	}
	return &check.Operation{
		Base:   target.Base,
		Zone:   target.Zone,
		API:    wolkvox.NewClient(target.Base, target.Token, options...),
		Shapes: shapes,
		Needs:  requestsPerDay(&target.Operation.Poll),
		Unread: unread,
	}
}

// requestsPerDay is what an ordinary day takes, where no window is cut.
func requestsPerDay(poll *config.Poll) int {
	const day = 24 * time.Hour
	times := func(every time.Duration) int { return int(day / every) }
	requests := times(poll.Interval.Duration) + times(tokenInfoInterval) + times(routingPointsInterval)
	return requests + int(math.Ceil(poller.ReconcileRequests(poll.ReconcileInterval.Duration, poll.ReconcileWindow.Duration)))
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
