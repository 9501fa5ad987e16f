package vet

import (
	"archive/zip"
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	json2 "github.com/go-json-experiment/json"

	"galbuild/build/npmsemver"
)

// Advisories are those about npm packages in a dump of OSV.
//
// Source: https://ossf.github.io/osv-schema/ 1.7.
type Advisories struct {
	byName map[string][]advisoryRange
	count  int
	left   int64 // bytes of documents that may follow
}

// Advisory is what is known about a version of an npm package.
type Advisory struct {
	ID       string
	Severity Severity
	Summary  string
}

// advisoryRange says which versions of a package an advisory concerns.
type advisoryRange struct {
	Advisory
	versions map[string]bool
	events   []osvEvent
}

// Limits of a dump.
const (
	maxDump     = 1 << 20 // entries
	maxDocument = 4 << 20 // bytes of one document
	maxDumpText = 2 << 30 // bytes of all documents; those of osv.dev about npm have less than a gigabyte
)

// osvDocument is one advisory, as far as it is needed.
type osvDocument struct {
	ID        string `json:"id"`
	Summary   string `json:"summary"`
	Withdrawn string `json:"withdrawn"`
	Severity  []struct {
		Type  string `json:"type"`
		Score string `json:"score"`
	} `json:"severity"`
	Specific struct {
		Severity any `json:"severity"`
	} `json:"database_specific"`
	Affected []osvAffected `json:"affected"`
}

type osvAffected struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
	} `json:"package"`
	Versions []string `json:"versions"`
	Ranges   []struct {
		Type   string     `json:"type"`
		Events []osvEvent `json:"events"`
	} `json:"ranges"`
}

// osvEvent begins or ends the versions that are affected.
type osvEvent struct {
	Introduced   string `json:"introduced"`
	Fixed        string `json:"fixed"`
	LastAffected string `json:"last_affected"`
}

// ReadAdvisories reads a dump: a zip file of JSON documents, as osv.dev publishes for an
// ecosystem, or JSON documents, each on a line.
func ReadAdvisories(r io.ReaderAt, size int64) (*Advisories, error) {
	return readAdvisories(r, size, maxDumpText)
}

func readAdvisories(r io.ReaderAt, size, limit int64) (*Advisories, error) {
	a := &Advisories{byName: make(map[string][]advisoryRange), left: limit}
	var head [4]byte
	if n, err := r.ReadAt(head[:], 0); err != nil && err != io.EOF {
		return nil, err
	} else if string(head[:n]) == "PK\x03\x04" {
		return a, a.readZip(r, size)
	}
	return a, a.readLines(io.NewSectionReader(r, 0, size))
}

// Len returns the number of advisories about npm packages.
func (a *Advisories) Len() int { return a.count }

func (a *Advisories) readZip(r io.ReaderAt, size int64) error {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return err
	}
	if len(z.File) > maxDump {
		return fmt.Errorf("the dump has %d files, more than the limit of %d", len(z.File), maxDump)
	}
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, ".json") {
			continue
		}
		if err := a.readFile(f); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}

func (a *Advisories) readFile(f *zip.File) error {
	content, err := f.Open()
	if err != nil {
		return err
	}
	defer content.Close()
	text, err := io.ReadAll(io.LimitReader(content, maxDocument+1))
	if err == nil && len(text) > maxDocument {
		err = fmt.Errorf("larger than the limit of %d bytes", maxDocument)
	}
	if err != nil {
		return err
	}
	return a.add(text)
}

func (a *Advisories) readLines(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxDocument)
	number := 0
	for lines.Scan() {
		if number++; len(strings.TrimSpace(lines.Text())) == 0 {
			continue
		}
		if err := a.add(lines.Bytes()); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	return lines.Err()
}

// add adds what a document says about npm packages.
func (a *Advisories) add(text []byte) error {
	if a.left -= int64(len(text)); a.left < 0 {
		return errors.New("the documents of the dump are larger than the limit together")
	}
	var d osvDocument
	if err := json2.Unmarshal(text, &d); err != nil {
		return err
	}
	if d.ID == "" {
		return errors.New("the advisory has no id")
	}
	if d.Withdrawn != "" {
		return nil
	}
	about := Advisory{d.ID, d.severity(), clip(d.Summary)}
	for i := range d.Affected {
		x := &d.Affected[i]
		if !strings.EqualFold(x.Package.Ecosystem, "npm") {
			continue
		}
		a.count++
		r := advisoryRange{Advisory: about}
		if len(x.Versions) > 0 {
			r.versions = make(map[string]bool, len(x.Versions))
		}
		for _, v := range x.Versions {
			r.versions[v] = true
		}
		for _, all := range x.Ranges {
			if all.Type == "SEMVER" {
				r.events = append(r.events, all.Events...)
			}
		}
		name := strings.ToLower(x.Package.Name)
		a.byName[name] = append(a.byName[name], r)
	}
	return nil
}

// severity returns high for malicious packages. For vulnerabilities it is one lower than theirs,
// because an extension that bundles a vulnerable package is seldom malicious: medium if they are
// critical or high, otherwise low.
func (d *osvDocument) severity() Severity {
	if strings.HasPrefix(d.ID, "MAL-") {
		return High
	}
	switch strings.ToUpper(asText(d.Specific.Severity)) {
	case "CRITICAL":
		return High
	case "HIGH":
		return Medium
	case "":
		return Medium // unknown
	}
	return Low
}

// About returns the advisories about a version of an npm package, sorted by severity and ID.
func (a *Advisories) About(name, version string) (all []Advisory) {
	for _, r := range a.byName[strings.ToLower(name)] {
		if r.affects(version) {
			all = append(all, r.Advisory)
		}
	}
	slices.SortFunc(all, func(a, b Advisory) int {
		return cmp.Or(-cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.ID, b.ID))
	})
	return slices.Compact(all)
}

func (r *advisoryRange) affects(version string) bool {
	if r.versions[version] {
		return true
	}
	v, err := npmsemver.ParseVersion(version)
	if err != nil {
		return false
	}
	affected := false
	for _, e := range sortedEvents(r.events) {
		order := v.Compare(e.at)
		switch {
		case e.kind == introduced && order >= 0:
			affected = true
		case e.kind == fixed && order >= 0, e.kind == lastAffected && order > 0:
			affected = false
		}
	}
	return affected
}

// Kinds of events, in their order at the same version.
const (
	introduced = iota
	fixed
	lastAffected
)

type versionEvent struct {
	at   *semver.Version
	kind int
}

// sortedEvents returns the events by version. Those whose version cannot be read are left out.
func sortedEvents(events []osvEvent) (all []versionEvent) {
	for _, e := range events {
		for kind, text := range []string{e.Introduced, e.Fixed, e.LastAffected} {
			if text == "0" {
				text = "0.0.0-0"
			}
			if at, err := npmsemver.ParseVersion(text); err == nil {
				all = append(all, versionEvent{at, kind})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b versionEvent) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.kind, b.kind))
	})
	return all
}
