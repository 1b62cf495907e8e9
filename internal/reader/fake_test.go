package reader

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"go.uber.org/goleak"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const day = 24 * time.Hour

var bogota = time.FixedZone("America/Bogota", -5*60*60)

// fakeReport answers from a list of chats as an API that selects on the end, both ends
// inclusive. fail is called before each request, with its number from 0.
type fakeReport struct {
	chats   []wolkvox.Chat
	fail    func(n int, w wolkvox.Window) error
	windows []wolkvox.Window
}

func (f *fakeReport) Chats(_ context.Context, w wolkvox.Window) iter.Seq2[wolkvox.Chat, error] {
	return func(yield func(wolkvox.Chat, error) bool) {
		f.windows = append(f.windows, w)
		if f.fail != nil {
			if err := f.fail(len(f.windows)-1, w); err != nil {
				yield(wolkvox.Chat{}, err)
				return
			}
		}
		rows := 0
		for _, chat := range f.chats {
			if chat.End < w.From || chat.End > w.To {
				continue
			}
			if rows == wolkvox.MaxRows || !yield(chat, nil) {
				return
			}
			rows++
		}
	}
}

// LastResponse announces no number of rows.
func (*fakeReport) LastResponse() wolkvox.Response { return wolkvox.Response{Announced: -1} }

func failing(result wolkvox.Result) error { return &wolkvox.Error{Result: result} }

// chat returns a chat that ended at a time.
func chat(number int, end time.Time) wolkvox.Chat {
	local := wolkvox.ToLocalTime(end.In(bogota))
	return wolkvox.Chat{ID: wolkvox.ID(number), Start: local - 60, End: local, RoutingPoint: "7", Channel: "web"}
}

func options() Options {
	return Options{Zone: bogota, Logger: log.NewNopLogger(), Interval: 5 * time.Minute, Timeout: time.Minute}
}

// lines is a logger that keeps its lines.
type lines struct{ text strings.Builder }

func (l *lines) logger() log.Logger { return log.NewLogfmtLogger(&l.text) }

// wantSpans compares the windows that were requested, on the wall clock, without the
// second that each reaches further back.
func wantSpans(t *testing.T, f *fakeReport, want ...string) {
	t.Helper()
	var have []string
	for _, w := range f.windows {
		have = append(have, (w.From+1).String()+" "+w.To.String())
	}
	if !slices.Equal(have, want) {
		t.Errorf("windows:\nhave %s\nwant %s", strings.Join(have, "\n     "), strings.Join(want, "\n     "))
	}
}
