package delivery

import (
	_ "embed"
	"slices"
)

//go:embed schema.json
var schema []byte

// Schema returns the JSON Schema of the file, with which editors complete and check it. Parse also
// refuses what a schema cannot describe.
func Schema() []byte { return slices.Clone(schema) }
