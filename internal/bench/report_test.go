package bench

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// A month of chats, and the window that contains them all.
var (
	beginning = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ending    = beginning.AddDate(0, 1, 0)
	window    = wolkvox.Window{From: wolkvox.ToLocalTime(beginning), To: wolkvox.ToLocalTime(ending) - 1}
)

const token = "token-of-the-benchmarks"

// report returns a report of a number of the month's chats, starting with the from-th. A row
// has 613 bytes, so the largest report has 36.8 MB.
func report(ctx context.Context, from, rows int) ([]byte, error) {
	server := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{
		Location: time.UTC,
		Limits:   wolkvoxtest.Limits{Rows: -1},
		Now:      func() time.Time { return ending },
	})
	defer server.Close()
	next, stop := iter.Pull(wolkvoxtest.Day(wolkvoxtest.DayConfig{Location: time.UTC}).Started(beginning, ending))
	defer stop()
	for i := range from + rows {
		chat, ok := next()
		if !ok {
			return nil, fmt.Errorf("the month has no more than %d chats", i)
		}
		if i >= from {
			chat.Customer.Email = strings.Replace(chat.Customer.Email, "@", "@clientes.correo.una-empresa-de-nombre-muy-largo.", 1)
			server.Add(chat)
		}
	}
	return get(ctx, &http.Client{Transport: server.Transport()}, server.URL())
}

// get requests the report below a base URL.
func get(ctx context.Context, client *http.Client, base string) ([]byte, error) {
	url := base + "/api/v2/reports_manager.php?api=chat_8&date_ini=20260101000000&date_end=20260131235959"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Wolkvox-Token", token)
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("the server answers %s: %s", response.Status, body)
	}
	return body, err
}
