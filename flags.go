package main

import (
	"context"
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
)

const (
	program = "wolkvox_exporter"

	serveCommand = "serve"
	demoCommand  = "demo"
	checkCommand = "check"

	demoInterval = 5 * time.Second
	demoAddress  = "127.0.0.1:10042"
)

// settings is the command line.
type settings struct {
	command string
	check   checkFlags

	configFile string
	operation  config.Operation // without a configuration file the one that there is, else what those of the file leave open

	storagePath        string
	agents, agentNames bool
	exemplars          bool
	nativeHistograms   bool
	maxLabelSets       int
	zeroHold           config.Duration

	web           *toolkit.FlagConfig
	telemetryPath string
	lifecycle     bool

	logLevel, logFormat string

	backfill backfillFlags
	state    stateArguments

	busy *tasks
}

// parse reads the command line. With done, the program has answered already:
// --help or --version.
func parse(args []string, stdout, stderr io.Writer) (s settings, done bool, err error) {
	app := kingpin.New(program, "Prometheus exporter for the chats of a wolkvox contact centre: handoffs, bot time, speed of answer, handle time.")
	app.UsageWriter(stdout).ErrorWriter(stderr)
	app.Terminate(func(int) { done = true })
	app.Version(version.Print(program))
	app.HelpFlag.Short('h')

	serve := app.Command(serveCommand, "Poll an operation and serve its figures. The default.")
	app.Command(demoCommand, "The same against a built-in wolkvox that plays a busy day. No account is needed.")
	s.check.add(app)
	s.backfill.add(app)
	s.state.add(app)

	// The value parser of a duration also keeps its default: kingpin sets it.
	duration := func(value *config.Duration, name, standard, help string) *kingpin.FlagClause {
		clause := app.Flag(name, help).Default(standard)
		clause.SetValue(value)
		return clause
	}
	for _, value := range []*config.Duration{&s.operation.Poll.Overlap, &s.operation.Poll.ReconcileInterval, &s.operation.Poll.InitialWindow, &s.operation.Poll.MaxCatchUp, &s.zeroHold} {
		value.ZeroAllowed = true
	}
	var intervalSet, storageSet, addressSet bool

	app.Flag("config.file", "YAML file with several operations. What it leaves open is as the flags say.").
		StringVar(&s.configFile)
	app.Flag("wolkvox.server", "The operation's server: the digits after wv in the Manager's URL, such as 0042.").
		Envar("WOLKVOX_SERVER").StringVar(&s.operation.Server)
	app.Flag("wolkvox.url", "Base URL of the API, for a proxy or a test. Default: https://wv{server}.wolkvox.com").
		Envar("WOLKVOX_URL").StringVar(&s.operation.URL)
	app.Flag("wolkvox.token-file", "File with the token, read again when it changes. Or the token itself in the environment variable WOLKVOX_TOKEN.").
		Envar("WOLKVOX_TOKEN_FILE").StringVar(&s.operation.TokenFile)
	app.Flag("wolkvox.timezone", "Time zone of the operation, an IANA name.").
		Envar("WOLKVOX_TIMEZONE").Default("America/Bogota").StringVar(&s.operation.TimeZone)
	duration(&s.operation.Timeout, "wolkvox.timeout", "60s", "Limit for one request, its body included.")

	duration(&s.operation.Poll.Interval, "poll.interval", "5m", "How often the newest window is fetched.").IsSetByUser(&intervalSet)
	duration(&s.operation.Poll.Overlap, "poll.overlap", "30m", "How far each poll reads back before the end of the last one.")
	duration(&s.operation.Poll.ReconcileInterval, "poll.reconcile-interval", "1h", "How often the long window is read again; 0s = never.")
	duration(&s.operation.Poll.ReconcileWindow, "poll.reconcile-window", "48h", "How far back reconciling reaches, mostly a short way and seldom all of it: for chats that the API shows late, or under the date of their start.")
	duration(&s.operation.Poll.InitialWindow, "poll.initial-window", "5m", "The time before a first start whose chats are counted; those of the older overlap and long window are only remembered.")
	duration(&s.operation.Poll.MaxCatchUp, "poll.max-catch-up", "168h", "How far back a gap is fetched after a stop.")

	app.Flag("storage.path", "Folder of the state; empty = in memory only.").
		Default("data").IsSetByUser(&storageSet).StringVar(&s.storagePath)
	app.Flag("collector.agents", "Figures of each agent, by extension number.").BoolVar(&s.agents)
	app.Flag("collector.agent-names", "The agents' names in wolkvox_agent_info: personal data. Includes --collector.agents.").BoolVar(&s.agentNames)
	app.Flag("collector.exemplars", "The conn_id of a chat as exemplar in each bucket (OpenMetrics and protobuf).").BoolVar(&s.exemplars)
	app.Flag("collector.max-label-sets", `Label sets per operation; what is beyond is counted under rp_id="other",channel="other". So many agents, too, and agent_id="other".`).
		Default("1000").IntVar(&s.maxLabelSets)
	duration(&s.zeroHold, "collector.zero-hold", "2m", "How long a label set that first appears in a later poll is shown at 0 before its values, so that increase() sees its first chats.")
	app.Flag("collector.native-histograms", "Native histograms beside the classic buckets.").
		Default("true").BoolVar(&s.nativeHistograms)

	s.web = kingpinflag.AddFlags(app, ":10042")
	app.GetFlag("web.listen-address").IsSetByUser(&addressSet)
	app.Flag("web.telemetry-path", "Path of the metrics.").Default("/metrics").StringVar(&s.telemetryPath)
	app.Flag("web.enable-lifecycle", "Reload the configuration at POST /-/reload, as at SIGHUP.").BoolVar(&s.lifecycle)
	app.Flag("log.level", "Least severe messages to log: debug, info, warn or error.").
		Default("info").EnumVar(&s.logLevel, "debug", "info", "warn", "error")
	app.Flag("log.format", "Format of the log: logfmt or json.").
		Default("logfmt").EnumVar(&s.logFormat, "logfmt", "json")

	nameInErrors(app)

	// Where a command is the default one, kingpin forgets what was wrong with a
	// flag: so there is none before the line has been read without an error.
	if _, err := app.ParseContext(args); err != nil {
		return s, false, err
	}
	serve.Default()
	s.command, err = app.Parse(args)
	if done || err != nil {
		return s, done, err
	}
	s.operation.Token = os.Getenv("WOLKVOX_TOKEN")
	if s.command == demoCommand {
		if !intervalSet {
			s.operation.Poll.Interval.Duration = demoInterval
		}
		if !storageSet {
			s.storagePath = ""
		}
		if !addressSet {
			*s.web.WebListenAddresses = []string{demoAddress}
		}
	}
	s.agents = s.agents || s.agentNames
	return s, false, s.validate()
}

// named is a flag's value that says in its errors which flag it is of.
type named struct {
	kingpin.Value
	flag string
}

// Set implements kingpin.Value.
func (n named) Set(text string) error {
	if err := n.Value.Set(text); err != nil {
		return fmt.Errorf("--%s: %w", n.flag, err)
	}
	return nil
}

// nameInErrors does so for every flag whose value can be a wrong one. Of the
// others, switches and lists, kingpin wants to know more than a Value.
func nameInErrors(app *kingpin.Application) {
	for _, flag := range app.Model().Flags {
		switch flag.Value.(type) {
		case interface{ IsBoolFlag() bool }, interface{ IsCumulative() bool }:
		default:
			app.GetFlag(flag.Name).SetValue(named{flag.Value, flag.Name})
		}
	}
}

// targets are the operations of the configuration as it is now.
func (s *settings) targets(ctx context.Context) ([]config.Target, error) {
	defer s.busy.begin("reading the configuration")()
	if s.configFile != "" {
		return config.Load(ctx, s.configFile, config.Defaults{TimeZone: s.operation.TimeZone, Timeout: s.operation.Timeout, Poll: s.operation.Poll})
	}
	target, err := s.operation.Resolve()
	return []config.Target{target}, err
}

// validate finds what the parsers of single flags do not.
func (s *settings) validate() error {
	for _, address := range *s.web.WebListenAddresses {
		if strings.HasPrefix(address, "vsock://") {
			continue
		}
		if _, err := net.ResolveTCPAddr("tcp", address); err != nil {
			return fmt.Errorf("--web.listen-address %q: %w", address, err)
		}
	}
	if o := &s.operation; s.configFile != "" && (o.Server != "" || o.URL != "" || o.TokenFile != "") {
		return errors.New("--config.file: its operations have their own server, url and token; --wolkvox.server, --wolkvox.url and --wolkvox.token-file describe one without a file")
	}
	if s.configFile != "" && s.command == demoCommand {
		return errors.New("--config.file: the demo has an operation of its own")
	}
	if s.maxLabelSets < 1 {
		return errors.New("--collector.max-label-sets: at least 1 is wanted")
	}
	if !strings.HasPrefix(s.telemetryPath, "/") {
		return fmt.Errorf("--web.telemetry-path %q: it must begin with a slash", s.telemetryPath)
	}
	if strings.HasPrefix(s.telemetryPath, "/-/") || strings.ContainsAny(s.telemetryPath, "{} ?#") {
		return fmt.Errorf("--web.telemetry-path %q: a plain path outside of /-/ is wanted", s.telemetryPath)
	}
	return nil
}
