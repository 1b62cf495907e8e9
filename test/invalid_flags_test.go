package test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// invalidRun is a command line that must fail. Its flags replace valid ones.
type invalidRun struct {
	args []string
	env  []string
	name string // that the message must contain
}

func invalidFlags(args ...string) invalidRun {
	name, _, _ := strings.Cut(args[len(args)-1], "=")
	return invalidRun{args: args, name: name}
}

func (w invalidRun) wantName(text string) invalidRun {
	w.name = text
	return w
}

func (w invalidRun) withEnv(env ...string) invalidRun {
	w.env = env
	return w
}

func TestStart_ReportsInvalidArgumentsInOneLine(t *testing.T) {
	t.Parallel()
	const planted = "planted-token"
	broken := map[string]string{
		"empty": "", "blank": " \n", "two": planted + " " + planted, "lines": planted + "\n" + planted, "control": planted + "\x00", "tokens.json": `{"token":"` + planted + `é"}`,
		"list.yml": "basic_auth_users: [" + planted + "]\nunknown: 1\n", "plain.yml": "basic_auth_users:\n  prometheus: " + planted + "\n", "notyaml.yml": "{",
		"tls.yml": "tls_server_config:\n  cert_file: missing.pem\n  key_file: missing.pem\n",
	}
	tokenFile := func(name string) invalidRun { return invalidFlags("--wolkvox.token-file=" + name).wantName(name) }
	webConfig := func(name string) invalidRun {
		return invalidFlags("--web.config.file=" + name).withEnv("WOLKVOX_TOKEN=" + planted)
	}

	cases := []invalidRun{
		invalidFlags("--poll.interval=soon"), invalidFlags("--poll.interval=5"), invalidFlags("--poll.interval="), invalidFlags("--poll.interval=-5s"),
		invalidFlags("--poll.interval=0s"), invalidFlags("--poll.interval=999ms"), invalidFlags("--poll.interval=1s5"), invalidFlags("--poll.interval=999999999999h"),
		invalidFlags("--poll.overlap=half"), invalidFlags("--poll.overlap=-1s"), invalidFlags("--poll.overlap=0.5s"),
		invalidFlags("--poll.reconcile-interval=1ms"), invalidFlags("--poll.reconcile-window=0s"), invalidFlags("--poll.initial-window=1"),
		invalidFlags("--poll.max-catch-up=-168h"), invalidFlags("--collector.zero-hold=-2m"), invalidFlags("--wolkvox.timeout=0s"),
		invalidFlags("--poll.interval"), invalidFlags("demo", "--poll.interval"), invalidFlags("--storage.path"), invalidFlags("serve", "--storage.path"),
		invalidFlags("--poll.interval=5s", "--poll.interval=6s").wantName("poll.interval"),

		invalidFlags("--collector.max-label-sets=0"), invalidFlags("--collector.max-label-sets=-1"), invalidFlags("--collector.max-label-sets=many"),
		invalidFlags("--collector.native-histograms=maybe").wantName("maybe"),
		invalidFlags("--no-collector.classic-histograms", "--no-collector.native-histograms"), invalidFlags("--config.auto-reload-interval=1s"), invalidFlags("--config.auto-reload-interval=1ms"),
		invalidFlags("--log.level=loud"), invalidFlags("--log.format=xml"),
		invalidFlags("--no-such-flag=1"), invalidFlags("--no-such-flag"), invalidFlags("-x"), invalidFlags("--no-poll.interval"),
		invalidFlags("frobnicate"), invalidFlags("serve", "frobnicate"), invalidFlags("demo", "serve"), invalidFlags("@missing-arguments").wantName("missing-arguments"),

		invalidFlags("--wolkvox.timezone=Mars/Olympus"), invalidFlags("--wolkvox.timezone="), invalidFlags("--wolkvox.timezone=Local"), invalidFlags("--wolkvox.timezone=../../etc/passwd"),
		invalidFlags("--wolkvox.timezone=America/Bogotá"), invalidFlags("demo", "--wolkvox.timezone=Mars/Olympus"),
		invalidFlags("--wolkvox.server=wv0042"), invalidFlags("--wolkvox.server=0042.wolkvox.com"), invalidFlags("--wolkvox.server=-1"), invalidFlags("--wolkvox.server=٤٢"),
		invalidFlags("--wolkvox.url=ftp://127.0.0.1"), invalidFlags("--wolkvox.url=127.0.0.1:80"), invalidFlags("--wolkvox.url=wv0042.wolkvox.com"), invalidFlags("--wolkvox.url=http://"),
		invalidFlags("--wolkvox.url=http://:80"), invalidFlags("--wolkvox.url=http://[::1"), invalidFlags("--wolkvox.url=http://user:" + planted + "@127.0.0.1:%zz"),
		invalidFlags("--wolkvox.url=http://127.0.0.1/?token=" + planted), invalidFlags("--wolkvox.url=http://127.0.0.1/#" + planted),
		invalidFlags("--wolkvox.url=").wantName("--wolkvox.server"),

		invalidFlags("--web.listen-address=nonsense"), invalidFlags("--web.listen-address=127.0.0.1:99999"), invalidFlags("--web.listen-address=127.0.0.1:no-such-service"),
		invalidFlags("--web.telemetry-path=metrics"), invalidFlags("--web.telemetry-path="), invalidFlags("--web.telemetry-path=/-/ready"), invalidFlags("--web.telemetry-path=/{x}"),
		webConfig("missing.yml"), webConfig("list.yml"), webConfig("plain.yml"), webConfig("notyaml.yml"), webConfig("tls.yml"),

		tokenFile("missing"), tokenFile("empty"), tokenFile("blank"), tokenFile("two"), tokenFile("lines"), tokenFile("control"), tokenFile("tokens.json"), tokenFile("."),
		invalidFlags("--wolkvox.token-file=missing").withEnv("WOLKVOX_TOKEN=" + planted).wantName("--wolkvox.token-file"),
		invalidFlags("--log.level=info").withEnv("NO_TOKEN=").wantName("WOLKVOX_TOKEN"),
		invalidFlags("--log.level=info").withEnv("WOLKVOX_TOKEN= ").wantName("WOLKVOX_TOKEN"),
		invalidFlags("--log.level=info").withEnv("WOLKVOX_TOKEN=" + planted + " x").wantName("WOLKVOX_TOKEN"),
		invalidFlags("--log.level=info").withEnv("WOLKVOX_TOKEN="+planted, "WOLKVOX_TIMEZONE=Mars/Olympus").wantName("--wolkvox.timezone"),
		invalidFlags("--log.level=info").withEnv("WOLKVOX_TOKEN="+planted, "WOLKVOX_SERVER=wv0042").wantName("--wolkvox.server"),
		invalidFlags("--log.level=info").withEnv("WOLKVOX_TOKEN_FILE=missing").wantName("missing"),

		invalidFlags("--storage.path=empty").wantName("empty"), invalidFlags("--storage.path=empty/below").wantName("empty/below"),
	}
	for _, wrong := range cases {
		t.Run(strings.Join(append(slices.Clone(wrong.env), wrong.args...), " "), func(t *testing.T) {
			t.Parallel()
			server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: planted})
			defer server.Close()
			dir := t.TempDir()
			for name, text := range broken {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			l := invocation{dir: dir, args: wrong.args, env: wrong.env}
			for _, good := range []string{"--wolkvox.url=" + server.URL(), "--web.listen-address=127.0.0.1:0"} {
				name, _, _ := strings.Cut(good, "=")
				if !slices.ContainsFunc(l.args, func(arg string) bool { return strings.HasPrefix(arg, name) }) {
					l.args = append([]string{good}, l.args...)
				}
			}
			if wrong.env == nil && !strings.HasPrefix(wrong.args[0], "--wolkvox.token-file") {
				l.env = []string{"WOLKVOX_TOKEN=" + planted}
			}
			status, stdout, stderr := l.runToEnd(t)
			wantOneLineError(t, status, stdout, stderr, wrong.name)
			if strings.Contains(stderr, planted) {
				t.Errorf("have stderr %q with the token in it", stderr)
			}
			if requests := server.Requests(); len(requests) != 0 {
				t.Errorf("have %d requests, want none", len(requests))
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != len(broken) {
				t.Errorf("have %d files (error %v), want none beside the %d of the test", len(entries), err, len(broken))
			}
		})
	}
}
