package cli

import (
	"context"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/config"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// demo serves an operation of a built-in fake wolkvox API.
func (c *command) demo(ctx context.Context) error {
	const token = "demo"
	zone, err := config.Zone(c.operation.TimeZone)
	if err != nil {
		return err
	}
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{ //nolint:contextcheck // It lives until Close.
		Token:    token,
		Location: zone,
		Source:   wolkvoxtest.Day(wolkvoxtest.DayConfig{Location: zone}),
		// Selected by its end, a chat is found soon after it ends, whatever its duration.
		Readings: wolkvoxtest.Readings{SelectOn: wolkvoxtest.End},
		// A poll every few seconds exceeds the requests of one licence.
		Limits: wolkvoxtest.Limits{RequestsPerDay: 100_000},
	})
	defer server.Close()
	c.operation.Name, c.operation.Server, c.operation.URL = demoCommand, "", server.URL()
	c.operation.Token, c.operation.TokenFile = token, ""
	return c.serve(ctx)
}
