package vet

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test program be a scanner: it prints its arguments and exits with a status.
func TestMain(m *testing.M) {
	switch os.Getenv("GALBUILD_TEST_SCANNER") {
	case "":
		os.Exit(m.Run())
	case "wait":
		time.Sleep(time.Hour)
	}
	_, _ = os.Stdout.WriteString(strings.Join(os.Args[1:], "|") + "\n")
	os.Exit(len(os.Args[1]) - 1) // one letter: 0, two letters: 1
}

func TestRunScanner(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		arguments string
		found     bool
		output    string
		wantErr   string
	}{
		{"a", false, "a|x y.vsix", ""},
		{"aa --file={} 'b c' \"\"", true, "aa|--file=x y.vsix|b c|", ""},
		{"aaa", false, "aaa|x y.vsix", "exit status 2, want exit status 0 or 1: aaa|x y.vsix"},
		{"'a", false, "", "a quote is not closed"},
	} {
		t.Setenv("GALBUILD_TEST_SCANNER", "run")
		v, err := RunScanner(context.Background(), `"`+program+`" `+c.arguments, "x y.vsix", time.Minute)
		if v.Found != c.found || v.Output != c.output || (err == nil) != (c.wantErr == "") || err != nil && !strings.Contains(err.Error(), c.wantErr) {
			t.Errorf("%s: %+v, %v", c.arguments, v, err)
		}
	}
}

// TestRunScannerOption has a package whose name begins like an option of the scanner.
func TestRunScannerOption(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GALBUILD_TEST_SCANNER", "run")
	for _, arguments := range []string{"a", "a {}"} {
		v, err := RunScanner(context.Background(), `"`+program+`" `+arguments, "--remove=yes.vsix", time.Minute)
		if want := "a|." + string(filepath.Separator) + "--remove=yes.vsix"; v.Output != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", arguments, v.Output, err, want)
		}
	}
}

func TestRunScannerFails(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := RunScanner(context.Background(), "no-such-scanner-is-installed", "x", time.Minute); err == nil {
		t.Error("a scanner that does not exist has no error")
	}
	if _, err := RunScanner(context.Background(), " ", "x", time.Minute); err == nil {
		t.Error("an empty command has no error")
	}
	t.Setenv("GALBUILD_TEST_SCANNER", "wait")
	if _, err := RunScanner(context.Background(), `"`+program+`" a`, "x", time.Millisecond); err == nil || !strings.Contains(err.Error(), "has not ended after 1ms") {
		t.Errorf("a scanner that needs too long: %v", err)
	}
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := RunScanner(stopped, `"`+program+`" a`, "x", time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("a run that was stopped: %v", err)
	}
}

func TestTail(t *testing.T) {
	var all tail
	for _, s := range []string{strings.Repeat("a", maxOutput), "b", strings.Repeat("c", 2*maxOutput), "d"} {
		_, _ = all.Write([]byte(s))
	}
	if want := strings.Repeat("c", maxOutput-1) + "d"; string(all.kept) != want {
		t.Errorf("kept %d bytes that end in %q", len(all.kept), all.kept[len(all.kept)-3:])
	}
}

func TestSplitCommand(t *testing.T) {
	got, err := splitCommand(`  "C:\Program Files\scan.exe" --x='a "b"'  c`)
	if want := []string{`C:\Program Files\scan.exe`, `--x=a "b"`, "c"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}
