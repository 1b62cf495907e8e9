// Package config turns what a user writes about an operation into what the
// program works with, or into one line that names what is wrong.
package config

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Operation is an operation as a user describes it.
type Operation struct {
	Name      string // the operation label; empty for one made of the server or the URL
	Server    string // the digits after wv in the Manager's own URL
	URL       string // instead of https://wv{server}.wolkvox.com
	Token     string
	TokenFile string // goes before Token
	TimeZone  string // an IANA name
}

// Target is an operation to be polled.
type Target struct {
	Name   string
	Server string
	Base   *url.URL
	Token  wolkvox.TokenSource
	Zone   *time.Location
}

// Resolve checks o. The token is read once, so that a wrong file is found
// before anything starts.
func (o Operation) Resolve() (Target, error) {
	base, err := o.base()
	if err != nil {
		return Target{}, err
	}
	token, err := o.token()
	if err != nil {
		return Target{}, err
	}
	zone, err := Zone(o.TimeZone)
	if err != nil {
		return Target{}, err
	}
	return Target{Name: o.name(base), Server: o.Server, Base: base, Token: token, Zone: zone}, nil
}

func (o Operation) name(base *url.URL) string {
	switch {
	case o.Name != "":
		return o.Name
	case o.Server != "":
		return "wv" + o.Server
	default:
		return base.Host
	}
}

func (o Operation) base() (*url.URL, error) {
	if strings.Trim(o.Server, "0123456789") != "" {
		return nil, fmt.Errorf("--wolkvox.server %q: only the digits after wv in the Manager's URL are wanted, such as 0042", o.Server)
	}
	if o.URL == "" {
		if o.Server == "" {
			return nil, errors.New("no operation: give --wolkvox.server, the digits after wv in the Manager's URL, or try the command demo")
		}
		return url.Parse("https://wv" + o.Server + ".wolkvox.com")
	}
	base, err := url.Parse(o.URL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Hostname() == "" || base.RawQuery != "" || base.Fragment != "" {
		// Not quoted, nor is the error of net/url: there may be a password in it.
		return nil, errors.New("--wolkvox.url: a URL such as https://wv0042.wolkvox.com is wanted, without parameters")
	}
	return base, nil
}

func (o Operation) token() (wolkvox.TokenSource, error) {
	var source wolkvox.TokenSource
	var from string
	switch {
	case o.TokenFile != "":
		source, from = wolkvox.TokenFile(o.TokenFile), "--wolkvox.token-file"
	case o.Token != "":
		source, from = wolkvox.StaticToken(o.Token), "WOLKVOX_TOKEN"
	default:
		return nil, errors.New("no token: give --wolkvox.token-file, or the token in the environment variable WOLKVOX_TOKEN")
	}
	if _, err := source(); err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	return source, nil
}

// Zone loads a time zone by its IANA name.
func Zone(name string) (*time.Location, error) {
	// Go's names for UTC and for this machine's zone would hide a mistake.
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("--wolkvox.timezone %q: an IANA name such as America/Bogota is wanted", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("--wolkvox.timezone %q: not known, an IANA name such as America/Bogota is wanted", name)
	}
	return zone, nil
}
