package cmd_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func usageOf(t testing.TB, pid int) (u usage) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	if _, err := fmt.Sscan(rest, &u.anonymous); err != nil {
		t.Fatalf("no RssAnon in %s", status)
	}
	u.anonymous <<= 10 // from kB
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	u.descriptors = len(files)
	return u
}
