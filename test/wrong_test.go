package test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// wrong is a line that must not start anything. The flags that it gives itself
// stand in place of good ones.
type wrong struct {
	args  []string
	env   []string
	names string // what the message must name
}

func flags(args ...string) wrong {
	name, _, _ := strings.Cut(args[len(args)-1], "=")
	return wrong{args: args, names: name}
}

func (w wrong) naming(text string) wrong {
	w.names = text
	return w
}

func (w wrong) with(env ...string) wrong {
	w.env = env
	return w
}

func TestWhatIsWrongIsSaidInOneLineAndStartsNothing(t *testing.T) {
	t.Parallel()
	const planted = "planted-token"
	broken := map[string]string{
		"empty": "", "blank": " \n", "two": planted + " " + planted, "lines": planted + "\n" + planted, "control": planted + "\x00", "tokens.json": `{"token":"` + planted + `é"}`,
		"list.yml": "basic_auth_users: [" + planted + "]\nunknown: 1\n", "plain.yml": "basic_auth_users:\n  prometheus: " + planted + "\n", "notyaml.yml": "{",
		"tls.yml": "tls_server_config:\n  cert_file: missing.pem\n  key_file: missing.pem\n",
	}
	tokenFile := func(name string) wrong { return flags("--wolkvox.token-file=" + name).naming(name) }
	webConfig := func(name string) wrong { return flags("--web.config.file=" + name).with("WOLKVOX_TOKEN=" + planted) }

	cases := []wrong{
		flags("--poll.interval=soon"), flags("--poll.interval=5"), flags("--poll.interval="), flags("--poll.interval=-5s"),
		flags("--poll.interval=0s"), flags("--poll.interval=999ms"), flags("--poll.interval=1s5"), flags("--poll.interval=999999999999h"),
		flags("--poll.overlap=half"), flags("--poll.overlap=-1s"), flags("--poll.overlap=0.5s"),
		flags("--poll.reconcile-interval=1ms"), flags("--poll.reconcile-window=0s"), flags("--poll.initial-window=1"),
		flags("--poll.max-catch-up=-168h"), flags("--collector.zero-hold=-2m"), flags("--wolkvox.timeout=0s"),
		flags("--poll.interval"), flags("demo", "--poll.interval"), flags("--storage.path"), flags("serve", "--storage.path"),
		flags("--poll.interval=5s", "--poll.interval=6s").naming("poll.interval"),

		flags("--collector.max-label-sets=0"), flags("--collector.max-label-sets=-1"), flags("--collector.max-label-sets=many"),
		flags("--collector.native-histograms=maybe").naming("maybe"),
		flags("--no-collector.classic-histograms", "--no-collector.native-histograms"), flags("--config.auto-reload-interval=1s"), flags("--config.auto-reload-interval=1ms"),
		flags("--log.level=loud"), flags("--log.format=xml"),
		flags("--no-such-flag=1"), flags("--no-such-flag"), flags("-x"), flags("--no-poll.interval"),
		flags("frobnicate"), flags("serve", "frobnicate"), flags("demo", "serve"), flags("@missing-arguments").naming("missing-arguments"),

		flags("--wolkvox.timezone=Mars/Olympus"), flags("--wolkvox.timezone="), flags("--wolkvox.timezone=Local"), flags("--wolkvox.timezone=../../etc/passwd"),
		flags("--wolkvox.timezone=America/Bogotá"), flags("demo", "--wolkvox.timezone=Mars/Olympus"),
		flags("--wolkvox.server=wv0042"), flags("--wolkvox.server=0042.wolkvox.com"), flags("--wolkvox.server=-1"), flags("--wolkvox.server=٤٢"),
		flags("--wolkvox.url=ftp://127.0.0.1"), flags("--wolkvox.url=127.0.0.1:80"), flags("--wolkvox.url=wv0042.wolkvox.com"), flags("--wolkvox.url=http://"),
		flags("--wolkvox.url=http://:80"), flags("--wolkvox.url=http://[::1"), flags("--wolkvox.url=http://user:" + planted + "@127.0.0.1:%zz"),
		flags("--wolkvox.url=http://127.0.0.1/?token=" + planted), flags("--wolkvox.url=http://127.0.0.1/#" + planted),
		flags("--wolkvox.url=").naming("--wolkvox.server"),

		flags("--web.listen-address=nonsense"), flags("--web.listen-address=127.0.0.1:99999"), flags("--web.listen-address=127.0.0.1:no-such-service"),
		flags("--web.telemetry-path=metrics"), flags("--web.telemetry-path="), flags("--web.telemetry-path=/-/ready"), flags("--web.telemetry-path=/{x}"),
		webConfig("missing.yml"), webConfig("list.yml"), webConfig("plain.yml"), webConfig("notyaml.yml"), webConfig("tls.yml"),

		tokenFile("missing"), tokenFile("empty"), tokenFile("blank"), tokenFile("two"), tokenFile("lines"), tokenFile("control"), tokenFile("tokens.json"), tokenFile("."),
		flags("--wolkvox.token-file=missing").with("WOLKVOX_TOKEN=" + planted).naming("--wolkvox.token-file"),
		flags("--log.level=info").with("NO_TOKEN=").naming("WOLKVOX_TOKEN"),
		flags("--log.level=info").with("WOLKVOX_TOKEN= ").naming("WOLKVOX_TOKEN"),
		flags("--log.level=info").with("WOLKVOX_TOKEN=" + planted + " x").naming("WOLKVOX_TOKEN"),
		flags("--log.level=info").with("WOLKVOX_TOKEN="+planted, "WOLKVOX_TIMEZONE=Mars/Olympus").naming("--wolkvox.timezone"),
		flags("--log.level=info").with("WOLKVOX_TOKEN="+planted, "WOLKVOX_SERVER=wv0042").naming("--wolkvox.server"),
		flags("--log.level=info").with("WOLKVOX_TOKEN_FILE=missing").naming("missing"),

		flags("--storage.path=empty").naming("empty"), flags("--storage.path=empty/below").naming("empty/below"),
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
			l := launch{dir: dir, args: wrong.args, env: wrong.env}
			for _, good := range []string{"--wolkvox.url=" + server.URL(), "--web.listen-address=127.0.0.1:0"} {
				name, _, _ := strings.Cut(good, "=")
				if !slices.ContainsFunc(l.args, func(arg string) bool { return strings.HasPrefix(arg, name) }) {
					l.args = append([]string{good}, l.args...)
				}
			}
			if wrong.env == nil && !strings.HasPrefix(wrong.args[0], "--wolkvox.token-file") {
				l.env = []string{"WOLKVOX_TOKEN=" + planted}
			}
			status, stdout, stderr := l.end(t)
			complaint(t, status, stdout, stderr, wrong.names)
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
