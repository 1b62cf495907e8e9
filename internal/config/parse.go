package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parse reads the one document of a file. An empty file has no keys.
func parse(path string, text []byte) (*yaml.Node, error) {
	var document, second yaml.Node
	reader := yaml.NewDecoder(bytes.NewReader(text))
	switch err := reader.Decode(&document); {
	case errors.Is(err, io.EOF):
		return &yaml.Node{Kind: yaml.MappingNode}, nil
	case err != nil:
		return nil, syntaxError(path, text, err)
	}
	switch err := reader.Decode(&second); {
	case err == nil:
		return nil, fmt.Errorf("%s:%d: a second document begins, and one is wanted", path, second.Line)
	case !errors.Is(err, io.EOF):
		return nil, syntaxError(path, text, err)
	}
	return document.Content[0], nil
}

var (
	syntax        = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// syntaxError says what yaml does. An unknown anchor, the one thing that yaml
// quotes, may be a token that begins with an asterisk.
func syntaxError(path string, text []byte, err error) error {
	line, what := "", err.Error()
	if match := syntax.FindStringSubmatch(what); match != nil {
		line, what = match[1], match[2]
	}
	if match := unknownAnchor.FindStringSubmatch(what); match != nil {
		before, _, _ := bytes.Cut(text, []byte("*"+match[1]))
		line = strconv.Itoa(bytes.Count(before, []byte("\n")) + 1)
		what = "no such anchor; a value that begins with * is wanted in quotes"
	}
	return errors.New(strings.TrimSuffix(path+":"+line, ":") + ": " + what)
}
