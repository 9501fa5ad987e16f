package galbuild

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode"

	"aead.dev/minisign"

	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/records"
	"galbuild/build/source"
	"galbuild/build/vet"
	"galbuild/build/vsix"
)

// verdictFlags are the flags of a command that records what scanners say.
type verdictFlags struct {
	By string `placeholder:"NAME" help:"Who scans (default: the user). Only auditors see it."`
	clockFlag
	recordKeyFlags
}

// A verdictWriter writes the verdicts of scanners next to packages.
type verdictWriter struct {
	author decision.Author
	key    *minisign.PrivateKey // nil: nothing is written
}

// writer returns the writer of verdicts. Without a key, it writes nothing.
func (f *verdictFlags) writer(e *env) (w verdictWriter, err error) {
	if w.key, err = f.recordKey(e); err != nil {
		return w, err
	}
	w.author.By = cmp.Or(f.By, userName())
	w.author.When, err = f.time()
	return w, err
}

// maxOutput limits the output of a scanner in a record, in characters.
const maxOutput = 500

// write records the verdict of a scanner, or that it failed.
func (w verdictWriter) write(x *vetting, v vet.Verdict, failed error) error {
	if w.key == nil {
		return nil
	}
	if source.IsURL(x.file) {
		return errors.New("its verdict cannot be recorded next to a download; download it first, and name the file")
	}
	r := w.author.Record(catalog.Record{Kind: decision.Verdict, Scanner: scannerName(v.Command), Result: decision.Clean})
	output := v.Output
	switch {
	case failed != nil:
		r.Result, output = decision.Failed, failed.Error()
	case v.Found:
		r.Result = decision.Found
	}
	r.Private.Output, _ = vsix.Cut(strings.Join(strings.FieldsFunc(output, unicode.IsControl), " "), maxOutput)
	if _, err := records.Append(x.path, x.ref, r, w.key); err != nil {
		return fmt.Errorf("the verdict of %s is not recorded: %w", r.Scanner, err)
	}
	return nil
}

// scannerName returns the name of a scanner, by which a policy requires its verdicts: that of its
// program without folder and suffix.
func scannerName(command string) string {
	words := strings.Fields(command)
	if len(words) == 0 {
		return ""
	}
	name := filepath.Base(strings.Trim(words[0], `"'`))
	return strings.TrimSuffix(name, filepath.Ext(name))
}
