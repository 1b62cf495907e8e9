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

// decoder fills structs by their yaml tags. Beyond yaml's own strict decoding it
// knows the path and the line of every value, for the checks that follow too,
// and speaks of keys where yaml speaks of Go's types.
type decoder struct {
	ctx      context.Context // once it is done, the rest of a list is left out
	defaults Defaults
	lines    map[string]int // by path
	problems []problem      // by path
	beside   [][]problem    // of the files of each operation, by its keys
}

// plain is what a key or a value must look like to be quoted: {token:secret} is
// a key to YAML, and a quotation mark left open takes in the lines below.
var plain = regexp.MustCompile(`^[^\s:]{1,64}$`)

// under is the path of a key.
func under(path, key string) string {
	if !plain.MatchString(key) || unprintable(key) != "" {
		return path
	}
	return strings.TrimPrefix(path+"."+key, ".")
}

func (d *decoder) wrong(path, format string, arguments ...any) {
	d.problems = append(d.problems, problem{key: path, wrong: fmt.Sprintf(format, arguments...)})
}

// line is that of a path, or of what it would be in.
func (d *decoder) line(path string) int {
	for path != "" {
		if line, ok := d.lines[path]; ok {
			return line
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 1
}

// decode fills to from a node. A key without a value is as good as none.
func (d *decoder) decode(node *yaml.Node, path string, to reflect.Value) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.ShortTag() == "!!null" {
		return
	}
	if leaf(to) {
		d.scalar(node, path, to)
		return
	}
	switch to.Kind() {
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		d.decode(node, path, to.Elem())
	case reflect.Slice:
		d.list(node, path, to)
	default:
		d.mapping(node, path, to)
	}
}

func (d *decoder) list(node *yaml.Node, path string, to reflect.Value) {
	if node.Kind != yaml.SequenceNode {
		d.wrong(path, "a list is wanted")
		return
	}
	to.Set(reflect.MakeSlice(to.Type(), len(node.Content), len(node.Content)))
	for i, item := range node.Content {
		if d.ctx.Err() != nil {
			return
		}
		itemPath := fmt.Sprintf("%s[%d]", path, i)
		d.lines[itemPath] = item.Line
		// What an operation leaves open is as the flags say.
		if operation, ok := reflect.TypeAssert[*Operation](to.Index(i).Addr()); ok {
			operation.TimeZone, operation.Timeout, operation.Poll = d.defaults.TimeZone, d.defaults.Timeout, d.defaults.Poll
		}
		d.decode(item, itemPath, to.Index(i))
	}
}

func (d *decoder) mapping(node *yaml.Node, path string, to reflect.Value) {
	if node.Kind != yaml.MappingNode {
		d.wrong(path, "keys with values are wanted")
		return
	}
	seen := map[string]int{}
	for i := 0; i < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		keyPath := under(path, key.Value)
		if keyPath != path {
			d.lines[keyPath] = key.Line
		}
		first, twice := seen[key.Value]
		seen[key.Value] = key.Line
		switch {
		case key.Kind != yaml.ScalarNode:
			d.wrong(path, "keys of one word are wanted")
		case twice:
			d.wrong(keyPath, "line %d has it already", first)
		case to.Kind() == reflect.Map:
			if to.IsNil() {
				to.Set(reflect.MakeMap(to.Type()))
			}
			item := reflect.New(to.Type().Elem()).Elem()
			d.decode(value, keyPath, item)
			to.SetMapIndex(reflect.ValueOf(key.Value), item)
		default:
			d.field(key.Value, value, keyPath, to)
		}
	}
}

// field fills the field of a struct that has the key.
func (d *decoder) field(key string, value *yaml.Node, path string, to reflect.Value) {
	if why := refused[key]; why != "" {
		d.wrong(path, "%s", why)
		return
	}
	var known []string
	for _, f := range fieldsOf(to.Type()) {
		if f.key == key {
			d.decode(value, path, to.FieldByIndex(f.index))
			return
		}
		known = append(known, f.key)
	}
	d.wrong(path, "unknown key, these are known: %s", strings.Join(known, ", "))
}

type field struct {
	key   string
	index []int
}

// fieldsOf are the keys that a struct takes, those of an inlined one too.
func fieldsOf(t reflect.Type) (fields []field) {
	for _, f := range reflect.VisibleFields(t) {
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key != "" && refused[key] == "" {
			fields = append(fields, field{key, f.Index})
		}
	}
	return fields
}

// leaf tells whether a value is written as a scalar.
func leaf(to reflect.Value) bool {
	switch to.Addr().Interface().(type) {
	case *Duration, *promconfig.URL:
		return true
	}
	return !slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Struct, reflect.Slice, reflect.Map}, to.Kind())
}

// scalar quotes a value only where no secret has its place.
func (d *decoder) scalar(node *yaml.Node, path string, to reflect.Value) {
	if node.Kind != yaml.ScalarNode {
		d.wrong(path, "a single value is wanted")
		return
	}
	switch value := to.Addr().Interface().(type) {
	case *Duration:
		if !plain.MatchString(node.Value) {
			d.wrong(path, "no duration such as 90s, 5m or 1d")
		} else if err := value.Set(node.Value); err != nil {
			d.wrong(path, "%s", err)
		}
	case *promconfig.URL:
		parsed, err := url.Parse(node.Value)
		if err != nil {
			d.wrong(path, wantedProxy)
			return
		}
		value.URL = parsed
	case *promconfig.TLSVersion:
		version, ok := promconfig.TLSVersions[node.Value]
		if !ok {
			d.wrong(path, "TLS10, TLS11, TLS12 or TLS13 is wanted")
		}
		*value = version
	case *bool:
		if node.Decode(value) != nil {
			d.wrong(path, "true or false is wanted")
		}
	case *float64:
		if node.Decode(value) != nil {
			d.wrong(path, "a number is wanted")
		}
	default:
		// Digits as they are written: 0042 is no number here.
		to.SetString(node.Value)
	}
}
