package bench

import (
	"context"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// exporter polls a report with the packages of the program.
type exporter struct {
	file   *store.File
	ledger *ledger.Ledger
}

func newExporter(tb testing.TB) *exporter {
	tb.Helper()
	folder, err := store.Open(filepath.Join(tb.TempDir(), "data"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := folder.Close(); err != nil {
			tb.Error(err)
		}
	})
	return &exporter{file: folder.File("bench"), ledger: newLedger()}
}

func newLedger() *ledger.Ledger { return ledger.New(ledger.Options{MaxLabelSets: 1000}) }

// forget makes every chat a new one.
func (e *exporter) forget() { e.ledger = newLedger() }

func (e *exporter) poll(ctx context.Context, base string) (rows int, err error) {
	api, err := url.Parse(base)
	if err != nil {
		return 0, err
	}
	client := wolkvox.NewClient(api, wolkvox.StaticToken(token))
	t := e.ledger.Begin(wolkvox.ToLocalTime(ending))
	for chat, err := range client.Chats(ctx, window) {
		if err != nil {
			return rows, err
		}
		t.Apply(&chat, ledger.Starting)
		rows++
	}
	t.Stamp(time.Now())
	state, err := t.Marshal()
	if err != nil {
		return rows, err
	}
	if err := e.file.Save(state); err != nil {
		return rows, err
	}
	t.Commit()
	return rows, nil
}
