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

// Defaults holds the settings that flags provide for omitted keys of operations.
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

// Load reads a configuration file. Its error has one line for each mistake, with the file,
// the line, the key and what is allowed, and quotes no secret. Paths in the file are
// relative to its folder. Once ctx is done, no further operation is read. If a file that an
// operation names cannot be used, only that target has a Problem.
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
		// After a decoding error, these checks would report a mistake twice.
		targets = d.resolve(&f, filepath.Dir(path))
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if len(d.problems) > 0 {
		for i := range targets {
			d.addProblems(fmt.Sprintf("operations[%d]", i), d.fileProblems[i])
		}
		return nil, d.err(path)
	}
	for i, problems := range d.fileProblems {
		targets[i].describe = func(p problem) string {
			p.key = fmt.Sprintf("operations[%d].%s", i, p.key)
			return d.describe(path, p)
		}
		targets[i].setProblem(problems)
	}
	return targets, nil
}

// resolve checks the decoded file.
func (d *decoder) resolve(f *file, folder string) []Target {
	if len(f.Operations) == 0 {
		d.report("operations", "at least one operation is required")
	}
	d.addProblems("buckets", f.Buckets.check())
	targets := make([]Target, len(f.Operations))
	byName := map[string]int{}
	for i := range f.Operations {
		if d.ctx.Err() != nil {
			return nil
		}
		operation, path := &f.Operations[i], fmt.Sprintf("operations[%d]", i)
		first, used := byName[operation.Name]
		switch {
		case operation.Name == "":
			d.report(path+".name", "required: it is the label operation of the metrics and names the state file")
		case used:
			d.addProblems(path, []problem{{"name", operation.Name, fmt.Sprintf("already used by operations[%d]", first)}})
		default:
			byName[operation.Name] = i
		}
		if operation.Token != "" && operation.TokenFile != "" {
			d.report(path+".token", "only one of token_file and token is allowed")
		}
		for id, name := range operation.RoutingPoints {
			switch key := joinPath(path+".routing_points", id); {
			case id == "" || name == "":
				d.report(key, "must have an rp_id and a name")
			case unprintable(id) != "":
				d.report(key, "the rp_id has %s", unprintable(id))
			case unprintable(name) != "":
				d.report(key, "the name has %s", unprintable(name))
			}
		}
		d.addProblems(path+".buckets", operation.Buckets.check())
		operation.Buckets.applyDefaults(&f.Buckets)
		added := operation.Buckets.missingServiceLevels()
		operation.Buckets.addServiceLevels()
		operation.TokenFile = promconfig.JoinDir(folder, operation.TokenFile)
		operation.HTTP.setDirectory(folder)
		var problems []problem
		targets[i], problems = operation.resolve()
		targets[i].AddedBounds = added
		d.addProblems(path, problems)
		d.fileProblems = append(d.fileProblems, targets[i].readFiles())
	}
	return targets
}

// addProblems adds the problems of the value at a path.
func (d *decoder) addProblems(path string, problems []problem) {
	for _, p := range problems {
		p.key = path + "." + p.key
		d.problems = append(d.problems, p)
	}
}

// err returns all problems, sorted by line.
func (d *decoder) err(path string) error {
	slices.SortStableFunc(d.problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(d.line(a.key), d.line(b.key)), cmp.Compare(a.key, b.key))
	})
	lines := make([]error, len(d.problems))
	for i, p := range d.problems {
		lines[i] = errors.New(d.describe(path, p))
	}
	return errors.Join(lines...)
}

// describe returns a problem with its file, line and key.
func (d *decoder) describe(path string, p problem) string {
	return fmt.Sprintf("%s:%d: %s", path, d.line(p.key), p.describe(cmp.Or(p.key, "the file")))
}
