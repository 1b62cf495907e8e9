// Command wolkvox_exporter polls the chat report of a wolkvox contact centre and serves
// its figures to Prometheus.
package main

import (
	"os"
	_ "time/tzdata" // An image from scratch has no time zones.

	_ "golang.org/x/crypto/x509roots/fallback" // Nor has it certificate authorities.

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/cli"
)

func main() { os.Exit(cli.Run(os.Args[1:], os.Stdout, os.Stderr)) }
