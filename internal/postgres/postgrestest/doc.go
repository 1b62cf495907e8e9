// Package postgrestest runs PostgreSQL servers for tests. It needs Unix.
package postgrestest
