// Package manager runs the operations of a configuration, and applies a configuration
// that has changed while they run.
package manager

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/wolkvox-exporter/wolkvox_exporter/collector"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/config"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/exposition"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/poller"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/postgres"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// How often each operation requests information that seldom changes.
const (
	routingPointsInterval = 24 * time.Hour
	tokenInfoInterval     = time.Hour
	zoneProbeInterval     = time.Hour
)

// Options holds what a manager needs.
type Options struct {
	// Targets reads the configuration.
	Targets func(ctx context.Context) ([]config.Target, error)
	// NewClient returns a client that polls a target.
	NewClient func(target config.Target, options ...wolkvox.Option) *wolkvox.Client
	// StoragePath is the folder of the states; empty for memory.
	StoragePath string
	// Database is where the states are instead, if it has a URL.
	Database postgres.Options
	// Ledger are the options of all ledgers, without their bounds.
	Ledger ledger.Options
	// Collector holds which metrics of a ledger are exported.
	Collector collector.Options
	// Listening is closed once the exporter can be scraped. Polling starts then.
	Listening <-chan struct{}
	// BeginTask is called before each task that may block, with a text for a log line,
	// and end after it.
	BeginTask func(name string) (end func())
	// BeginReload is called before each reload, and end after it.
	BeginReload func() (end func())
	// RunningTasks describes the tasks that have begun and not ended.
	RunningTasks func() string
	Logger       log.Logger
}

// Manager runs operations.
type Manager struct {
	options    Options
	operations *set
	applied    prometheus.Gauge
	database   *collector.StorageMetrics // nil without a database

	mu      sync.Mutex // held while a configuration is applied
	started bool       // a configuration has been applied
	storage *storage   // nil before the first configuration
}

// New returns a manager without operations. It registers the metrics of configuration reloads
// and of a database.
func New(reg prometheus.Registerer, options Options) *Manager {
	m := &Manager{
		options:    options,
		operations: newSet(),
		applied: promauto.With(reg).NewGauge(prometheus.GaugeOpts{
			Name: "wolkvox_exporter_config_last_reload_successful",
			Help: "Whether the configuration was read and applied at the last attempt: 1 if it was, 0 if not.",
		}),
	}
	if options.Database.URL != "" {
		m.database = collector.NewStorageMetrics(reg)
	}
	return m
}

// Snapshots returns the snapshots of the operations, sorted by name.
func (m *Manager) Snapshots() []status.Snapshot {
	runners := m.operations.runners()
	snapshots := make([]status.Snapshot, len(runners))
	for i, r := range runners {
		snapshots[i] = *r.Snapshot()
	}
	return snapshots
}

// Groups returns the metrics of the operations, sorted by name.
func (m *Manager) Groups() []*exposition.Group {
	var groups []*exposition.Group
	for _, r := range m.operations.runners() {
		groups = append(groups, r.Groups()...)
	}
	return groups
}

// Stop ends all operations and waits for them.
func (m *Manager) Stop() { m.operations.close() }

// Close ends all operations and releases the storage folder or the database.
func (m *Manager) Close() {
	m.Stop()
	if m.mu.TryLock() { // A reload that hangs can still use the folder until the process ends.
		defer m.mu.Unlock()
		m.storage.close()
	}
}

// newPoller loads an operation.
func (m *Manager) newPoller(target config.Target, requests *collector.APIMetrics, saves *collector.SaveMetrics, published func()) (*poller.Poller, error) {
	client := m.options.NewClient(target, wolkvox.WithObserver(requests.Observe))
	store := saves.Measure(m.storage.store(target.Name))
	poll, ledgerOptions := &target.Operation.Poll, m.options.Ledger
	ledgerOptions.Bounds = target.Operation.Buckets.Bounds()
	return poller.New(client, store, poller.Options{
		Operation:         target.Name,
		Zone:              target.Zone,
		Logger:            m.options.Logger,
		Interval:          poll.Interval.Duration,
		Overlap:           poll.Overlap.Duration,
		ReconcileInterval: poll.ReconcileInterval.Duration,
		ReconcileWindow:   poll.ReconcileWindow.Duration,
		InitialWindow:     poll.InitialWindow.Duration,
		MaxCatchUp:        poll.MaxCatchUp.Duration,
		Ledger:            ledgerOptions,
		ZeroHold:          m.options.Collector.ZeroHold,
		Timeout:           target.Operation.Timeout.Duration,

		Information:           client,
		RoutingPointsInterval: routingPointsInterval,
		TokenInfoInterval:     tokenInfoInterval,
		ZoneProbeInterval:     zoneProbeInterval,
		RoutingPoints:         target.Operation.RoutingPoints,

		Published: published,
	})
}

// RequestsPerDay returns the number of requests in a day without truncated responses.
func RequestsPerDay(poll *config.Poll) int {
	const day = 24 * time.Hour
	times := func(every time.Duration) int { return int(day / every) }
	requests := times(poll.Interval.Duration) + times(tokenInfoInterval) + times(zoneProbeInterval) + times(routingPointsInterval)
	return requests + int(math.Ceil(poller.ReconcileRequests(poll.ReconcileInterval.Duration, poll.ReconcileWindow.Duration)))
}
