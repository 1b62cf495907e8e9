// Package e2e checks what users run beside the exporter: rules, dashboards and
// examples, and the exporter's figures in a real Prometheus and Alertmanager.
//
// It is a module of its own, so that the exporter does not depend on Prometheus.
package e2e
