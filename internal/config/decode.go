package config

import (
	"context"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"

	promconfig "github.com/prometheus/common/config"
	"go.yaml.in/yaml/v3"
)

// decoder decodes YAML into structs by their yaml tags. Unlike the strict decoding of
// package yaml, it records the path and the line of every value, for later checks too, and
// its errors name keys instead of Go types and never quote a secret.
type decoder struct {
	ctx          context.Context // once it is done, the rest of a list is skipped
	defaults     Defaults
	lines        map[string]int // by path
	problems     []problem      // with full paths
	fileProblems [][]problem    // of the files that each operation names
}

// quotable matches the keys and values that can be quoted: {token:secret} is a key to
// YAML, and an open quotation mark includes the lines below it.
var quotable = regexp.MustCompile(`^[^\s:]{1,64}$`)

// joinPath returns the path of a key.
func joinPath(path, key string) string {
	if !quotable.MatchString(key) || unprintable(key) != "" {
		return path
	}
	return strings.TrimPrefix(path+"."+key, ".")
}

// report adds a problem.
func (d *decoder) report(path, format string, arguments ...any) {
	d.problems = append(d.problems, problem{key: path, text: fmt.Sprintf(format, arguments...)})
}

// line returns the line of a path, or of the nearest parent that the file has.
func (d *decoder) line(path string) int {
	for path != "" {
		if line, ok := d.lines[path]; ok {
			return line
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 1
}

// decode sets target to the value of a node. A key without a value is like no key.
func (d *decoder) decode(node *yaml.Node, path string, target reflect.Value) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.ShortTag() == "!!null" {
		return
	}
	if isScalar(target) {
		d.scalar(node, path, target)
		return
	}
	switch target.Kind() {
	case reflect.Pointer:
		target.Set(reflect.New(target.Type().Elem()))
		d.decode(node, path, target.Elem())
	case reflect.Slice:
		d.list(node, path, target)
	default:
		d.mapping(node, path, target)
	}
}

func (d *decoder) list(node *yaml.Node, path string, target reflect.Value) {
	if node.Kind != yaml.SequenceNode {
		d.report(path, "must be a list")
		return
	}
	target.Set(reflect.MakeSlice(target.Type(), len(node.Content), len(node.Content)))
	for i, item := range node.Content {
		if d.ctx.Err() != nil {
			return
		}
		itemPath := fmt.Sprintf("%s[%d]", path, i)
		d.lines[itemPath] = item.Line
		// Flags provide defaults for omitted keys.
		if operation, ok := reflect.TypeAssert[*Operation](target.Index(i).Addr()); ok {
			operation.TimeZone, operation.Timeout, operation.Poll = d.defaults.TimeZone, d.defaults.Timeout, d.defaults.Poll
		}
		d.decode(item, itemPath, target.Index(i))
	}
}

func (d *decoder) mapping(node *yaml.Node, path string, target reflect.Value) {
	if node.Kind != yaml.MappingNode {
		d.report(path, "must be a mapping of keys to values")
		return
	}
	seen := map[string]int{}
	for i := 0; i < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		keyPath := joinPath(path, key.Value)
		if keyPath != path {
			d.lines[keyPath] = key.Line
		}
		first, repeated := seen[key.Value]
		seen[key.Value] = key.Line
		switch {
		case key.Kind != yaml.ScalarNode:
			d.report(path, "keys must be single words")
		case repeated:
			d.report(keyPath, "already set in line %d", first)
		case target.Kind() == reflect.Map:
			if target.IsNil() {
				target.Set(reflect.MakeMap(target.Type()))
			}
			item := reflect.New(target.Type().Elem()).Elem()
			d.decode(value, keyPath, item)
			target.SetMapIndex(reflect.ValueOf(key.Value), item)
		default:
			d.field(key.Value, value, keyPath, target)
		}
	}
}

// field sets the field of a struct that has the key.
func (d *decoder) field(key string, value *yaml.Node, path string, target reflect.Value) {
	if reason := unsupported[key]; reason != "" {
		d.report(path, "%s", reason)
		return
	}
	var known []string
	for _, f := range yamlFields(target.Type()) {
		if f.key == key {
			d.decode(value, path, target.FieldByIndex(f.index))
			return
		}
		known = append(known, f.key)
	}
	d.report(path, "unknown key (known keys: %s)", strings.Join(known, ", "))
}

type field struct {
	key   string
	index []int
}

// yamlFields returns the keys of a struct, including those of an inlined struct.
func yamlFields(t reflect.Type) (fields []field) {
	for _, f := range reflect.VisibleFields(t) {
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key != "" && unsupported[key] == "" {
			fields = append(fields, field{key, f.Index})
		}
	}
	return fields
}

// isScalar reports whether a value is written as a scalar.
func isScalar(target reflect.Value) bool {
	switch target.Addr().Interface().(type) {
	case *Duration, *promconfig.URL:
		return true
	}
	return !slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Struct, reflect.Slice, reflect.Map}, target.Kind())
}

// scalar sets target to a scalar. Its errors quote a value only where there is no secret.
func (d *decoder) scalar(node *yaml.Node, path string, target reflect.Value) {
	if node.Kind != yaml.ScalarNode {
		d.report(path, "must be a single value")
		return
	}
	switch value := target.Addr().Interface().(type) {
	case *Duration:
		if !quotable.MatchString(node.Value) {
			d.report(path, "invalid duration (examples: 90s, 5m, 1d)")
		} else if err := value.Set(node.Value); err != nil {
			d.report(path, "%s", err)
		}
	case *promconfig.URL:
		parsed, err := url.Parse(node.Value)
		if err != nil {
			d.report(path, invalidProxyURL)
			return
		}
		value.URL = parsed
	case *promconfig.TLSVersion:
		version, ok := promconfig.TLSVersions[node.Value]
		if !ok {
			d.report(path, "must be TLS10, TLS11, TLS12 or TLS13")
		}
		*value = version
	case *bool:
		if node.Decode(value) != nil {
			d.report(path, "must be true or false")
		}
	case *float64:
		if node.Decode(value) != nil {
			d.report(path, "must be a number")
		}
	default:
		// The digits are kept as written: 0042 is not a number.
		target.SetString(node.Value)
	}
}
