//go:build e2e

package collect

import "testing"

// TestThousand collects ten extensions that need 990 others.
func TestThousand(t *testing.T) { testDeep(t, 1000) }
