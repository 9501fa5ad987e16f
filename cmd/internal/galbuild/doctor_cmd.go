package galbuild

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"galbuild/build"
	"galbuild/build/regularfile"
	"galbuild/build/signkey"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/render/doctor"
)

type doctorCmd struct {
	URL string `arg:"" optional:"" placeholder:"URL" help:"Address of the gallery: its base URL, or a service URL as in the settings of an editor."`

	Settings  string        `type:"existingfile" placeholder:"FILE" help:"Take the addresses from the settings of an editor: product.json, the value of EXTENSIONS_GALLERY, settings.json, a policy, or what galbuild config prints."`
	Extension string        `placeholder:"ID" help:"Look at this extension, publisher.name (default: the first in the popular list)."`
	Origin    string        `placeholder:"URL" help:"Origin of the editor's page, such as https://code.example (default: that of a desktop window)."`
	CA        string        `name:"ca" aliases:"ca-bundle,ca-cert" type:"existingfile" placeholder:"FILE" help:"File of certificates (PEM) to trust in addition to the system's."`
	Token     string        `placeholder:"TOKEN" help:"Send this token as Authorization: Bearer. Better set GALBUILD_TOKEN, because other users of the machine can read command lines. A token in the path of the address needs no flag."`
	Header    string        `name:"header-file" type:"existingfile" placeholder:"FILE" help:"File of headers to send to the gallery, one in each line, such as Cookie: NAME=VALUE."`
	Timeout   time.Duration `default:"10s" help:"Limit for each request."`
	Trust     []string      `sep:"none" type:"file" placeholder:"KEY" help:"The head of the history must be signed with one of these minisign public keys. A folder stands for the *.pub files in it."`
	MaxAge    time.Duration `placeholder:"DURATION" help:"The head of the history must not be older, such as 48h."`
	Burst     int           `placeholder:"N" help:"Also send N queries at once, at most 1000, as editors of a company behind one address do."`
}

// Validate implements Kong's hook.
func (d *doctorCmd) Validate() error {
	switch {
	case d.URL == "" && d.Settings == "":
		return errors.New("name the address of a gallery, or a file with --settings")
	case d.URL != "" && d.Settings != "":
		return errors.New("--settings has the address: leave the URL out")
	case d.Burst < 0 || d.Timeout <= 0:
		return errors.New("--burst and --timeout: must not be negative")
	case d.Origin != "" && !strings.Contains(d.Origin, "://"):
		return fmt.Errorf("--origin=%s: must be a scheme and a host, such as https://code.example", d.Origin)
	}
	return nil
}

// Run runs all checks, and prints the results. It returns an error if one has failed.
func (d *doctorCmd) Run(ctx context.Context, e *env) error {
	config, err := d.config()
	if err != nil {
		return err
	}
	bar := newProgress(e)
	config.Progress = func(check string, done, total int) {
		bar.show(build.Progress{Stage: "check", Done: int64(done), Total: int64(total), Name: check})
	}
	report, err := doctor.Examine(ctx, config)
	bar.close()
	if err != nil {
		return err
	}
	if e.json {
		err = e.printJSON(newExamined(report))
	} else {
		err = printExamined(e, report)
	}
	if n := report.Count(doctor.Failed); err == nil && n > 0 {
		err = hint.Add(fmt.Errorf("%s: %s failed", report.URL, plural(n, "check")), "the lines after each are what mends it; render/doctor/README.md explains the checks")
	}
	return err
}

// config returns what to look at, from the flags and the files that they name.
func (d *doctorCmd) config() (doctor.Config, error) {
	c := doctor.Config{
		Settings: d.Settings != "", Client: agent(), Origin: d.Origin, Extension: d.Extension, CA: d.CA, Timeout: d.Timeout,
		MaxAge: d.MaxAge, Burst: d.Burst,
	}
	var err error
	if c.Gallery, err = d.gallery(); err != nil {
		return c, err
	}
	if c.Header, err = d.header(); err != nil {
		return c, err
	}
	if len(d.Trust) > 0 {
		c.Trust, err = signkey.ReadVerifiers(d.Trust)
	}
	return c, err
}

// gallery returns the addresses of the gallery.
func (d *doctorCmd) gallery() (doctor.Gallery, error) {
	if d.Settings != "" {
		text, err := regularfile.ReadFile(d.Settings, doctor.MaxSettings)
		if err != nil {
			return doctor.Gallery{}, err
		}
		return doctor.ParseSettings(d.Settings, text)
	}
	g, err := doctor.ParseURL(d.URL)
	if err != nil {
		return g, errUsage{hint.Add(fmt.Errorf("the address of the gallery %w", err), "write it as in the settings of an editor, such as https://tools.example/gallery")}
	}
	return g, nil
}

// maxHeaders is the size of the largest file of headers.
const maxHeaders = 64 << 10

// header returns the headers to send. Errors do not contain values, which are secrets.
func (d *doctorCmd) header() (http.Header, error) {
	all := make(http.Header)
	if d.Token != "" {
		all.Set("Authorization", "Bearer "+d.Token)
	}
	if d.Header == "" {
		return all, nil
	}
	text, err := regularfile.ReadFile(d.Header, maxHeaders)
	if err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.ContainsAny(name, " \t") {
			return nil, fmt.Errorf("%s: a line is not of the form NAME: VALUE", d.Header)
		}
		all.Add(name, strings.TrimSpace(value))
	}
	return all, nil
}

// examined is the JSON document of doctor.
type examined struct {
	URL          string           `json:"url"`
	Program      string           `json:"program"`
	OK           int              `json:"ok"`
	Warnings     int              `json:"warnings"`
	Failed       int              `json:"failed"`
	Skipped      int              `json:"skipped"`
	Requests     int              `json:"requests"`
	Milliseconds int64            `json:"milliseconds"`
	Checks       []doctor.Finding `json:"checks"`
}

func newExamined(r *doctor.Report) examined {
	return examined{
		r.URL, r.Program, r.Count(doctor.OK), r.Count(doctor.Warning), r.Count(doctor.Failed), r.Count(doctor.Skipped),
		len(r.Requests), r.Elapsed.Milliseconds(), r.Checks,
	}
}

// statusWords are the statuses as they are printed.
var statusWords = map[doctor.Status]string{doctor.OK: "ok", doctor.Warning: "warn", doctor.Failed: "fail", doctor.Skipped: "skip"}

// printExamined prints the results in groups, with --quiet only those that have failed.
func printExamined(e *env, r *doctor.Report) error {
	group := ""
	for i := 0; i < len(r.Checks); i++ {
		f := r.Checks[i]
		if e.quiet && f.Status != doctor.Failed {
			continue
		}
		if f.Group != group && !e.quiet {
			group = f.Group
			terminal.Fprintf(e.stdout, "%s\n", group)
		}
		if last := i + sameCause(r.Checks[i:]) - 1; last > i {
			terminal.Fprintf(e.stdout, "  skip  %s to %s: because of %s\n", f.Check, r.Checks[last].Check, f.Because)
			i = last
			continue
		}
		terminal.Fprintf(e.stdout, "  %s  %s: %s\n", statusWords[f.Status], f.Check, f.Text)
		for _, line := range f.Mend {
			terminal.Fprintf(e.stdout, "        mend  %s\n", line)
		}
	}
	return printRequests(e, r)
}

// sameCause returns how many results at the beginning of a list are of one group and were skipped
// because of the same check.
func sameCause(list []doctor.Finding) (n int) {
	for n < len(list) && list[n].Because != "" && list[n].Because == list[0].Because && list[n].Group == list[0].Group {
		n++
	}
	return n
}

// printRequests prints the requests with --verbose, and the numbers.
func printRequests(e *env, r *doctor.Report) error {
	if e.quiet {
		return nil
	}
	for _, q := range r.Requests {
		if e.verbose {
			terminal.Fprintf(e.stdout, "%s %s: status %d, %s, %d ms\n", q.Method, q.URL, q.Status, humanize.Bytes(uint64(q.Bytes)), q.Elapsed.Milliseconds())
		}
	}
	_, err := terminal.Fprintf(e.stdout, "%s: %d ok, %s, %d failed, %d skipped; %s in %.1f s\n", r.URL,
		r.Count(doctor.OK), plural(r.Count(doctor.Warning), "warning"), r.Count(doctor.Failed), r.Count(doctor.Skipped), plural(len(r.Requests), "request"), r.Elapsed.Seconds())
	return err
}
