// Package config turns what a user writes about operations into what the
// program works with, or into lines that name what is wrong.
package config

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Operation is an operation as a user describes it, by flags or in a file. It
// is plain data: two that are deeply equal are the same.
type Operation struct {
	Name          string            `yaml:"name"`       // the operation label; empty for one made of the server or the URL
	Server        string            `yaml:"server"`     // the digits after wv in the Manager's own URL
	URL           string            `yaml:"url"`        // instead of https://wv{server}.wolkvox.com
	Token         string            `yaml:"token"`      // for one who has no file
	TokenFile     string            `yaml:"token_file"` // goes before Token
	TimeZone      string            `yaml:"time_zone"`  // an IANA name
	Timeout       Duration          `yaml:"timeout"`
	Poll          Poll              `yaml:"poll"`
	Buckets       Buckets           `yaml:"buckets"`
	RoutingPoints map[string]string `yaml:"routing_points"` // names by rp_id
	HTTP          *HTTP             `yaml:"http_config"`    // nil for Go's own transport
}

// Poll is when which windows are read.
type Poll struct {
	Interval          Duration `yaml:"interval"`
	Overlap           Duration `yaml:"overlap"`
	ReconcileInterval Duration `yaml:"reconcile_interval"`
	ReconcileWindow   Duration `yaml:"reconcile_window"`
	InitialWindow     Duration `yaml:"initial_window"`
	MaxCatchUp        Duration `yaml:"max_catch_up"`
}

// String keeps the secrets of an operation out of whatever it is printed to.
func (o Operation) String() string { return o.Name }

// Target is an operation to be polled.
type Target struct {
	Operation Operation // what it was made of

	Name      string
	Base      *url.URL
	Token     wolkvox.TokenSource
	Zone      *time.Location
	Transport http.RoundTripper // nil for Go's own

	// AddedBounds are the service levels that speed_of_answer_seconds lacked and has now.
	AddedBounds []float64

	// Problem is why the operation cannot be polled now though its description is right:
	// a file beside it. Nil if it can be. [Target.Reread] tries again.
	Problem  *FileError
	describe func(problem) string // says where a problem is
}

// String keeps the secrets of a target out of whatever it is printed to.
func (t Target) String() string { return t.Name }

// problem is what is wrong with a setting: its key in the file, its value
// unless there may be a secret in it, and the rest of the sentence.
type problem struct{ key, value, wrong string }

// of says it of the setting under the name that the user knows it by.
func (p problem) of(name string) string {
	if !plain.MatchString(p.value) {
		return fmt.Sprintf("%s: %s", name, p.wrong)
	}
	return fmt.Sprintf("%s %q: %s", name, p.value, p.wrong)
}

// flags are the names of the settings outside of a file.
var flags = map[string]string{ //nolint:gosec // WOLKVOX_TOKEN is a variable's name.
	"server":     "--wolkvox.server",
	"url":        "--wolkvox.url",
	"token":      "WOLKVOX_TOKEN",
	"token_file": "--wolkvox.token-file",
	"time_zone":  "--wolkvox.timezone",
}

// Resolve checks an operation that is described by flags. The token is read
// once, so that a wrong file is found before anything starts. The error has a line for
// each thing that is wrong.
func (o Operation) Resolve() (Target, error) {
	switch {
	case o.Server == "" && o.URL == "":
		return Target{}, errors.New("no operation: give --wolkvox.server, the digits after wv in the Manager's URL, or try the command demo")
	case o.Token == "" && o.TokenFile == "":
		return Target{}, errors.New("no token: give --wolkvox.token-file, or the token in the environment variable WOLKVOX_TOKEN")
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

// resolve checks what is wrong until the description is another one.
func (o Operation) resolve() (Target, []problem) {
	target := Target{Operation: o, Name: o.Name, describe: func(p problem) string { return p.of(flags[p.key]) }}
	var problems, found []problem
	target.Base, found = o.base()
	problems = append(problems, found...)
	target.Token, found = o.token()
	problems = append(problems, found...)
	target.Zone, found = zone(o.TimeZone)
	problems = append(problems, found...)
	problems = append(problems, o.HTTP.check()...)
	from := "name"
	switch {
	case target.Name != "" || len(problems) > 0:
	case o.Server != "":
		target.Name = "wv" + o.Server
	default:
		target.Name, from = target.Base.Host, "url"
	}
	if what := unprintable(target.Name); what != "" {
		problems = append(problems, problem{from, target.Name, "a name that can be shown is wanted, and this one has " + what})
	}
	return target, problems
}

func (o Operation) base() (*url.URL, []problem) {
	if strings.Trim(o.Server, "0123456789") != "" {
		return nil, []problem{{"server", o.Server, "only the digits after wv in the Manager's URL are wanted, such as 0042"}}
	}
	address := o.URL
	switch {
	case o.Server == "" && o.URL == "":
		return nil, []problem{{"server", "", "wanted: the digits after wv in the Manager's URL, or else a url"}}
	case o.URL == "":
		address = "https://wv" + o.Server + ".wolkvox.com"
	}
	base, err := url.Parse(address)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Hostname() == "" || base.RawQuery != "" || base.Fragment != "" {
		// Not quoted, nor is the error of net/url: there may be a password in it.
		return nil, []problem{{"url", "", "a URL such as https://wv0042.wolkvox.com is wanted, without parameters"}}
	}
	return base, nil
}

func (o Operation) token() (wolkvox.TokenSource, []problem) {
	switch {
	case o.TokenFile != "":
		return tokenFile(o.TokenFile), nil
	case o.Token == "":
		return nil, []problem{{"token_file", "", "wanted, or else token"}}
	}
	source := wolkvox.StaticToken(o.Token)
	if _, err := source(); err != nil {
		return nil, []problem{{"token", "", err.Error()}}
	}
	return source, nil
}

// Zone loads a time zone that is given by its flag.
func Zone(name string) (*time.Location, error) {
	location, problems := zone(name)
	if len(problems) > 0 {
		return nil, errors.New(problems[0].of(flags["time_zone"]))
	}
	return location, nil
}

func zone(name string) (*time.Location, []problem) {
	// Go's names for UTC and for this machine's zone would hide a mistake.
	if name == "" || name == "Local" {
		return nil, []problem{{"time_zone", name, "an IANA name such as America/Bogota is wanted"}}
	}
	location, err := time.LoadLocation(name)
	if err != nil {
		return nil, []problem{{"time_zone", name, "not known, an IANA name such as America/Bogota is wanted"}}
	}
	return location, nil
}
