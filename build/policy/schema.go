package policy

import (
	_ "embed"
	"slices"
)

//go:embed schema.json
var schema []byte

// Schema returns the JSON Schema of policies, with which editors complete and check them. Parse also
// refuses what a schema cannot describe, such as a replacement of an extension with itself.
func Schema() []byte { return slices.Clone(schema) }
