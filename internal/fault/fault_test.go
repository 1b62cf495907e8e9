package fault

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func opening(name string, err error) error { return &fs.PathError{Op: "open", Path: name, Err: err} }

// saveError is an error with a type of its own.
type saveError struct{ error }

func (e *saveError) Unwrap() error { return e.error }

func saving(err error) error { return &saveError{fmt.Errorf("saving %q: %w", "state", err)} }

func TestKindOf_IgnoresWhatDiffersEachTime(t *testing.T) {
	sentinel := errors.New("cut")
	for name, same := range map[string][2]error{
		"the number of a temporary file": {saving(opening("1.unsaved", syscall.ENOSPC)), saving(opening("2.unsaved", syscall.ENOSPC))},
		"the call that met it":           {saving(&fs.PathError{Op: "write", Path: "1", Err: syscall.ENOSPC}), saving(&fs.PathError{Op: "sync", Path: "2", Err: syscall.ENOSPC})},
		"two names":                      {&os.LinkError{Op: "rename", Old: "1", New: "a", Err: syscall.EACCES}, &os.LinkError{Op: "rename", Old: "2", New: "a", Err: syscall.EACCES}},
		"a size in the text":             {fmt.Errorf("%w: 5 bytes", sentinel), fmt.Errorf("%w: 6 bytes", sentinel)},
		"an API's text":                  {&wolkvox.Error{Result: wolkvox.Network, Err: errors.New("port 1")}, &wolkvox.Error{Result: wolkvox.Network, Err: errors.New("port 2")}},
		"several at once":                {errors.Join(opening("1", syscall.EIO), sentinel), errors.Join(opening("2", syscall.EIO), sentinel)},
	} {
		if first, second := classify(same[0]), classify(same[1]); first != second {
			t.Errorf("%s: have kinds %q and %q, want one", name, first, second)
		}
	}
}

func TestKindOf_DiffersByCause(t *testing.T) {
	kinds := map[string]error{}
	for _, err := range []error{
		saving(opening("a", syscall.ENOSPC)), saving(opening("a", syscall.EACCES)), saving(opening("a", syscall.EROFS)), saving(opening("a", syscall.ENOENT)),
		saving(opening("a", syscall.EFBIG)), saving(opening("a", syscall.EIO)), saving(fs.ErrClosed),
		fmt.Errorf("reading the token file: %w", opening("token", syscall.ENOENT)),
		&wolkvox.Error{Result: wolkvox.Network}, &wolkvox.Error{Result: wolkvox.TokenRejected},
		errors.New("one"), errors.New("another"), errors.Join(errors.New("one"), errors.New("another")),
	} {
		kind := classify(err)
		if other := kinds[kind]; other != nil {
			t.Errorf("%q and %q have one kind, %q", err, other, kind)
		}
		kinds[kind] = err
	}
}

func TestFault_LogsBeginChangesAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		logger := level.NewFilter(log.NewLogfmtLogger(&out), level.AllowInfo())
		var f Fault
		began := time.Now()
		f.End(logger, "poll")
		for i := range 5 {
			f.Begin(logger, "poll", saving(opening(fmt.Sprint(i), syscall.ENOSPC)), "result", "none")
			time.Sleep(time.Minute)
		}
		f.Begin(logger, "poll", saving(opening("5", syscall.EROFS)), "result", "none")
		if !f.Since.Equal(began) || f.Err == nil {
			t.Errorf("have a fault since %s with error %v, want its first moment and its last error", f.Since, f.Err)
		}
		f.End(logger, "poll")
		f.End(logger, "poll")
		want := []string{
			`level=error msg="poll failed, will retry" result=none err="saving \"state\": open 0: no space left on device"`,
			`level=error msg="poll failed, will retry" result=none err="saving \"state\": open 5: read-only file system"`,
			`level=info msg="poll succeeded again" after=5m0s`,
		}
		if have := strings.TrimSpace(out.String()); have != strings.Join(want, "\n") {
			t.Errorf("have the log\n%s\nwant\n%s", have, strings.Join(want, "\n"))
		}
		if f.Err != nil || !f.Since.IsZero() {
			t.Errorf("have %+v after the end, want no fault", f)
		}
	})
}
