package cmd_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/tidwall/gjson"

	"galbuild/build/pack"
	"galbuild/build/porttest"
	"galbuild/build/site"
	"galbuild/cmd/internal/galbuild"
	"galbuild/cmd/internal/galshim"
	"galbuild/publish/image/imagetest"
)

var update = flag.Bool("update", false, "rewrite the expected outputs in the scripts")

func TestMain(m *testing.M) {
	testscript.Main(withClock{m}, map[string]func(){
		"galbuild": galbuild.Main,
		"galshim": func() {
			os.Exit(galshim.Main(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
		},
		"request": func() { exit(sendRequest(os.Args[1:])) },
		"curl":    func() { exit(curl(os.Args[1:])) },
	})
}

// withClock runs the tests with a fixed time for the programs that they run.
type withClock struct{ *testing.M }

func (m withClock) Run() int {
	os.Setenv("SOURCE_DATE_EPOCH", epoch)
	return m.M.Run()
}

// epoch is 2026-01-01.
const epoch = "1767225600"

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setUp,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"vsix": packFolder, "sigzip": sign, "sametree": sameTree, "samecontent": sameContent, "samegeneration": sameGeneration, "links": links, "damage": damage, "webserver": webServer,
			"document": document, "openvsx": openVSX, "program": writeProgram,
		},
	})
}

// setUp gives each script an address of its own for galshim, and fixed dates.
func setUp(e *testscript.Env) error {
	address, release, err := porttest.Reserve()
	if err != nil {
		return err
	}
	e.Defer(release)
	e.Setenv("ADDR", address)
	e.Setenv("SOURCE_DATE_EPOCH", epoch)
	samples, err := filepath.Abs(filepath.Join("..", "testdata", "samples"))
	if err != nil {
		return err
	}
	e.Setenv("SAMPLES", samples)
	e.Values[registriesKey{}] = registries{}
	e.Setenv("GORACE", os.Getenv("GORACE")) // otherwise each command of a race run ends a second later
	return nil
}

// packFolder packs an extension's folder: vsix FOLDER FILE [--target PLATFORM] [--pre-release].
func packFolder(ts *testscript.TestScript, neg bool, args []string) {
	flags := flag.NewFlagSet("vsix", flag.ContinueOnError)
	seconds, err := strconv.ParseInt(ts.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	ts.Check(err)
	o := pack.Options{Time: time.Unix(seconds, 0).UTC()}
	flags.StringVar(&o.Platform, "target", "", "")
	flags.BoolVar(&o.PreRelease, "pre-release", false, "")
	if len(args) < 2 || neg || flags.Parse(args[2:]) != nil {
		ts.Fatalf("usage: vsix FOLDER FILE [--target PLATFORM] [--pre-release]")
	}
	file := ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(filepath.Dir(file), 0o755))
	var archive bytes.Buffer
	ts.Check(pack.Write(&archive, os.DirFS(ts.MkAbs(args[0])), o))
	ts.Check(os.WriteFile(file, archive.Bytes(), 0o644))
}

// writeProgram writes a file that looks like a galshim, or like a galbuild if its name is that:
// program FILE MACHINE [VERSION].
func writeProgram(ts *testscript.TestScript, neg bool, args []string) {
	machine, ok := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[append(args, "", "")[1]]
	if !ok || neg {
		ts.Fatalf("usage: program FILE amd64|arm64 [VERSION]")
	}
	p := imagetest.Program{Machine: machine, Package: "galbuild/cmd/galshim", Version: "v1.2.0"}
	if filepath.Base(args[0]) == "galbuild" {
		p.Package = "galbuild/cmd/galbuild"
	}
	if len(args) == 3 {
		p.Version = args[2]
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), p.Bytes(), 0o755))
}

// sign writes a signature archive for a package, as vsce generate-manifest does, with a signature
// that is not valid: sigzip PACKAGE FILE.
func sign(ts *testscript.TestScript, neg bool, args []string) {
	digest := sha256.Sum256([]byte(ts.ReadFile(args[0])))
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for name, text := range map[string]string{
		".signature.manifest": fmt.Sprintf(`{"package":{"digests":{"sha256":%q}},"entries":{}}`, base64.StdEncoding.EncodeToString(digest[:])),
		".signature.p7s":      "signature",
	} {
		w, err := z.Create(name)
		ts.Check(err)
		_, err = io.WriteString(w, text)
		ts.Check(err)
	}
	ts.Check(z.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), archive.Bytes(), 0o644))
}

// sameTree compares two folders, names and bytes: sametree A B.
func sameTree(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: sametree A B")
	}
	compareTrees(ts, neg, readTree(ts, args[0]), readTree(ts, args[1]))
}

// sameContent compares two sites without their histories: samecontent A B.
func sameContent(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: samecontent A B")
	}
	a, b := readTree(ts, args[0]), readTree(ts, args[1])
	for _, tree := range []map[string]string{a, b} {
		maps.DeleteFunc(tree, func(name, _ string) bool {
			return strings.HasPrefix(name, "index/history/") || strings.HasPrefix(name, "private/history/")
		})
		tree["index/CURRENT"] = generationOf(tree["index/CURRENT"])
	}
	compareTrees(ts, neg, a, b)
}

// sameGeneration checks that two sites have the same current generation: samegeneration A B.
func sameGeneration(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: samegeneration A B")
	}
	a, b := ts.ReadFile(args[0]+"/index/CURRENT"), ts.ReadFile(args[1]+"/index/CURRENT")
	if same := generationOf(a) == generationOf(b); same == neg {
		ts.Fatalf("%s\n%s", a, b)
	}
}

// generationOf returns the text of CURRENT without the line of the head of the history.
func generationOf(current string) string {
	lines := strings.SplitAfter(current, "\n")
	return strings.Join(lines[:max(0, len(lines)-2)], "")
}

func compareTrees(ts *testscript.TestScript, neg bool, a, b map[string]string) {
	if len(a) == 0 {
		ts.Fatalf("there are no files")
	}
	var differ []string
	for name, text := range a {
		if other, ok := b[name]; !ok || other != text {
			differ = append(differ, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			differ = append(differ, name)
		}
	}
	if len(differ) > 0 != neg {
		ts.Fatalf("%d of %d files differ: %v", len(differ), len(a), differ)
	}
}

func readTree(ts *testscript.TestScript, dir string) map[string]string {
	tree := make(map[string]string)
	root := ts.MkAbs(dir)
	ts.Check(filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == ".galbuild" {
				return filepath.SkipDir
			}
			return nil
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		tree[name] = string(text)
		return err
	}))
	return tree
}

// links checks that a file has at least two names: links FILE.
func links(ts *testscript.TestScript, neg bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	// Sys is a *syscall.Stat_t on Unix.
	if n := reflect.ValueOf(info.Sys()).Elem().FieldByName("Nlink").Uint(); (n > 1) == neg {
		ts.Fatalf("%s has %d links", args[0], n)
	}
}

// webServer serves a folder over http until the script ends, at $WEB: webserver FOLDER. Like the
// printed nginx configuration, it does not serve what only auditors need.
func webServer(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 || neg {
		ts.Fatalf("usage: webserver FOLDER")
	}
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir(ts.MkAbs(args[0]))))
	mux.Handle("/"+site.PrivateDir, http.NotFoundHandler())
	server := httptest.NewServer(mux)
	ts.Defer(server.Close)
	ts.Setenv("WEB", server.URL)
}

// damage flips a bit in the middle of a file, in place: damage FILE.
func damage(ts *testscript.TestScript, neg bool, args []string) {
	files, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("%s matches nothing", args[0])
	}
	text, err := os.ReadFile(files[0])
	ts.Check(err)
	text[len(text)/2] ^= 1
	ts.Check(os.Chmod(files[0], 0o644))
	ts.Check(os.WriteFile(files[0], text, 0o644))
}

// sendRequest sends a request to galshim at $ADDR, when it listens, and prints the status, the
// headers of -show, and the body or what a path selects in it:
//
//	request [-H header:value]… [-show header]… [-get path [-until value]] METHOD PATH [BODYFILE]
//
// With -until, it repeats the request until the path selects that value.
func sendRequest(args []string) error {
	flags := flag.NewFlagSet("request", flag.ContinueOnError)
	var q httpRequest
	flags.Var(&q.send, "H", "header to send")
	flags.Var(&q.show, "show", "header to print")
	flags.StringVar(&q.path, "get", "", "gjson path into the body")
	until := flags.String("until", "", "what the path must select")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() < 2 {
		return errors.New("usage: request METHOD PATH [BODYFILE]")
	}
	q.method, q.url = flags.Arg(0), "http://"+os.Getenv("ADDR")+flags.Arg(1)
	if flags.NArg() > 2 {
		var err error
		if q.body, err = os.ReadFile(flags.Arg(2)); err != nil {
			return err
		}
	}
	if err := waitFor(os.Getenv("ADDR")); err != nil {
		return err
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		printed, selected, err := q.exchange()
		if err != nil || *until == "" || selected == *until {
			fmt.Print(printed)
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is still %q", q.path, selected)
		}
	}
}

// patience is the time that galshim has to listen, or to serve a new generation. It is long,
// because a test must not fail on a busy machine.
const patience = time.Minute

// An httpRequest is a request, and what to print of the response.
type httpRequest struct {
	method, url, path string
	body              []byte
	send, show        list
}

// exchange sends the request. It returns what is to be printed of the response, and what the path
// selects in it.
func (q *httpRequest) exchange() (printed, selected string, err error) {
	request, err := http.NewRequest(q.method, q.url, bytes.NewReader(q.body))
	if err != nil {
		return "", "", err
	}
	for _, h := range q.send {
		name, value, _ := strings.Cut(h, ":")
		request.Header.Set(name, strings.TrimSpace(value))
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return "", "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return "", "", err
	}
	printed = fmt.Sprintln(response.StatusCode)
	for _, name := range q.show {
		printed += fmt.Sprintf("%s: %s\n", name, response.Header.Get(name))
	}
	if q.path == "" {
		return printed + string(text), "", nil
	}
	if !json.Valid(text) {
		return "", "", fmt.Errorf("not JSON: %s", text)
	}
	selected = gjson.GetBytes(text, q.path).String()
	return printed + selected + "\n", selected, nil
}

// waitFor waits until a program listens at an address.
func waitFor(addr string) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(deadline) {
			return err
		}
	}
}

type list []string

func (l *list) String() string { return fmt.Sprint(*l) }

func (l *list) Set(s string) error {
	*l = append(*l, s)
	return nil
}
