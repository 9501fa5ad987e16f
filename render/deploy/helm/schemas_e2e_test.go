//go:build e2e

package helm

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"galbuild/cmd/e2e/toolchain"
)

// schemas are the schemas of Kubernetes by the apiVersion and kind of an object.
type schemas struct {
	folder   string
	compiled map[string]*jsonschema.Schema
}

func newSchemas(t *testing.T) schemas {
	return schemas{toolchain.Tools(t).Kubernetes, map[string]*jsonschema.Schema{}}
}

// schema returns the schema of an object. Unlike a server, it refuses fields that do not exist.
func (s schemas) schema(t *testing.T, o object) *jsonschema.Schema {
	t.Helper()
	api, kind := o.text("apiVersion"), o.kind()
	key := api + " " + kind
	if s.compiled[key] == nil {
		document, pointer := s.openAPI(t, api, kind)
		refuseOthers(document)
		c := jsonschema.NewCompiler()
		err := c.AddResource(schemaAddress, document)
		if err == nil {
			s.compiled[key], err = c.Compile(schemaAddress + pointer)
		}
		if err != nil {
			t.Fatalf("schema of %s: %v", key, err)
		}
	}
	return s.compiled[key]
}

// openAPI returns the document with a schema, and where it is in the document.
func (s schemas) openAPI(t *testing.T, api, kind string) (document any, pointer string) {
	t.Helper()
	if kind == "ServiceMonitor" {
		return s.read(t, "monitoring.coreos.com_servicemonitors.yaml"), "#/spec/versions/0/schema/openAPIV3Schema"
	}
	group, version, found := strings.Cut(api, "/")
	file := fmt.Sprintf("apis__%s__%s_openapi.json", group, version)
	if !found {
		group, version = "", api
		file = fmt.Sprintf("api__%s_openapi.json", version)
	}
	document = s.read(t, file)
	components := object{"document": document}.get("document", "components", "schemas").(map[string]any)
	for name, schema := range components {
		kinds, _ := object{"schema": schema}.get("schema", "x-kubernetes-group-version-kind").([]any)
		for _, k := range kinds {
			if k := (object)(k.(map[string]any)); k["group"] == group && k["version"] == version && k["kind"] == kind {
				return document, "#/components/schemas/" + name
			}
		}
	}
	t.Fatalf("%s has no schema of %s", file, kind)
	return nil, ""
}

func (s schemas) read(t *testing.T, file string) (document any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.folder, file))
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(file, ".json") {
		err = json.Unmarshal(text, &document)
	} else {
		err = yaml.Unmarshal(text, &document)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return document
}

// schemaAddress is the address of the schemas for references. With a relative one, the path of this
// folder would be part of it, and may have spaces.
const schemaAddress = "https://kubernetes.invalid/schemas.json"

// refuseOthers makes all schemas of a document refuse properties that they do not name.
func refuseOthers(v any) {
	switch v := v.(type) {
	case map[string]any:
		_, named := v["properties"].(map[string]any)
		if _, set := v["additionalProperties"]; named && !set && v["type"] == "object" {
			v["additionalProperties"] = false
		}
		for _, sub := range v {
			refuseOthers(sub)
		}
	case []any:
		for _, sub := range v {
			refuseOthers(sub)
		}
	}
}

// TestSchemas checks that a field that does not exist is refused.
func TestSchemas(t *testing.T) {
	typo := object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"nmae": "x"}}
	if err := validate(newSchemas(t).schema(t, typo), typo); err == nil || !strings.Contains(err.Error(), "nmae") {
		t.Errorf("got %v", err)
	}
}

// validate validates an object, as JSON.
func validate(schema *jsonschema.Schema, o object) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		return err
	}
	return schema.Validate(v)
}
