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

// parse returns the document of a file. An empty file is a mapping without keys.
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
		return nil, fmt.Errorf("%s:%d: a second document begins: only one is allowed", path, second.Line)
	case !errors.Is(err, io.EOF):
		return nil, syntaxError(path, text, err)
	}
	return document.Content[0], nil
}

var (
	syntax        = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// syntaxError returns the error of package yaml with the file. It does not quote an unknown
// anchor, which can be a token that begins with an asterisk.
func syntaxError(path string, text []byte, err error) error {
	line, message := "", err.Error()
	if match := syntax.FindStringSubmatch(message); match != nil {
		line, message = match[1], match[2]
	}
	if match := unknownAnchor.FindStringSubmatch(message); match != nil {
		before, _, _ := bytes.Cut(text, []byte("*"+match[1]))
		line = strconv.Itoa(bytes.Count(before, []byte("\n")) + 1)
		message = "unknown anchor: quote a value that begins with *"
	}
	return errors.New(strings.TrimSuffix(path+":"+line, ":") + ": " + message)
}
