//go:build unix

package test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/postgres/postgrestest"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// startPostgres starts a PostgreSQL server. Without its programs the test is skipped, or
// fails if E2E_REQUIRED is set.
func startPostgres(t *testing.T) *postgrestest.Server {
	t.Helper()
	s, err := postgrestest.Start(os.Getenv("POSTGRES_BIN"))
	if errors.Is(err, postgrestest.ErrNoPrograms) && os.Getenv("E2E_REQUIRED") == "" {
		t.Skipf("POSTGRES_BIN %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Remove)
	return s
}

// newSchema returns the name of a new database that has the schema.
func newSchema(t *testing.T, s *postgrestest.Server) string {
	t.Helper()
	database, err := s.NewDatabase()
	if err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := invocation{args: []string{"state", "migrate", "--grant=" + postgrestest.Role, "--storage.url=" + s.URL("postgres", database)}}.runToEnd(t)
	if status != 0 || stderr != "" || !strings.Contains(stdout, "has version 1 now") {
		t.Fatalf("state migrate: have status %d, stdout %q and stderr %q", status, stdout, stderr)
	}
	return database
}

// onDatabase returns the program with its state in a database instead of a folder.
func (l invocation) onDatabase(url string) invocation {
	l.args = slices.DeleteFunc(slices.Clone(l.args), func(arg string) bool { return strings.HasPrefix(arg, "--storage.path") })
	l.args = append(l.args, "--storage.url="+url)
	l.env = append(slices.Clone(l.env), "WOLKVOX_STORAGE_PASSWORD="+postgrestest.Password)
	return l
}

func sql(t *testing.T, s *postgrestest.Server, database, sql string) {
	t.Helper()
	if _, err := s.SQL(database, sql); err != nil {
		t.Fatal(err)
	}
}

// databaseFaults breaks the exporter, its database and the network between them at random.
type databaseFaults struct {
	*randomKills
	server *postgrestest.Server
	proxy  *postgrestest.Proxy
}

// faults are the faults by name. Each has ended when it returns.
func (d *databaseFaults) faults() map[string]func() {
	control := func(action string) {
		if err := d.server.Control(action, "-m", "immediate"); err != nil {
			d.t.Error(err)
		}
	}
	during := func(flag *atomic.Bool, do func()) {
		flag.Store(true)
		defer flag.Store(false)
		do()
	}
	wait := func() { d.sleepUpTo(1500 * time.Millisecond) }
	restart := func() { d.kill(); d.start() }
	return map[string]func(){
		"kill":                    restart,
		"kill in a lost answer":   func() { during(&d.proxy.Swallow, func() { wait(); d.kill() }); d.start() },
		"lost answers":            func() { during(&d.proxy.Swallow, wait) },
		"cut connections":         d.proxy.Cut,
		"nothing arrives":         func() { during(&d.proxy.Hole, wait); d.proxy.Cut() },
		"late answers":            func() { d.proxy.Delay.Store(d.random.Int64N(int64(time.Second))); wait(); d.proxy.Delay.Store(0) },
		"crash of the database":   func() { control("restart") },
		"kill without a database": func() { control("stop"); restart(); wait(); d.startDatabase() },
		"without a database":      func() { control("stop"); wait(); d.startDatabase() },
	}
}

func (d *databaseFaults) startDatabase() {
	if err := d.server.Control("start"); err != nil {
		d.t.Error(err)
	}
}

// newDatabaseFaults starts a program with its state in a new database, behind a proxy.
func newDatabaseFaults(t *testing.T, s *postgrestest.Server, readings wolkvoxtest.Readings, random *rand.Rand) *databaseFaults {
	t.Helper()
	database := newSchema(t, s)
	proxy, err := s.StartProxy()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	k := newKillTest(t, readings, 400*time.Millisecond)
	k.program = k.program.onDatabase(proxy.URL(postgrestest.Role, database))
	k.mayBeAbsent = true
	d := &databaseFaults{&randomKills{killTest: k, random: random}, s, proxy}
	d.startFirst()
	d.last = time.Now().Add(time.Second)
	return d
}

// Kills of the exporter, crashes of the database and faults of the network between them
// never show a chat twice, take one back or lose one.
func TestServe_CountsEachChatOnceOverPostgreSQL(t *testing.T) {
	t.Parallel()
	d := newDatabaseFaults(t, startPostgres(t), wolkvoxtest.Readings{}, rand.New(rand.NewPCG(17, 17)))
	watched, faults := d.watch(), d.faults()
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		d.addChats()
		faults[name]()
	}
	d.wantAllChats(d.chats, watched)
	if strings.Contains(d.logged(), postgrestest.Password) {
		t.Error("the log has the password")
	}
}

// The same at random, for minutes, under readings of the API that make it hard to count a
// chat once.
func TestServe_CountsEachChatOnceThroughHundredsOfDatabaseFaults(t *testing.T) {
	if os.Getenv("TORTURE") == "" {
		t.Skip("it takes minutes: set TORTURE to run it")
	}
	seed := envUint(t, "TORTURE_SEED", rand.Uint64())
	count := int(envUint(t, "TORTURE_KILLS", 300)) / len(awkwardReadings)
	t.Logf("to repeat this plan: TORTURE_SEED=%d", seed)
	s, happened := startPostgres(t), map[string]int{}
	for i, api := range awkwardReadings {
		t.Run(api.name, func(t *testing.T) {
			d := newDatabaseFaults(t, s, api.readings, rand.New(rand.NewPCG(seed, uint64(i))))
			began, watched, faults := time.Now(), d.watch(), d.faults()
			names := slices.Sorted(maps.Keys(faults))
			for range count {
				if t.Failed() {
					return
				}
				d.addChats()
				name := names[d.random.IntN(len(names))]
				happened[name]++
				faults[name]()
				d.sleepUpTo(1500 * time.Millisecond)
			}
			d.wantAllChats(d.chats, watched)
			t.Logf("%d faults in %s: %d chats, %d scrapes", count, time.Since(began).Round(time.Second), d.chats, d.scrapes.Load())
		})
	}
	for name, n := range happened {
		t.Logf("%3d times %s", n, name)
	}
}

// A restored backup has less than was shown: the exporter shows nothing until it is started
// again, and then fetches what is missing.
func TestServe_ShowsNothingOfRestoredBackup(t *testing.T) {
	t.Parallel()
	s := startPostgres(t)
	database := newSchema(t, s)
	k := newKillTest(t, wolkvoxtest.Readings{}, 0)
	k.program = k.program.onDatabase(s.URL(postgrestest.Role, database))
	k.startFirst()
	sql(t, s, database, "BEGIN ISOLATION LEVEL REPEATABLE READ; CREATE TABLE backup AS SELECT * FROM wolkvox.operation; CREATE TABLE backup_seen AS SELECT * FROM wolkvox.seen; COMMIT")
	k.server.Add(endingSoon(0, 20, time.Now(), time.Second)...)
	k.await("chats", func(have samples) bool { return have.sum("wolkvox_chat_interactions_total") == 20 })

	sql(t, s, database, "BEGIN; DELETE FROM wolkvox.operation; INSERT INTO wolkvox.operation SELECT * FROM backup; INSERT INTO wolkvox.seen SELECT * FROM backup_seen; COMMIT")
	k.await("no chats", func(have samples) bool {
		n := have.sum("wolkvox_chat_interactions_total")
		if n != 20 && n != 0 {
			t.Errorf("have %v chats, want 20 or none", n)
		}
		return len(have.chats()) == 0 && have[`wolkvox_exporter_operation_not_loaded{operation="wv0042",reason="state_behind"}`] == 1
	})
	if !strings.Contains(k.logged(), "restart the exporter to continue from the older state") {
		t.Errorf("the log does not say what to do:\n%s", k.logged())
	}
	k.kill()
	k.start()
	k.wantAllChats(20, func() {})
}

func TestState_MovesBetweenFolderAndDatabase(t *testing.T) {
	t.Parallel()
	s := startPostgres(t)
	database := newSchema(t, s)
	url := s.URL(postgrestest.Role, database)
	k := newKillTest(t, wolkvoxtest.Readings{}, 0)
	k.startFirst()
	k.server.Add(endingSoon(0, 10, time.Now(), time.Second)...)
	k.await("chats", func(have samples) bool { return have.sum("wolkvox_chat_interactions_total") == 10 })
	state := func(arguments ...string) (status int, stdout, stderr string) {
		return invocation{dir: k.program.dir, args: append([]string{"state"}, arguments...), env: []string{"WOLKVOX_STORAGE_PASSWORD=" + postgrestest.Password, "WOLKVOX_STORAGE_URL=" + url}}.runToEnd(t)
	}
	succeed := func(want string, arguments ...string) {
		t.Helper()
		if status, stdout, stderr := state(arguments...); status != 0 || stderr != "" || !strings.Contains(stdout, want) {
			t.Errorf("%q: have status %d, stdout %q and stderr %q, want %q", arguments, status, stdout, stderr, want)
		}
	}
	fail := func(want string, arguments ...string) {
		t.Helper()
		status, stdout, stderr := state(arguments...)
		wantOneLineError(t, status, stdout, stderr, want)
	}
	fail("is in use by another wolkvox_exporter", "import", "--storage.path=state")
	k.current.Load().stop(syscall.SIGTERM)
	fail("does not exist", "import", "--storage.path=nowhere")
	succeed("nothing is saved in database", "list")
	succeed(`imported the state of operation "wv0042"`, "import", "--storage.path=state")
	succeed("1 states are in", "import", "--storage.path=state") // It is the same one.
	succeed("good", "list")

	onFiles := k.program
	k.program = k.program.onDatabase(url)
	k.start()
	if have := k.scrape().sum("wolkvox_chat_interactions_total"); have != 10 {
		t.Errorf("imported: have %v chats, want 10", have)
	}
	k.server.Add(endingSoon(10, 10, time.Now(), time.Second)...)
	k.await("more chats", func(have samples) bool {
		return have.sum("wolkvox_chat_interactions_total") == 20 && have["wolkvox_exporter_storage_up"] == 1
	})
	k.current.Load().stop(syscall.SIGTERM)
	fail(`has another saved state in database`, "import", "--storage.path=state")
	fail(`has another saved state in "state"`, "export", "--storage.path=state")
	succeed(`exported the state of operation "wv0042"`, "export", "--storage.path=state", "--replace")

	k.program = onFiles
	k.start()
	if have := k.scrape().sum("wolkvox_chat_interactions_total"); have != 20 {
		t.Errorf("exported: have %v chats, want 20", have)
	}
	fail("has no saved state", "remove", "other")
	succeed("has the state of", "rename", "wv0042", "other")
	succeed("removed", "remove", "other")

	newer := fmt.Sprintf("INSERT INTO wolkvox.migration (version) VALUES (%d)", 99)
	sql(t, s, database, newer)
	fail("of a newer version of wolkvox_exporter: run that version", "list")
}

func TestServe_RefusesDatabaseThatNeedsAPerson(t *testing.T) {
	t.Parallel()
	s := startPostgres(t)
	empty, err := s.NewDatabase()
	if err != nil {
		t.Fatal(err)
	}
	k := newKillTest(t, wolkvoxtest.Readings{}, 0)
	for want, program := range map[string]invocation{
		"run wolkvox_exporter state migrate":               k.program.onDatabase(s.URL(postgrestest.Role, empty)),
		"it refused the user or the password":              k.program.onDatabase(s.URL("another", empty)),
		"--storage.url cannot be used with --storage.path": {args: []string{"--storage.url=" + s.URL("u", empty), "--storage.path=data"}},
		"invalid --storage.url: it has a password":         {args: []string{"--storage.url=postgres://u:hunter2@db.example/w"}},
		"need --storage.url":                               {args: []string{"--storage.migrate"}},
		"state import needs --storage.url":                 {args: []string{"state", "import"}},
	} {
		status, stdout, stderr := program.runToEnd(t)
		line := stderr[strings.LastIndex(strings.TrimSpace(stderr), "\n")+1:]
		if status == 0 || stdout != "" || !strings.Contains(line, want) || strings.Contains(stderr, "hunter2") || strings.Contains(stderr, postgrestest.Password) {
			t.Errorf("have status %d, stdout %q and stderr %q, want %q", status, stdout, stderr, want)
		}
	}
	check := func(want string) {
		t.Helper()
		program := newKillTest(t, wolkvoxtest.Readings{}, 0).program.onDatabase(s.URL("postgres", empty))
		program.args = append([]string{"check"}, slices.DeleteFunc(program.args, func(arg string) bool { return strings.HasPrefix(arg, "--web.") })...)
		if _, stdout, stderr := program.runToEnd(t); !strings.Contains(stdout, want) || stderr != "" {
			t.Errorf("check: have stdout %q and stderr %q, want %q", stdout, stderr, want)
		}
	}
	check("run wolkvox_exporter state migrate")
	k.program = k.program.onDatabase(s.URL("postgres", empty))
	k.program.args = append(k.program.args, "--storage.migrate")
	k.start()
	k.await("a first poll", up)
	check("can be used: PostgreSQL 1")
	check("it can be loaded from the database")
}

// The commands of docs/postgresql.md set up a database in which the exporter has the rights
// that it needs, and no others.
func TestPostgreSQLDoc_SetsUp(t *testing.T) {
	t.Parallel()
	s := startPostgres(t)
	page, err := os.ReadFile("docs/postgresql.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(page), "```sql\n")
	block, _, _ = strings.Cut(block, "```")
	// The server has a role of this name already.
	block = strings.NewReplacer("wolkvox_exporter", "an_exporter", "…", postgrestest.Password).Replace(block)
	for statement := range strings.SplitSeq(strings.TrimSpace(block), "\n") {
		sql(t, s, "postgres", statement)
	}
	owner := invocation{args: []string{"state", "migrate", "--grant=an_exporter"}}.onDatabase(s.URL("wolkvox_owner", "wolkvox"))
	if status, stdout, stderr := owner.runToEnd(t); status != 0 || !strings.Contains(stdout, "has version 1 now") {
		t.Fatalf("have status %d, stdout %q and stderr %q", status, stdout, stderr)
	}
	k := newKillTest(t, wolkvoxtest.Readings{}, 0)
	k.program = k.program.onDatabase(s.URL("an_exporter", "wolkvox"))
	k.startFirst()
	k.server.Add(endingSoon(0, 10, time.Now(), time.Second)...)
	k.await("chats", func(have samples) bool { return have.sum("wolkvox_chat_interactions_total") == 10 })
}
