package galbuild

import (
	"context"
	"fmt"
	"os"
	"time"

	"galbuild/build/vet"
)

// scanFlags are the flags of commands that vet packages with the help of others.
type scanFlags struct {
	OSV            string        `name:"osv" type:"file" placeholder:"FILE" help:"Compare bundled npm packages with advisories: a zip file of JSON documents, as osv.dev publishes for npm, or a document on each line."`
	Scanner        []string      `sep:"none" placeholder:"COMMAND" help:"Also run this command on each package, such as 'clamscan --no-summary'. {} stands for the path of the package, which otherwise is the last argument. The exit status is 0 if nothing was found, and 1 if something was. May be repeated."`
	ScannerTimeout time.Duration `default:"10m" help:"How long a scanner may need for a package."`
}

// advisories reads the dump of --osv.
func (s *scanFlags) advisories() (*vet.Advisories, error) {
	if s.OSV == "" {
		return nil, nil
	}
	file, err := os.Open(s.OSV)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	a, err := vet.ReadAdvisories(file, info.Size())
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", s.OSV, err)
	case a.Len() == 0:
		return nil, fmt.Errorf("%s has no advisories about npm packages", s.OSV)
	}
	return a, nil
}

// scan runs the scanners on a package, and calls record with the verdict of each. A scanner that
// cannot be run is a finding.
func (s *scanFlags) scan(ctx context.Context, path string, record func(vet.Verdict, error) error) (found []vet.Finding, err error) {
	for _, command := range s.Scanner {
		verdict, err := vet.RunScanner(ctx, command, path, s.ScannerTimeout)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		switch {
		case err != nil:
			found = append(found, vet.NotChecked(err.Error()))
		case verdict.Found:
			found = append(found, vet.ScannerFinding(verdict))
		}
		if err := record(verdict, err); err != nil {
			return found, err
		}
	}
	return found, nil
}
