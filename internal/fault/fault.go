// Package fault logs what lasts, failures and warnings: one line when it begins, and one
// when it ends.
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

// Fault is a failure that may last. The zero value is none.
type Fault struct {
	Since time.Time // when it began
	Err   error     // its newest error, nil if there is no fault

	kind string
}

// Begin is called with each error of a task that is tried again and again. It logs the
// first one, and those of another kind than the one before.
func (f *Fault) Begin(logger log.Logger, task string, err error, keyvals ...any) {
	kind := kindOf(err)
	if f.Err == nil {
		f.Since = time.Now()
	}
	isNew := f.Err == nil || f.kind != kind
	f.Err, f.kind = err, kind
	keyvals = append(keyvals, "err", OneLine(err))
	if isNew {
		level.Error(logger).Log(append([]any{"msg", task + " fails, it goes on being tried"}, keyvals...)...)
	} else {
		level.Debug(logger).Log(append([]any{"msg", task + " still fails"}, keyvals...)...)
	}
}

// End is called with each success of the task. It logs the first one after an error.
func (f *Fault) End(logger log.Logger, task string) {
	if f.Err != nil {
		level.Info(logger).Log("msg", task+" works again", "after", time.Since(f.Since).Round(time.Second))
	}
	*f = Fault{}
}

// Warning is a condition that may last, but fails no task. The zero value is over.
type Warning bool

// Set is called whenever the condition is known. It logs when the condition begins and
// when it ends.
func (w *Warning) Set(logger log.Logger, now bool, what string, keyvals ...any) {
	switch {
	case now && !bool(*w):
		level.Warn(logger).Log(append([]any{"msg", what}, keyvals...)...)
	case !now && bool(*w):
		level.Info(logger).Log("msg", "no longer so: "+what)
	}
	*w = Warning(now)
}

// OneLine returns an error's text in one line. The errors of a configuration have a line
// for each problem.
func OneLine(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.ReplaceAll(strings.Join(lines, "; "), ":; ", ": ")
}

// kindOf returns what errors of one cause have in common. The API's have a result.
// Others have the types of what they wrap, and an error number or a text at the end.
// The texts on the way can hold what differs each time, such as the name of a
// temporary file.
func kindOf(err error) string {
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
				kind.WriteString(kindOf(each) + " ")
			}
			err = nil
		default:
			kind.WriteString(err.Error())
			err = nil
		}
	}
	return kind.String()
}
