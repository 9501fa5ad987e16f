package vet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Verdict is the result of an external scanner.
type Verdict struct {
	Command string // as it was given
	Found   bool   // exit status 1: the scanner has found something
	Output  string // of stdout and stderr, shortened to its last 4 KiB
}

// maxOutput limits the output of a scanner that is kept, in bytes.
const maxOutput = 4 << 10

// RunScanner runs a scanner on a package. The words of command are separated by white space, and
// quotes group them; {} in a word is replaced by the path of the package, which is otherwise
// appended. No shell is used. Exit status 0 means that the scanner has found nothing, and 1 that
// it has found something. Any other status is an error, as is a scanner that cannot be started
// or needs longer than the timeout.
func RunScanner(ctx context.Context, command, path string, timeout time.Duration) (Verdict, error) {
	v := Verdict{Command: command}
	words, err := splitCommand(command)
	if err != nil {
		return v, err
	}
	words = withPath(words, path)
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(limited, words[0], words[1:]...)
	cmd.WaitDelay = time.Second // its children may keep the output open
	var output tail
	cmd.Stdout, cmd.Stderr = &output, &output
	err = cmd.Run()
	v.Output = strings.ToValidUTF8(string(bytes.TrimSpace(output.kept)), "?")
	status, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case ctx.Err() != nil:
		return v, ctx.Err()
	case limited.Err() != nil:
		return v, fmt.Errorf("scanner %s has not ended after %s", words[0], timeout)
	case exited && status.ExitCode() == 1:
		v.Found = true
		return v, nil
	case exited:
		return v, fmt.Errorf("scanner %s: %v, want exit status 0 or 1%s", words[0], status, lastLine(v.Output))
	case err != nil:
		return v, fmt.Errorf("scanner %s: %w", words[0], err)
	}
	return v, nil
}

// lastLine returns the last line of an output for a message.
func lastLine(output string) string {
	if output == "" {
		return ""
	}
	return ": " + clip(output[strings.LastIndexByte(output, '\n')+1:])
}

// tail is a writer that keeps the last maxOutput bytes.
type tail struct{ kept []byte }

// Write implements [io.Writer].
func (t *tail) Write(b []byte) (int, error) {
	t.kept = append(t.kept, b[max(0, len(b)-maxOutput):]...)
	if extra := len(t.kept) - maxOutput; extra > 0 {
		t.kept = append(t.kept[:0], t.kept[extra:]...)
	}
	return len(b), nil
}

// withPath adds the path of a package to the words of a command. A file name that begins with a
// hyphen would be an option.
func withPath(words []string, path string) []string {
	if strings.HasPrefix(path, "-") {
		path = "." + string(filepath.Separator) + path
	}
	found := false
	for i, word := range words {
		if strings.Contains(word, "{}") {
			words[i] = strings.ReplaceAll(word, "{}", path)
			found = true
		}
	}
	if !found {
		words = append(words, path)
	}
	return words
}

// splitCommand splits a command into words. A backslash is a backslash, as paths on Windows need
// it.
func splitCommand(command string) (words []string, err error) {
	var word strings.Builder
	var quote rune
	inWord := false
	for _, r := range command {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, inWord = r, true
		case quote == 0 && (r == ' ' || r == '\t' || r == '\n'):
			if inWord {
				words = append(words, word.String())
				word.Reset()
			}
			inWord = false
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("scanner %q: a quote is not closed", command)
	}
	if inWord {
		words = append(words, word.String())
	}
	if len(words) == 0 || words[0] == "" {
		return nil, errors.New("scanner: the command is empty")
	}
	return words, nil
}

// ScannerFinding returns the finding of a scanner that has found something.
func ScannerFinding(v Verdict) Finding {
	return Finding{Rule: scannerFound, Severity: High, Detail: clip("the scanner has found something: " + v.Command), Evidence: evidence([]byte(v.Output))}
}
