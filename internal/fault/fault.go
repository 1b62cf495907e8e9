// Package fault logs failures and warnings that last: one line when they begin, and one when
// they end.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Fault is a failure that may last. The zero value is no failure.
type Fault struct {
	Since time.Time // when it began
	Err   error     // its newest error, nil if there is no fault

	kind string
}

// Begin is called with each error of a task that is retried. It logs the first error, and
// each error of another kind than the one before.
func (f *Fault) Begin(logger log.Logger, task string, err error, keyvals ...any) {
	kind := classify(err)
	if f.Err == nil {
		f.Since = time.Now()
	}
	isNew := f.Err == nil || f.kind != kind
	f.Err, f.kind = err, kind
	keyvals = append(keyvals, "err", OneLine(err))
	if isNew {
		level.Error(logger).Log(append([]any{"msg", task + " failed, will retry"}, keyvals...)...)
	} else {
		level.Debug(logger).Log(append([]any{"msg", task + " failed again"}, keyvals...)...)
	}
}

// End is called with each success of the task. It logs the first one after an error.
func (f *Fault) End(logger log.Logger, task string) {
	if f.Err != nil {
		level.Info(logger).Log("msg", task+" succeeded again", "after", time.Since(f.Since).Round(time.Second))
	}
	*f = Fault{}
}

// Warning is a condition that may last and does not fail a task. The zero value is inactive.
type Warning bool

// Set sets whether the condition is active. It logs when the condition begins and when it
// ends.
func (w *Warning) Set(logger log.Logger, active bool, message string, keyvals ...any) {
	switch {
	case active && !bool(*w):
		level.Warn(logger).Log(append([]any{"msg", message}, keyvals...)...)
	case !active && bool(*w):
		level.Info(logger).Log("msg", "resolved: "+message)
	}
	*w = Warning(active)
}

// OneLine returns the text of an error in one line. Errors of a configuration have a line for
// each problem.
func OneLine(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.ReplaceAll(strings.Join(lines, "; "), ":; ", ": ")
}

// classify returns a text that is the same for errors of one cause. For an error of the API it
// is the result. For any other error it has the types of the wrapped errors, and the error
// number or the text of the last one. The other texts may differ each time, such as the name
// of a temporary file.
func classify(err error) string {
	if failure, ok := errors.AsType[*wolkvox.Error](err); ok {
		return string(failure.Result)
	}
	var kind strings.Builder
	for err != nil {
		fmt.Fprintf(&kind, "%T ", err)
		switch wrapping := err.(type) { //nolint:errorlint // It walks the chain itself.
		case syscall.Errno:
			fmt.Fprint(&kind, uintptr(wrapping))
			err = nil
		case interface{ Unwrap() error }:
			err = wrapping.Unwrap()
		case interface{ Unwrap() []error }:
			for _, each := range wrapping.Unwrap() {
				kind.WriteString(classify(each) + " ")
			}
			err = nil
		default:
			kind.WriteString(err.Error())
			err = nil
		}
	}
	return kind.String()
}
