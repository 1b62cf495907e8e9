package config

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"

	promconfig "github.com/prometheus/common/config"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/regular"
)

// Defaults are the settings that flags give to the operations of a file.
type Defaults struct {
	TimeZone string
	Timeout  Duration
	Poll     Poll
}

// file is a configuration file.
type file struct {
	Operations []Operation `yaml:"operations"`
	Buckets    Buckets     `yaml:"buckets"`
}

// Load reads a configuration file. Its error has a line for each thing that is
// wrong, with the file, the line, the key and what is wanted, and quotes no
// secret. Paths in the file are relative to its folder. Once ctx is done, no further
// operation is looked at. A file that an operation names and that cannot be used is the
// Problem of that target alone.
func Load(ctx context.Context, path string, defaults Defaults) ([]Target, error) {
	text, err := regular.ReadFile(path, MaxFileSize)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration file %q: %w", path, err)
	}
	document, err := parse(path, text)
	if err != nil {
		return nil, err
	}
	d := decoder{ctx: ctx, defaults: defaults, lines: map[string]int{}}
	var f file
	d.decode(document, "", reflect.ValueOf(&f).Elem())
	var targets []Target
	if len(d.problems) == 0 {
		// What was not read rightly would be found wrong twice.
		targets = d.resolve(&f, filepath.Dir(path))
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if len(d.problems) > 0 {
		for i := range targets {
			d.note(fmt.Sprintf("operations[%d]", i), d.beside[i])
		}
		return nil, d.err(path)
	}
	for i, problems := range d.beside {
		targets[i].describe = func(p problem) string {
			p.key = fmt.Sprintf("operations[%d].%s", i, p.key)
			return d.say(path, p)
		}
		targets[i].setProblem(problems)
	}
	return targets, nil
}

// resolve checks what was decoded.
func (d *decoder) resolve(f *file, folder string) []Target {
	if len(f.Operations) == 0 {
		d.wrong("operations", "at least one is wanted")
	}
	d.note("buckets", f.Buckets.check())
	targets := make([]Target, len(f.Operations))
	named := map[string]int{}
	for i := range f.Operations {
		if d.ctx.Err() != nil {
			return nil
		}
		operation, path := &f.Operations[i], fmt.Sprintf("operations[%d]", i)
		first, taken := named[operation.Name]
		switch {
		case operation.Name == "":
			d.wrong(path+".name", "wanted: it is the label of the metrics and names the file of the state")
		case taken:
			d.note(path, []problem{{"name", operation.Name, fmt.Sprintf("operations[%d] has it already", first)}})
		default:
			named[operation.Name] = i
		}
		if operation.Token != "" && operation.TokenFile != "" {
			d.wrong(path+".token", "either token_file or token is wanted, not both")
		}
		for id, name := range operation.RoutingPoints {
			switch key := under(path+".routing_points", id); {
			case id == "" || name == "":
				d.wrong(key, "an rp_id and a name are wanted")
			case unprintable(id) != "":
				d.wrong(key, "the rp_id has %s", unprintable(id))
			case unprintable(name) != "":
				d.wrong(key, "the name has %s", unprintable(name))
			}
		}
		d.note(path+".buckets", operation.Buckets.check())
		operation.Buckets.inherit(&f.Buckets)
		added := operation.Buckets.missingServiceLevels()
		operation.Buckets.addServiceLevels()
		operation.TokenFile = promconfig.JoinDir(folder, operation.TokenFile)
		operation.HTTP.setDirectory(folder)
		var problems []problem
		targets[i], problems = operation.resolve()
		targets[i].AddedBounds = added
		d.note(path, problems)
		d.beside = append(d.beside, targets[i].readFiles())
	}
	return targets
}

// note adds problems of what is at the path.
func (d *decoder) note(path string, problems []problem) {
	for _, p := range problems {
		p.key = path + "." + p.key
		d.problems = append(d.problems, p)
	}
}

// err is all that is wrong, from the file's first line to its last.
func (d *decoder) err(path string) error {
	slices.SortStableFunc(d.problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(d.line(a.key), d.line(b.key)), cmp.Compare(a.key, b.key))
	})
	lines := make([]error, len(d.problems))
	for i, p := range d.problems {
		lines[i] = errors.New(d.say(path, p))
	}
	return errors.Join(lines...)
}

// say names the file, the line and the key of a problem.
func (d *decoder) say(path string, p problem) string {
	return fmt.Sprintf("%s:%d: %s", path, d.line(p.key), p.of(cmp.Or(p.key, "the file")))
}
