package main

import (
	"context"

	"github.com/go-kit/log"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/config"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// demo serves an operation of a wolkvox that this process plays itself.
func (s *settings) demo(ctx context.Context, logger log.Logger) error {
	const token = "demo"
	zone, err := config.Zone(s.operation.TimeZone)
	if err != nil {
		return err
	}
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{ //nolint:contextcheck // It lives until Close.
		Token:    token,
		Location: zone,
		Source:   wolkvoxtest.Day(wolkvoxtest.DayConfig{Location: zone}),
		// By its end a chat is found soon after it, however long it was.
		Readings: wolkvoxtest.Readings{SelectOn: wolkvoxtest.End},
		// A poll every few seconds is more than one licence allows.
		Limits: wolkvoxtest.Limits{RequestsPerDay: 100_000},
	})
	defer server.Close()
	s.operation.Name, s.operation.Server, s.operation.URL = demoCommand, "", server.URL()
	s.operation.Token, s.operation.TokenFile = token, ""
	return s.serve(ctx, logger)
}
