// Package config reads the configuration of operations from flags or a file, and reports
// each mistake in one line.
package config

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Operation holds the settings of an operation, from flags or a file. It is plain data: two
// operations with the same settings are deeply equal.
type Operation struct {
	Name          string            `yaml:"name"`       // the label operation; empty for a name made from the server or the URL
	Server        string            `yaml:"server"`     // the digits after wv in the Manager's own URL
	URL           string            `yaml:"url"`        // instead of https://wv{server}.wolkvox.com
	Token         string            `yaml:"token"`      // the token itself, instead of a file
	TokenFile     string            `yaml:"token_file"` // takes precedence over Token
	TimeZone      string            `yaml:"time_zone"`  // an IANA name
	Timeout       Duration          `yaml:"timeout"`
	Poll          Poll              `yaml:"poll"`
	Buckets       Buckets           `yaml:"buckets"`
	RoutingPoints map[string]string `yaml:"routing_points"` // names by rp_id
	HTTP          *HTTP             `yaml:"http_config"`    // nil for the default transport
}

// Poll holds how often which windows are read.
type Poll struct {
	Interval          Duration `yaml:"interval"`
	Overlap           Duration `yaml:"overlap"`
	ReconcileInterval Duration `yaml:"reconcile_interval"`
	ReconcileWindow   Duration `yaml:"reconcile_window"`
	InitialWindow     Duration `yaml:"initial_window"`
	MaxCatchUp        Duration `yaml:"max_catch_up"`
}

// String returns the name alone, so that no secret is printed.
func (o Operation) String() string { return o.Name }

// Target is a checked operation, ready to be polled.
type Target struct {
	Operation Operation // its settings

	Name      string
	Base      *url.URL
	Token     wolkvox.TokenSource
	Zone      *time.Location
	Transport http.RoundTripper // nil for the default transport

	// AddedBounds holds the service levels that were added to speed_of_answer_seconds.
	AddedBounds []float64

	// Problem is the error of a file that the operation names and that cannot be used. Nil
	// if the operation can be polled. [Target.Reread] reads the files again.
	Problem  *FileError
	describe func(problem) string // names the setting
}

// String returns the name alone, so that no secret is printed.
func (t Target) String() string { return t.Name }

// problem is a mistake in a setting: the key in the file, the value unless it can contain a
// secret, and what is allowed.
type problem struct{ key, value, text string }

// describe returns the problem with the name of the setting, a flag or a key.
func (p problem) describe(name string) string {
	if !quotable.MatchString(p.value) {
		return fmt.Sprintf("%s: %s", name, p.text)
	}
	return fmt.Sprintf("%s %q: %s", name, p.value, p.text)
}

// flagNames holds the flags and environment variables of settings, by their keys.
var flagNames = map[string]string{ //nolint:gosec // WOLKVOX_TOKEN is a variable's name.
	"server":     "--wolkvox.server",
	"url":        "--wolkvox.url",
	"token":      "WOLKVOX_TOKEN",
	"token_file": "--wolkvox.token-file",
	"time_zone":  "--wolkvox.timezone",
}

// Resolve checks an operation that is set by flags. It reads the token once, so that an
// invalid file is reported before anything starts. The error has one line for each mistake.
func (o Operation) Resolve() (Target, error) {
	switch {
	case o.Server == "" && o.URL == "":
		return Target{}, errors.New("no operation: set --wolkvox.server to the digits after wv in the Manager's URL, or try the command demo")
	case o.Token == "" && o.TokenFile == "":
		return Target{}, errors.New("no token: set --wolkvox.token-file, or the environment variable WOLKVOX_TOKEN")
	}
	target, problems := o.resolve()
	if len(problems) == 0 {
		problems = target.readFiles()
	}
	if len(problems) > 0 {
		lines := make([]error, len(problems))
		for i, p := range problems {
			lines[i] = errors.New(target.describe(p))
		}
		return Target{}, errors.Join(lines...)
	}
	return target, nil
}

// resolve checks everything that does not depend on files.
func (o Operation) resolve() (Target, []problem) {
	target := Target{Operation: o, Name: o.Name, describe: func(p problem) string { return p.describe(flagNames[p.key]) }}
	var problems, found []problem
	target.Base, found = o.base()
	problems = append(problems, found...)
	target.Token, found = o.token()
	problems = append(problems, found...)
	target.Zone, found = zone(o.TimeZone)
	problems = append(problems, found...)
	problems = append(problems, o.HTTP.check()...)
	nameKey := "name"
	switch {
	case target.Name != "" || len(problems) > 0:
	case o.Server != "":
		target.Name = "wv" + o.Server
	default:
		target.Name, nameKey = target.Base.Host, "url"
	}
	if character := unprintable(target.Name); character != "" {
		problems = append(problems, problem{nameKey, target.Name, "must be printable, but has " + character})
	}
	return target, problems
}

func (o Operation) base() (*url.URL, []problem) {
	if strings.Trim(o.Server, "0123456789") != "" {
		return nil, []problem{{"server", o.Server, "must be only the digits after wv in the Manager's URL (example: 0042)"}}
	}
	address := o.URL
	switch {
	case o.Server == "" && o.URL == "":
		return nil, []problem{{"server", "", "required: the digits after wv in the Manager's URL, or a url"}}
	case o.URL == "":
		address = "https://wv" + o.Server + ".wolkvox.com"
	}
	base, err := url.Parse(address)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Hostname() == "" || base.RawQuery != "" || base.Fragment != "" {
		// Neither the URL nor the error of net/url is quoted: they can contain a password.
		return nil, []problem{{"url", "", "must be a URL without parameters (example: https://wv0042.wolkvox.com)"}}
	}
	return base, nil
}

func (o Operation) token() (wolkvox.TokenSource, []problem) {
	switch {
	case o.TokenFile != "":
		return tokenFile(o.TokenFile), nil
	case o.Token == "":
		return nil, []problem{{"token_file", "", "token_file or token is required"}}
	}
	source := wolkvox.StaticToken(o.Token)
	if _, err := source(); err != nil {
		return nil, []problem{{"token", "", err.Error()}}
	}
	return source, nil
}

// Zone returns the time zone that is set by its flag.
func Zone(name string) (*time.Location, error) {
	location, problems := zone(name)
	if len(problems) > 0 {
		return nil, errors.New(problems[0].describe(flagNames["time_zone"]))
	}
	return location, nil
}

// zones holds the time zones by name: a thousand operations share a few of them.
var zones sync.Map

func zone(name string) (*time.Location, []problem) {
	// LoadLocation also accepts "" and "Local", which would hide a mistake.
	if name == "" || name == "Local" {
		return nil, []problem{{"time_zone", name, "must be an IANA name (example: America/Bogota)"}}
	}
	if location, ok := zones.Load(name); ok {
		return location.(*time.Location), nil
	}
	location, err := time.LoadLocation(name)
	if err != nil {
		return nil, []problem{{"time_zone", name, "unknown time zone: must be an IANA name (example: America/Bogota)"}}
	}
	zones.Store(name, location)
	return location, nil
}
