package audit

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/package-url/packageurl-go"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"aead.dev/minisign"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/history"
)

func day(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }

func ref(name string) blob.Ref { return blob.Sum([]byte(name)) }

func change(key string) history.Change { return history.Change{Key: key, SHA256: ref(key)} }

// sample returns a catalogue with one version that is served, and the history of it and of two that
// are not.
func sample(t *testing.T) (*catalog.Catalog, []*history.Entry) {
	t.Helper()
	c := &catalog.Catalog{Extensions: []catalog.Extension{{
		Publisher: catalog.Publisher{Name: "Acme"}, Name: "hello",
		Versions: []catalog.Version{{
			Version: "1.0.0", Platform: "linux-x64", Updated: day(1), Licence: "MIT OR Apache-2.0", Signed: true,
			Package: catalog.File{Ref: ref("acme.hello@1.0.0@linux-x64"), Size: 7},
		}},
	}}}
	bundled := []catalog.Bundled{{Name: "@types/node", Version: "20.1.0", Licence: "MIT OR Apache-2.0"}, {Name: "left-pad", Version: "1.3.0"}}
	c.Packages = catalog.Packages([]catalog.Package{
		{SHA256: ref("acme.hello@1.0.0@linux-x64"), ID: "acme.hello@1.0.0@linux-x64", Sources: []catalog.Source{collected, {Path: "=evil.vsix"}}},
		{SHA256: ref("acme.notes@1.0.0"), ID: "acme.notes@1.0.0", Licence: "MIT", Seen: day(1), Sources: []catalog.Source{{Path: "notes.vsix"}}, Bundled: bundled},
	})
	subject, err := catalog.ParseSubject("acme.notes")
	if err != nil {
		t.Fatal(err)
	}
	author := decision.Author{By: "+alice", Reason: "=1+1", When: day(3)}
	for _, kind := range []string{decision.Removed, decision.Blocked} {
		if c.Records, err = decision.Add(c.Records, author, kind, []catalog.Subject{subject}, ""); err != nil {
			t.Fatal(err)
		}
	}
	entries := []*history.Entry{
		{Number: 1, When: day(1), Generation: "1111111111111111", Added: []history.Change{change("acme.notes@1.0.0"), change("acme.gone@1.0.0")}},
		{Number: 2, When: day(2), Generation: "2222222222222222", Added: []history.Change{change("acme.hello@1.0.0@linux-x64")}, Removed: []history.Change{change("acme.gone@1.0.0")}},
		{Number: 3, When: day(3), Generation: "3333333333333333", Removed: []history.Change{change("acme.notes@1.0.0")}, Added: []history.Change{change("acme.gone@1.0.0")}},
		{Number: 4, When: day(4), Generation: "4444444444444444", Removed: []history.Change{change("acme.gone@1.0.0")}},
	}
	return c, entries
}

// collected is a source that an upstream has stated.
var collected = catalog.Source{URL: "https://host/a%20b.vsix", Upstream: "https://gallery.example", StatedSHA256: blob.Sum(nil)}

func TestReport(t *testing.T) {
	c, entries := sample(t)
	r := New(c, entries)
	at := func(n int) *Moment { return &Moment{int64(n), day(n), strings.Repeat(fmt.Sprint(n), 16)} }
	if len(r.Decisions) != 2 || r.Decisions[0].InForce || !r.Decisions[1].InForce || r.Decisions[1].By != "+alice" || r.Decisions[1].Reason != "=1+1" {
		t.Fatalf("decisions: %+v", r.Decisions)
	}
	both := []blob.Ref{r.Decisions[0].ID, r.Decisions[1].ID}
	want := []Version{
		{ID: "acme.gone@1.0.0", First: at(1), Last: at(3), Until: day(4), Sources: []catalog.Source{}, Decisions: []blob.Ref{}},
		{ID: "acme.hello@1.0.0@linux-x64", Served: true, First: at(2), Last: at(4), Bytes: 7, Updated: day(1), Licence: "MIT OR Apache-2.0", Signed: true,
			Sources: []catalog.Source{collected, {Path: "=evil.vsix"}}, Decisions: []blob.Ref{}},
		{ID: "acme.notes@1.0.0", First: at(1), Last: at(2), Until: day(3), Seen: day(1), Licence: "MIT", Sources: []catalog.Source{{Path: "notes.vsix"}}, Decisions: both,
			Bundled: c.Packages[slices.IndexFunc(c.Packages, func(p catalog.Package) bool { return p.ID == "acme.notes@1.0.0" })].Bundled},
	}
	for i := range want {
		want[i].SHA256 = ref(want[i].ID)
	}
	if !reflect.DeepEqual(r.Versions, want) || !reflect.DeepEqual(r.History, at(4)) {
		t.Errorf("got\n%+v, want\n%+v", r.Versions, want)
	}
	without := New(c, nil)
	if len(without.Versions) != 2 || without.Versions[0].First != nil || without.Versions[0].Last != nil || !without.Versions[0].Served || without.History != nil {
		t.Errorf("without a history: %+v", without)
	}
	if empty := New(&catalog.Catalog{}, nil); empty.Versions == nil || empty.Decisions == nil {
		t.Errorf("the lists of an empty gallery are nil: %+v", empty)
	}
}

func TestCSV(t *testing.T) {
	c, entries := sample(t)
	var text bytes.Buffer
	if err := New(c, entries).WriteCSV(&text); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&text).ReadAll() // refuses rows of different lengths
	if err != nil || len(rows) != 6 || !slices.Equal(rows[0], columns) {
		t.Fatal(err, rows)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.Contains("=+-@＝", string([]rune(cell)[0])) {
				t.Errorf("a spreadsheet takes %q for a formula", cell)
			}
		}
	}
	want := []string{"version", "acme.notes@1.0.0", ref("acme.notes@1.0.0").String(), "false", "1", "2026-01-01T00:00:00Z", "2", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", "", "MIT", "false", "notes.vsix"}
	if got := rows[3]; !slices.Equal(got[:13], want) || len(strings.Fields(got[13])) != 2 {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := rows[5]; got[0] != "decision" || got[1] != "acme.notes" || got[13] == "" || !slices.Equal(got[14:], []string{"blocked", "2026-01-03T00:00:00Z", "'+alice", "'=1+1", "", "true"}) {
		t.Errorf("a decision: %q", got)
	}
}

func TestWithoutFormula(t *testing.T) {
	for s, want := range map[string]string{
		"": "", "a": "a", "1": "1", "a=1": "a=1", "=1": "'=1", "+1": "'+1", "-1": "'-1", "@a": "'@a", "\t=1": "'\t=1", "\r=1": "'\r=1",
		" =1": "' =1", "\u00a0=1": "'\u00a0=1", "＝1": "'＝1", "＋1": "'＋1", "－1": "'－1", "＠a": "'＠a", "'=1": "'=1",
	} {
		if got := withoutFormula(s); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}

// TestSBOM checks the bill of materials with the schemas of CycloneDX, and with the decoders of the
// reference libraries.
func TestSBOM(t *testing.T) {
	c, entries := sample(t)
	r := New(c, entries)
	r.Target, r.Generation = "s3://vsix/gallery", "4444444444444444"
	var first, second bytes.Buffer
	for _, to := range []*bytes.Buffer{&first, &second} {
		if err := r.WriteSBOM(to, "v1.2.3"); err != nil {
			t.Fatal(err)
		}
	}
	if first.String() != second.String() {
		t.Error("the same report has two bills of materials")
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(first.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	schema := schema(t)
	if err := schema.Validate(document); err != nil {
		t.Errorf("%v\n%s", err, &first)
	}
	wrong := document.(map[string]any)
	wrong["components"].([]any)[0].(map[string]any)["scope"] = "gone"
	if schema.Validate(wrong) == nil {
		t.Error("the schema accepts a wrong scope")
	}
	var bom cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(&first, cyclonedx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range *bom.Components {
		p, err := packageurl.FromString(x.PackageURL)
		if err != nil || p.Type != "vscode-extension" || p.Namespace != x.Group || p.Name != x.Name || p.Version != x.Version {
			t.Errorf("%s: %+v, %v", x.PackageURL, p, err)
		}
		got = append(got, x.PackageURL+" "+string(x.Scope))
	}
	want := []string{"pkg:vscode-extension/acme/gone@1.0.0 excluded", "pkg:vscode-extension/acme/hello@1.0.0?platform=linux-x64 required", "pkg:vscode-extension/acme/notes@1.0.0 excluded"}
	if !slices.Equal(got, want) || bom.Metadata.Timestamp != "2026-01-04T00:00:00Z" {
		t.Errorf("got %q, want %q, at %s", got, want, bom.Metadata.Timestamp)
	}
	got = nil
	for _, x := range *(*bom.Components)[2].Components {
		licence := ""
		if x.Licenses != nil {
			licence = (*x.Licenses)[0].Expression
		}
		got = append(got, x.Group+"|"+x.Name+"|"+x.Version+"|"+x.PackageURL+"|"+licence)
	}
	if want := []string{"@types|node|20.1.0|pkg:npm/%40types/node@20.1.0|MIT OR Apache-2.0", "|left-pad|1.3.0|pkg:npm/left-pad@1.3.0|"}; !slices.Equal(got, want) {
		t.Errorf("npm packages: got %q, want %q", got, want)
	}
	text, _ := json.Marshal((*bom.Components)[1].ExternalReferences)
	if want := `[{"url":"https://host/a%20b.vsix","comment":"collected from https://gallery.example","hashes":[{"alg":"SHA-256","content":"` +
		collected.StatedSHA256.String() + `"}],"type":"distribution"}]`; string(text) != want {
		t.Errorf("references %s, want %s", text, want)
	}
	text, _ = json.Marshal((*bom.Components)[2].Properties)
	for _, property := range []string{`"galbuild:decision","value":"blocked acme.notes, 2026-01-03T00:00:00Z by +alice: =1+1"`, `"galbuild:source","value":"notes.vsix"`, `"galbuild:served-until","value":"2026-01-03T00:00:00Z"`} {
		if !strings.Contains(string(text), property) {
			t.Errorf("%s is missing in %s", property, text)
		}
	}
}

// schema returns the schema of CycloneDX, which is in its Go library.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	const base = "http://cyclonedx.org/schema/"
	for name, file := range map[string]string{"bom-1.6.schema.json": "bom-1.6.schema.json", "spdx.schema.json": "spdx.schema.json", "jsf-0.82.schema.json": "jsf-0.82.schemax.json"} {
		text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "schema", file))
		if err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err == nil {
			err = compiler.AddResource(base+name, document)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	compiled, err := compiler.Compile(base + "bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func TestDiff(t *testing.T) {
	version := func(text, platform string, size int64) catalog.Version {
		return catalog.Version{Version: "1.0.0", Platform: platform, Licence: "MIT", Package: catalog.File{Ref: ref(text), Size: size}}
	}
	of := func(versions ...catalog.Version) *catalog.Catalog {
		return &catalog.Catalog{Extensions: []catalog.Extension{{Publisher: catalog.Publisher{Name: "Acme"}, Name: "hello", Versions: versions}}}
	}
	from, to := of(version("a", "linux-x64", 1), version("b", "web", 2), version("c", "", 4)), of(version("a", "linux-x64", 1), version("x", "web", 8), version("d", "win32-x64", 16))
	from.Render, to.Render = 1, 2
	to.BaseURL, to.Control = "https://host", json.RawMessage(`{"malicious":["`+strings.Repeat("x", 200)+`"]}`)
	decided, _ := sample(t)
	from.Records, to.Records = decided.Records[:1], decided.Records[1:]
	d, err := Diff(from, to)
	if err != nil {
		t.Fatal(err)
	}
	item := func(id, text string, size int64) Item {
		return Item{ID: "acme.hello@1.0.0" + id, SHA256: ref(text), Bytes: size, Licence: "MIT"}
	}
	want := &Difference{
		From: Side{Extensions: 1, Versions: 3, Bytes: 7}, To: Side{Extensions: 1, Versions: 3, Bytes: 25},
		Added: []Item{item("@win32-x64", "d", 16)}, Removed: []Item{item("", "c", 4)}, Changed: []Changed{{item("@web", "b", 2), item("@web", "x", 8)}},
		Settings:       []Setting{{Name: "baseUrl", To: "https://host"}, {Name: "control", To: string(to.Control)}},
		AddedDecisions: Decisions(to), RemovedDecisions: Decisions(from),
	}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("got\n%+v, want\n%+v", d, want)
	}
	var texts []string
	for _, s := range d.Settings {
		texts = append(texts, s.Text())
	}
	if want := []string{"baseUrl: not set → https://host", "control: not set → 218 bytes"}; !slices.Equal(texts, want) {
		t.Errorf("got %q, want %q", texts, want)
	}
	same, err := Diff(to, to)
	if err != nil || len(same.Added)+len(same.Removed)+len(same.Changed)+len(same.Settings)+len(same.AddedDecisions)+len(same.RemovedDecisions) > 0 || same.Added == nil || same.AddedDecisions == nil {
		t.Errorf("the same twice: %+v, %v", same, err)
	}
}

// TestSubmissions checks by whose key a package was submitted: by one of its own publisher, also
// after it was revoked, and never by one of another publisher or of those who approve.
func TestSubmissions(t *testing.T) {
	c, _ := sample(t)
	notes := ref("acme.notes@1.0.0")
	keys := make(map[string]minisign.PrivateKey)
	public := make(map[string]string)
	for _, name := range []string{"alice", "old", "bob", "reviewer"} {
		key, secret, err := minisign.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		keys[name], public[name] = secret, key.String()
	}
	c.Policy = fmt.Sprintf(`{"keys": {"reviewer": %q}, "publishers": {"Acme": {"keys": {"alice": %q}, "revoked": {"old": %q}}, "globex": {"keys": {"bob": %q}}}}`,
		public["reviewer"], public["alice"], public["old"], public["bob"])
	want := map[string]string{"alice": "alice", "old": "old", "bob": "", "reviewer": ""}
	for name := range want {
		key := keys[name]
		r := decision.Author{By: name, When: day(5)}.Record(catalog.Record{Kind: decision.Submitted, Subject: catalog.Subject{SHA256: notes}, Counter: 1})
		if err := decision.Seal(&r, &key); err != nil {
			t.Fatal(err)
		}
		c.Records = decision.Merge(c.Records, []catalog.Record{r})
	}
	all := Submissions(c)[notes]
	if len(all) != len(want) {
		t.Fatalf("got %+v", all)
	}
	for _, s := range all {
		if s.Name != want[s.By] || s.Key != fmt.Sprintf("%016X", keys[s.By].ID()) {
			t.Errorf("got %+v, want the name %q", s, want[s.By])
		}
	}
	for _, d := range Decisions(c) {
		if d.Kind == decision.Submitted && (d.SignedBy != want[d.By] || d.InForce != (want[d.By] != "")) {
			t.Errorf("got %+v", d)
		}
	}
}
