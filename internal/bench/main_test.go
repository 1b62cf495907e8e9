// Package bench measures the costs of the exporter, from the request to the saved state,
// and compares them with a naive exporter.
package bench

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// serverVariable is the environment variable that makes this program the server. The server
// is a separate process, so that its costs are not measured.
const serverVariable = "SERVE_REPORTS"

// base is the server's URL.
var base string

func TestMain(m *testing.M) {
	if os.Getenv(serverVariable) != "" {
		fmt.Fprintln(os.Stderr, serve())
		os.Exit(1)
	}
	if url := os.Getenv(naiveVariable); url != "" {
		if err := pollNaively(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), serverVariable+"=1")
	server.Stderr = os.Stderr
	out, err := server.StdoutPipe()
	if err == nil {
		err = server.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "starting the server:", err)
		return 1
	}
	defer func() {
		_ = server.Process.Kill() // It has nothing to lose.
		_ = server.Wait()
	}()
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		fmt.Fprintln(os.Stderr, "waiting for the server:", err)
		return 1
	}
	base = "http://" + strings.TrimSpace(address)
	return m.Run()
}

// reports are the reports that have been requested.
type reports struct {
	mu     sync.Mutex
	bodies map[string][]byte
}

// ServeHTTP answers a request below /FROM/ROWS with that many chats from that one on. A window
// in the future, by which the exporter probes its time zone, has none.
func (r *reports) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	from, errFrom := strconv.Atoi(request.PathValue("from"))
	rows, errRows := strconv.Atoi(request.PathValue("rows"))
	if errFrom != nil || errRows != nil {
		http.NotFound(w, request)
		return
	}
	query := request.URL.Query()
	if query.Get("api") != "chat_8" {
		http.NotFound(w, request)
		return
	}
	if query.Get("date_ini") > time.Now().UTC().Format("20060102150405") {
		rows = 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	key := fmt.Sprint(from, rows)
	body, ok := r.bodies[key]
	if !ok {
		var err error
		if body, err = report(request.Context(), from, rows); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		r.bodies[key] = body
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // The client notices.
}

// serve answers on a free port, whose address it prints, until it is killed.
func serve() error {
	var lc net.ListenConfig
	listener, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, listener.Addr())
	mux := http.NewServeMux()
	mux.Handle("/{from}/{rows}/", &reports{bodies: map[string][]byte{}})
	server := http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	return server.Serve(listener)
}
