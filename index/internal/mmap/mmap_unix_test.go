//go:build unix && !portable

package mmap

import "testing"

// TestSealed writes to sealed memory, which is a fault.
func TestSealed(t *testing.T) {
	f, err := Memory(10)
	if err != nil || f.Seal() != nil {
		t.Fatal(err)
	}
	defer f.Close()
	defer RestorePanicOnFault(PanicOnFault())
	defer func() {
		if p := recover(); AsError(p) == nil {
			t.Errorf("recovered %v, want a fault", p)
		}
	}()
	f.Bytes[3] = 1
}
