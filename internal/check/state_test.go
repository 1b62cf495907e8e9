package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
)

// save keeps states of an operation, one after the other, and returns the path of the
// file.
func save(t *testing.T, dir, operation string, states ...[]byte) (path string) {
	t.Helper()
	folder, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	file := folder.File(operation)
	for _, state := range states {
		if err := file.Save(state); err != nil {
			t.Fatal(err)
		}
	}
	return file.Path()
}

// saveCorrupt keeps two states of an operation, and cuts the newer one.
func saveCorrupt(t *testing.T, dir, operation string) {
	t.Helper()
	path := save(t, dir, operation, []byte("older"), []byte("newer"))
	if err := os.Truncate(path, 40); err != nil {
		t.Fatal(err)
	}
}

// empty is the state of a ledger that has counted nothing.
func empty(t *testing.T) []byte {
	t.Helper()
	state, err := ledger.New(ledger.Options{}).Begin(0).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func TestSavedStateFinding_FailsWhereServeWouldFail(t *testing.T) {
	good := empty(t)
	for name, test := range map[string]struct {
		prepare  func(dir string)
		status   Status
		text, do string
	}{
		"first start":   {func(string) {}, OK, "does not exist yet: this is a first start", ""},
		"good":          {func(dir string) { save(t, dir, "wv0042", good) }, OK, "can be loaded", ""},
		"corrupt":       {func(dir string) { saveCorrupt(t, dir, "wv0042") }, Failed, "cannot be loaded: the state file is cut or corrupt", "to go back to the previous generation"},
		"no ledger":     {func(dir string) { save(t, dir, "wv0042", []byte("x")) }, Failed, "cannot be loaded: decoding the state", "run the version that wrote it"},
		"newer ledger":  {func(dir string) { save(t, dir, "wv0042", []byte("ledger v2\n")) }, Failed, "written by a newer version", "run the version that wrote it"},
		"previous only": {func(dir string) { _ = os.Remove(save(t, dir, "wv0042", good, good)) }, Failed, "the state file is missing", "to go back to the previous generation"},
		"a folder":      {func(dir string) { _ = os.MkdirAll(filepath.Join(dir, "wv0042.state"), 0o700) }, Failed, "directory", "there is no usable previous generation beside it; to start over"},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		test.prepare(dir)
		have := SavedStateFinding(dir, "wv0042")
		if have.ID != State || have.Status != test.status || !strings.Contains(have.Text, test.text) || !strings.HasPrefix(have.Advice, test.do) || have.Advice == "" != (test.do == "") {
			t.Errorf("%s: have %+v, want %s: %s → %s", name, have, test.status, test.text, test.do)
		}
	}
}
