package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

const (
	docs        = "../../docs"
	schemaFile  = docs + "/wolkvox.schema.json"
	exampleFile = docs + "/wolkvox.example.yml"
)

// structKeys returns the paths of all keys of a struct: [] stands for the items of
// a list, and * for the names in a map.
func structKeys(t reflect.Type, path string) (keys []string) {
	switch t.Kind() {
	case reflect.Pointer:
		return structKeys(t.Elem(), path)
	case reflect.Slice:
		return structKeys(t.Elem(), path+"[]")
	case reflect.Map:
		return structKeys(t.Elem(), path+".*")
	case reflect.Struct:
		if isScalar(reflect.New(t).Elem()) {
			return nil
		}
		for _, f := range yamlFields(t) {
			key := strings.TrimPrefix(path+"."+f.key, ".")
			keys = append(append(keys, key), structKeys(t.FieldByIndex(f.index).Type, key)...)
		}
	default: // has no keys
	}
	return keys
}

// schemaKeys returns those of a JSON Schema.
func schemaKeys(t *testing.T, root, at map[string]any, path string) (keys []string) {
	t.Helper()
	below := func(value any, path string) {
		if value, ok := value.(map[string]any); ok {
			keys = append(keys, schemaKeys(t, root, value, path)...)
		}
	}
	if reference, ok := at["$ref"].(string); ok {
		below(root["definitions"].(map[string]any)[strings.TrimPrefix(reference, "#/definitions/")], path)
	}
	if all, ok := at["allOf"].([]any); ok {
		for _, one := range all {
			below(one, path)
		}
	}
	below(at["items"], path+"[]")
	below(at["additionalProperties"], path+".*")
	properties, _ := at["properties"].(map[string]any)
	for name, property := range properties {
		key := strings.TrimPrefix(path+"."+name, ".")
		keys = append(keys, key)
		below(property, key)
	}
	return keys
}

// reportDifference reports which keys are in one list only.
func reportDifference(t *testing.T, keys []string, name string) {
	t.Helper()
	want := structKeys(reflect.TypeFor[file](), "")
	if len(want) < 40 {
		t.Fatalf("have %d keys of the structs: %q", len(want), want)
	}
	for _, key := range want {
		if !slices.Contains(keys, key) {
			t.Errorf("%s lacks %s", name, key)
		}
	}
	for _, key := range keys {
		if !slices.Contains(want, key) {
			t.Errorf("%s has %s, which no file can have", name, key)
		}
	}
}

func TestSchema_HasExactlyTheKeys(t *testing.T) {
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	reportDifference(t, schemaKeys(t, schema, schema, ""), schemaFile)
}

// asJSON converts YAML to what an editor gives a validator: every key is a string.
func asJSON(value any) any {
	switch value := value.(type) {
	case map[any]any:
		made := map[string]any{}
		for key, item := range value {
			made[fmt.Sprint(key)] = asJSON(item)
		}
		return made
	case map[string]any:
		made := maps.Clone(value)
		for key, item := range value {
			made[key] = asJSON(item)
		}
		return made
	case []any:
		made := slices.Clone(value)
		for i := range value {
			made[i] = asJSON(value[i])
		}
		return made
	}
	return value
}

// validate returns the error of the schema or of YAML in a file.
func validate(t *testing.T, path string) error {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := yaml.Unmarshal(text, &value); err != nil {
		return err
	}
	return schema.Validate(asJSON(value))
}

func TestSchema_AcceptsValidFiles(t *testing.T) {
	for _, path := range append(testFiles(t, "testdata/good/*.yml"), exampleFile) {
		if err := validate(t, path); err != nil {
			t.Error(err)
		}
	}
}

// beyondTheSchema are the rules about order, other places in the file, other
// files, and lists that the program has.
var beyondTheSchema = []string{
	"buckets_descending", "duration_short", "name_twice", "name_twice_of_two_words", "second_document_broken", "two_documents",
	"http_header_authorization", "http_header_server", "http_header_token", "http_header_value",
	"http_proxy_url_broken", "http_tls_versions_crossed", "time_zone_unknown", "url_with_a_secret",
	"http_header_file_missing", "http_tls_ca_missing", "http_tls_ca_no_certificate", "token_file_empty", "token_file_missing",
}

func TestSchema_RefusesInvalidFiles(t *testing.T) {
	for _, path := range testFiles(t, "testdata/bad/*.yml") {
		name := strings.TrimSuffix(filepath.Base(path), ".yml")
		err := validate(t, path)
		if want := !slices.Contains(beyondTheSchema, name); (err != nil) != want {
			t.Errorf("%s: have error %v, want one: %t", name, err, want)
		}
	}
}
