package helm

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"galbuild/build/jsondoc"
)

var update = flag.Bool("update", false, "write the table of values to README.md")

// A schema is the part of a JSON Schema that describes a value.
type schema struct {
	Description          string
	Type                 any
	AdditionalProperties any
	Properties           map[string]schema
	Items                *schema
}

func readChart(t *testing.T, name string) []byte {
	t.Helper()
	text, err := files.ReadFile(Chart + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func readSchema(t *testing.T) schema {
	t.Helper()
	var s schema
	if err := json.Unmarshal(readChart(t, "values.schema.json"), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// values is a mapping in values.yaml.
type values = map[string]any

func readValues(t *testing.T) values {
	t.Helper()
	var v values
	if err := yaml.Unmarshal(readChart(t, "values.yaml"), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestSchemaHasAllValues checks that the schema has the values of values.yaml and no others, and
// that it refuses those that do not exist in every mapping of the chart's own.
func TestSchemaHasAllValues(t *testing.T) {
	s := readSchema(t)
	for _, ignored := range []string{"global", "extensionSigning"} { // set by Helm, and by the values of another chart
		if s.Properties[ignored].Description == "" {
			t.Errorf("%s is refused", ignored)
		}
		delete(s.Properties, ignored)
	}
	compareKeys(t, "", s, readValues(t))
}

func compareKeys(t *testing.T, path string, s schema, v values) {
	t.Helper()
	if s.AdditionalProperties != false {
		t.Errorf("%s: the schema admits values that do not exist", path)
	}
	want := slices.Sorted(maps.Keys(v))
	if got := slices.Sorted(maps.Keys(s.Properties)); !slices.Equal(got, want) {
		t.Errorf("%s: the schema has %q, values.yaml %q", path, got, want)
	}
	for _, key := range want {
		property := s.Properties[key]
		if property.Description == "" {
			t.Errorf("%s%s has no description", path, key)
		}
		if sub, ok := v[key].(values); ok && property.Properties != nil && !isResources(property) {
			compareKeys(t, path+key+".", property, sub)
		}
	}
}

// isResources reports whether a mapping is the resources of a container.
func isResources(s schema) bool { return s.Properties["limits"].Type != nil }

// TestReadme checks the table of values in README.md, and with -update writes it.
func TestReadme(t *testing.T) {
	const mark = "<!-- made by go test ./render/deploy/helm -update -->\n"
	text := string(readChart(t, "README.md"))
	before, _, found := strings.Cut(text, mark)
	if !found {
		t.Fatal("README.md has no mark before the table of values")
	}
	var table strings.Builder
	table.WriteString("\n| value | default | meaning |\n| --- | --- | --- |\n")
	addRows(t, &table, "", readSchema(t), readValues(t))
	want := before + mark + table.String()
	if *update {
		if err := os.WriteFile(filepath.Join(Chart, "README.md"), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if text != want {
		t.Error("the table of values in README.md differs from values.yaml and values.schema.json; run with -update")
	}
}

// addRows adds a row for each value that is not a mapping of others.
func addRows(t *testing.T, table *strings.Builder, path string, s schema, v values) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(v)) {
		property := s.Properties[key]
		if sub, ok := v[key].(values); ok && property.Properties != nil && !isResources(property) {
			addRows(t, table, path+key+".", property, sub)
			continue
		}
		fmt.Fprintf(table, "| `%s%s` | %s | %s |\n", path, key, defaultOf(t, v[key]), strings.ReplaceAll(property.Description, "|", `\|`))
	}
}

// defaultOf returns the default of a value as the table has it.
func defaultOf(t *testing.T, v any) string {
	t.Helper()
	switch v := v.(type) {
	case string:
		if v == "" {
			return ""
		}
	case []any:
		if len(v) == 0 {
			return ""
		}
	case values:
		if len(v) == 0 {
			return ""
		}
	}
	text, err := jsondoc.Line(v)
	if err != nil {
		t.Fatal(err)
	}
	return "`" + strings.Trim(strings.TrimSpace(string(text)), `"`) + "`"
}
