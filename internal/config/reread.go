package config

import (
	"cmp"
	"slices"
	"strings"
)

// FileError is the error of an operation that names a file which cannot be used.
type FileError struct {
	Key  string // of the file, such as token_file
	text string
}

// Error implements error.
func (e *FileError) Error() string { return e.text }

// Reread reads the files of the operation again, and sets its Problem.
func (t *Target) Reread() { t.setProblem(t.readFiles()) }

func (t *Target) setProblem(problems []problem) {
	t.Problem = nil
	if len(problems) == 0 {
		return
	}
	texts := make([]string, len(problems))
	for i, p := range problems {
		texts[i] = t.describe(p)
	}
	t.Problem = &FileError{problems[0].key, strings.Join(texts, "\n")}
}

// readFiles reads the files that the operation names. It reads the token file once, so that
// an invalid one is reported before the first request.
func (t *Target) readFiles() (problems []problem) {
	if t.Operation.TokenFile != "" {
		if _, err := t.Token(); err != nil {
			problems = append(problems, problem{"token_file", "", err.Error()})
		}
	}
	if len(t.Operation.HTTP.check()) > 0 {
		return problems // There is no transport, whatever the files contain.
	}
	var found []problem
	t.Transport, found = t.Operation.HTTP.transport()
	// Headers and files come from maps, which have no order.
	slices.SortFunc(found, func(a, b problem) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.text, b.text)) })
	return append(problems, found...)
}

// Problems joins the problems of all targets. It returns nil if there are none.
func Problems(targets []Target) error {
	var texts []string
	for _, target := range targets {
		if target.Problem != nil {
			texts = append(texts, target.Problem.Error())
		}
	}
	if texts == nil {
		return nil
	}
	return &FileError{text: strings.Join(texts, "\n")}
}
