package postgres

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	connectTimeout = 5 * time.Second
	// requestTimeout is the time limit of a request, including a connection for it.
	requestTimeout = 20 * time.Second
	// shutdownGrace is how long requests under way may take once the program shuts down.
	shutdownGrace = 2 * time.Second
	// idleLimit is how long a connection may be idle before it is checked.
	idleLimit = time.Second
)

// keepAlive notices a dead connection between two requests, and keeps firewalls from
// forgetting one.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}

// Options describe a database.
type Options struct {
	URL string // as [CheckURL] accepts it
	// PasswordFile is read for each connection. Without it, Password is used, and without
	// both the file that PGPASSFILE names.
	PasswordFile, Password string
	// Migrate creates or updates the schema when the first connection is made.
	Migrate bool
	// Observe is called after each request; nil for no calls.
	Observe func(request string, took time.Duration, err error)
}

// DB is a database with one connection, which is made when it is needed. It can be used by
// any goroutine.
type DB struct {
	options Options
	target  string
	ctx     context.Context // of all requests
	end     func()
	timeout time.Duration // of a request

	mu       sync.Mutex // held while the connection is used
	conn     *pgconn.PgConn
	lastUsed time.Time
	migrated bool
}

// Open returns a database. It does not connect. Requests end shortly after ctx is done.
func Open(ctx context.Context, options Options) (*DB, error) {
	_, target, err := parseURL(options.URL)
	if err != nil {
		return nil, err
	}
	db := &DB{options: options, target: target, timeout: requestTimeout}
	var cancel context.CancelFunc
	db.ctx, cancel = context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(shutdownGrace, cancel) })
	db.end = func() {
		stop()
		cancel()
	}
	return db, nil
}

// Target returns the name of the database and its host, for messages.
func (db *DB) Target() string { return db.target }

// Close closes the connection. Later requests fail.
func (db *DB) Close() {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.end()
	db.disconnect(db.ctx)
}

// disconnect closes the connection, if there is one.
func (db *DB) disconnect(ctx context.Context) {
	if db.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = db.conn.Close(ctx) // The server notices it in any case.
	db.conn = nil
}

// Check connects and checks the schema, and returns the version of the server.
func (db *DB) Check() (server string, err error) {
	rows, err := db.query("check", statement{sql: "SELECT current_setting('server_version')"})
	if err != nil {
		return "", err
	}
	return string(rows[0][0]), nil
}

// statement is a single statement. Parameters are nil for NULL.
type statement struct {
	sql        string
	parameters [][]byte
	binary     []int16 // formats of the columns of the result: 1 for bytea, nil if there is none
}

// query runs a statement and returns its rows. request names it in metrics.
func (db *DB) query(request string, s statement) (rows [][][]byte, err error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	start := time.Now()
	ctx, cancel := context.WithTimeout(db.ctx, db.timeout)
	defer cancel()
	rows, err = db.run(ctx, s)
	if err != nil {
		err = &databaseError{db.target, err}
	}
	if db.options.Observe != nil {
		db.options.Observe(request, time.Since(start), err)
	}
	return rows, err
}

func (db *DB) run(ctx context.Context, s statement) ([][][]byte, error) {
	if err := db.ensureConnected(ctx); err != nil {
		return nil, err
	}
	rows, err := db.execute(ctx, s)
	if err != nil && pgconn.SafeToRetry(err) && ctx.Err() == nil { // Nothing was sent.
		db.disconnect(ctx)
		if err := db.ensureConnected(ctx); err != nil {
			return nil, err
		}
		rows, err = db.execute(ctx, s)
	}
	db.lastUsed = time.Now()
	if err != nil {
		db.disconnectAfter(ctx, err)
		return nil, explain(err)
	}
	return rows, nil
}

// disconnectAfter closes the connection unless the server has answered and goes on.
func (db *DB) disconnectAfter(ctx context.Context, err error) {
	if _, answered := errors.AsType[*pgconn.PgError](err); !answered || db.conn.IsClosed() {
		db.disconnect(ctx)
	}
}

func (db *DB) execute(ctx context.Context, s statement) ([][][]byte, error) {
	formats := make([]int16, len(s.parameters))
	for i := range formats {
		formats[i] = 1
	}
	result := db.conn.ExecParams(ctx, s.sql, s.parameters, nil, formats, s.binary).Read()
	return result.Rows, result.Err
}

// ensureConnected makes a connection if there is none that works.
func (db *DB) ensureConnected(ctx context.Context) error {
	if db.conn != nil && time.Since(db.lastUsed) > idleLimit {
		pingCtx, cancel := context.WithTimeout(ctx, connectTimeout)
		err := db.conn.Ping(pingCtx)
		cancel()
		if err != nil {
			db.disconnect(ctx)
		}
	}
	if db.conn != nil && !db.conn.IsClosed() {
		return nil
	}
	if err := db.connect(ctx); err != nil {
		return err
	}
	err := db.prepare(ctx)
	if err != nil {
		db.disconnect(ctx)
	}
	return err
}

// connect makes a connection.
func (db *DB) connect(ctx context.Context) error {
	config, err := db.options.config()
	if err != nil {
		return err
	}
	if db.conn, err = pgconn.ConnectConfig(ctx, config); err != nil {
		db.conn = nil
		return explain(err)
	}
	db.lastUsed = time.Now()
	return nil
}

// prepare migrates the schema if that is due, and checks it.
func (db *DB) prepare(ctx context.Context) error {
	if db.options.Migrate && !db.migrated {
		if _, err := db.migrate(ctx, ""); err != nil {
			return err
		}
		db.migrated = true
	}
	return db.checkSchema(ctx)
}

func formatInt(n int64) []byte { return strconv.AppendInt(nil, n, 10) }
