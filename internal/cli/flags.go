package cli

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/config"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/postgres"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/web"
)

const (
	serveCommand = "serve"
	demoCommand  = "demo"
	checkCommand = "check"

	demoInterval = 5 * time.Second
	demoAddress  = "127.0.0.1:10042"
)

// flags holds the command line.
type flags struct {
	command string

	configFile         string
	autoReloadInterval config.Duration
	operation          config.Operation // the only one, or with a configuration file the defaults for omitted keys

	storagePath        string
	database           postgres.Options // without a URL if states are not in a database
	agents, agentNames bool
	exemplars          bool
	nativeHistograms   bool
	classicHistograms  bool
	maxLabelSets       int
	zeroHold           config.Duration

	web           *toolkit.FlagConfig
	telemetryPath string
	lifecycle     bool

	logLevel, logFormat string

	checking    checkFlags
	backfilling backfillFlags
	state       stateArguments
}

// parse reads the command line. It reports done if --help or --version was handled.
func parse(args []string, stdout, stderr io.Writer) (f flags, done bool, err error) {
	app := kingpin.New(program, "Prometheus exporter for the chats of a wolkvox contact centre: handoffs, bot time, speed of answer, handle time.")
	app.UsageWriter(stdout).ErrorWriter(stderr)
	app.Terminate(func(int) { done = true })
	app.Version(version.Print(program))
	app.HelpFlag.Short('h')

	serve := app.Command(serveCommand, "Poll the operations and serve their metrics (default).")
	app.Command(demoCommand, "Run the exporter against a built-in fake wolkvox API that simulates a busy day. You don't need an account.")
	f.checking.add(app)
	f.backfilling.add(app)
	f.state.add(app)

	// kingpin sets the default through the value parser.
	duration := func(value *config.Duration, name, defaultValue, help string) *kingpin.FlagClause {
		clause := app.Flag(name, help).Default(defaultValue)
		clause.SetValue(value)
		return clause
	}
	for _, value := range []*config.Duration{&f.operation.Poll.Overlap, &f.operation.Poll.ReconcileInterval, &f.operation.Poll.InitialWindow, &f.operation.Poll.MaxCatchUp, &f.zeroHold, &f.autoReloadInterval} {
		value.ZeroAllowed = true
	}
	var intervalSet, storageSet, addressSet bool

	app.Flag("config.file", "YAML file with several operations. Flags provide defaults for omitted keys.").
		StringVar(&f.configFile)
	duration(&f.autoReloadInterval, "config.auto-reload-interval", "0s", "How often to look whether the content of the configuration file has changed, and to reload it then; 0s reloads only on SIGHUP or POST /-/reload.")
	app.Flag("wolkvox.server", "The operation's server: the digits after wv in the Manager's URL, such as 0042.").
		Envar("WOLKVOX_SERVER").StringVar(&f.operation.Server)
	app.Flag("wolkvox.url", "Base URL of the API, for a proxy or a test. Default: https://wv{server}.wolkvox.com").
		Envar("WOLKVOX_URL").StringVar(&f.operation.URL)
	app.Flag("wolkvox.token-file", "File with the token. Without a file, the token is read from the environment variable WOLKVOX_TOKEN. The file is read again when it changes.").
		Envar("WOLKVOX_TOKEN_FILE").StringVar(&f.operation.TokenFile)
	app.Flag("wolkvox.timezone", "The operation's time zone, an IANA name.").
		Envar("WOLKVOX_TIMEZONE").Default("America/Bogota").StringVar(&f.operation.TimeZone)
	duration(&f.operation.Timeout, "wolkvox.timeout", "60s", "Time limit for one request, including its body.")

	duration(&f.operation.Poll.Interval, "poll.interval", "5m", "How often the newest window is fetched.").IsSetByUser(&intervalSet)
	duration(&f.operation.Poll.Overlap, "poll.overlap", "30m", "How far each poll reads back before the end of the previous one.")
	duration(&f.operation.Poll.ReconcileInterval, "poll.reconcile-interval", "1h", "How often a part of the reconcile window is read again; 0s disables it.")
	duration(&f.operation.Poll.ReconcileWindow, "poll.reconcile-window", "48h", "How far back the deepest reconcile reads. Reconciles find chats that the API shows late or lists by their start.")
	duration(&f.operation.Poll.InitialWindow, "poll.initial-window", "5m", "How much time before a first start is counted. Older chats are only remembered.")
	duration(&f.operation.Poll.MaxCatchUp, "poll.max-catch-up", "168h", "How far back missed chats are fetched after a stop.")

	app.Flag("storage.path", "Folder of the saved state; empty keeps the state in memory only.").
		Default("data").IsSetByUser(&storageSet).StringVar(&f.storagePath)
	app.Flag("storage.url", "PostgreSQL for the saved state, instead of a folder: postgres://USER@HOST[:PORT]/DATABASE[?sslmode=verify-full]. It must have no password.").
		Envar("WOLKVOX_STORAGE_URL").StringVar(&f.database.URL)
	app.Flag("storage.password-file", "File with the password of --storage.url, read for each connection. Without a file, the password is read from the environment variable WOLKVOX_STORAGE_PASSWORD or from the file that PGPASSFILE names.").
		Envar("WOLKVOX_STORAGE_PASSWORD_FILE").StringVar(&f.database.PasswordFile)
	app.Flag("storage.migrate", "Create or update the schema of --storage.url at the start.").
		BoolVar(&f.database.Migrate)
	app.Flag("collector.agents", "Metrics per agent, by extension number.").BoolVar(&f.agents)
	app.Flag("collector.agent-names", "Agents' names in wolkvox_agent_info (personal data). Implies --collector.agents.").BoolVar(&f.agentNames)
	app.Flag("collector.exemplars", "The conn_id of a chat as exemplar of each bucket (OpenMetrics and protobuf).").BoolVar(&f.exemplars)
	app.Flag("collector.max-label-sets", `Maximum number of label sets per operation; further chats are counted under rp_id="other",channel="other". Also the maximum number of agents (agent_id="other").`).
		Default("1000").IntVar(&f.maxLabelSets)
	duration(&f.zeroHold, "collector.zero-hold", "2m", "How long a new label set is shown at 0 before its values, and a loaded state before newer values, so that increase() sees the rise.")
	app.Flag("collector.native-histograms", "Native histograms beside the classic buckets.").
		Default("true").BoolVar(&f.nativeHistograms)
	app.Flag("collector.classic-histograms", "Classic buckets. The rules and dashboards need them.").
		Default("true").BoolVar(&f.classicHistograms)

	f.web = kingpinflag.AddFlags(app, ":10042")
	app.GetFlag("web.listen-address").IsSetByUser(&addressSet)
	app.Flag("web.telemetry-path", "Path of the metrics endpoint.").Default("/metrics").StringVar(&f.telemetryPath)
	app.Flag("web.enable-lifecycle", "Also reload the configuration on POST /-/reload (SIGHUP always does).").BoolVar(&f.lifecycle)
	app.Flag("log.level", "Lowest level to log: debug, info, warn or error.").
		Default("info").EnumVar(&f.logLevel, "debug", "info", "warn", "error")
	app.Flag("log.format", "Log format: logfmt or json.").
		Default("logfmt").EnumVar(&f.logFormat, "logfmt", "json")

	nameInErrors(app)

	// With a default command, kingpin loses the error of an invalid flag. So the default
	// is set only after the command line has been parsed once without an error.
	if _, err := app.ParseContext(args); err != nil {
		return f, false, err
	}
	serve.Default()
	f.command, err = app.Parse(args)
	if done || err != nil {
		return f, done, err
	}
	f.operation.Token = os.Getenv("WOLKVOX_TOKEN")
	f.database.Password = os.Getenv("WOLKVOX_STORAGE_PASSWORD")
	if f.command == demoCommand {
		if !intervalSet {
			f.operation.Poll.Interval.Duration = demoInterval
		}
		if !storageSet {
			f.storagePath = ""
		}
		if !addressSet {
			*f.web.WebListenAddresses = []string{demoAddress}
		}
	}
	f.agents = f.agents || f.agentNames
	if err := f.validateStorage(storageSet); err != nil {
		return f, false, err
	}
	return f, false, f.validate()
}

// namedValue is a flag's value whose errors name the flag.
type namedValue struct {
	kingpin.Value
	flag string
}

// Set implements kingpin.Value.
func (n namedValue) Set(text string) error {
	if err := n.Value.Set(text); err != nil {
		return fmt.Errorf("--%s: %w", n.flag, err)
	}
	return nil
}

// nameInErrors wraps the values of all flags that can be invalid. Switches and lists
// cannot, and kingpin needs their own types.
func nameInErrors(app *kingpin.Application) {
	for _, flag := range app.Model().Flags {
		switch flag.Value.(type) {
		case interface{ IsBoolFlag() bool }, interface{ IsCumulative() bool }:
		default:
			app.GetFlag(flag.Name).SetValue(namedValue{flag.Value, flag.Name})
		}
	}
}

// validateStorage checks the flags of the storage, and chooses the folder or the database.
func (f *flags) validateStorage(pathIsSet bool) error {
	usesBoth := f.command == stateImportCommand || f.command == stateExportCommand
	switch {
	case f.database.URL == "" && (usesBoth || f.command == stateMigrateCommand):
		return fmt.Errorf("%s needs --storage.url", f.command)
	case f.database.URL == "" && (f.database.PasswordFile != "" || f.database.Migrate):
		return errors.New("--storage.password-file and --storage.migrate need --storage.url")
	case f.database.URL == "":
		return nil
	case usesBoth && f.storagePath == "":
		return fmt.Errorf("%s needs --storage.path, a folder", f.command)
	case pathIsSet && !usesBoth:
		return errors.New("--storage.url cannot be used with --storage.path: the state is in one of them")
	}
	if err := postgres.CheckURL(f.database.URL); err != nil {
		return fmt.Errorf("invalid --storage.url: %w", err)
	}
	if !usesBoth {
		f.storagePath = ""
	}
	return nil
}

// validate checks what the parsers of single flags cannot.
func (f *flags) validate() error {
	for _, address := range *f.web.WebListenAddresses {
		if strings.HasPrefix(address, "vsock://") {
			continue
		}
		if _, err := net.ResolveTCPAddr("tcp", address); err != nil {
			return fmt.Errorf("invalid --web.listen-address %q: %w", address, err)
		}
	}
	if o := &f.operation; f.configFile != "" && (o.Server != "" || o.URL != "" || o.TokenFile != "") {
		return errors.New("--config.file cannot be used with --wolkvox.server, --wolkvox.url or --wolkvox.token-file: each operation in the file has its own")
	}
	if f.configFile != "" && f.command == demoCommand {
		return errors.New("--config.file cannot be used with demo: it has its own operation")
	}
	if f.maxLabelSets < 1 {
		return fmt.Errorf("invalid --collector.max-label-sets %d: must be at least 1", f.maxLabelSets)
	}
	if f.autoReloadInterval.Duration > 0 && f.configFile == "" {
		return errors.New("--config.auto-reload-interval needs --config.file: without a file nothing can change")
	}
	if !f.classicHistograms && !f.nativeHistograms {
		return errors.New("--no-collector.classic-histograms cannot be used with --no-collector.native-histograms: histograms would have no buckets")
	}
	if err := web.CheckTelemetryPath(f.telemetryPath); err != nil {
		return fmt.Errorf("invalid --web.telemetry-path %q: %w", f.telemetryPath, err)
	}
	return nil
}
