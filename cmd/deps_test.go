package cmd_test

import (
	"cmp"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestShimDependencies checks what galshim links. Anyone can send it requests, so it has no code
// that reads archives, renders templates or uploads files.
func TestShimDependencies(t *testing.T) {
	deps := dependencies(t, "galbuild/cmd/galshim")
	for _, banned := range []string{
		"archive/zip", "github.com/klauspost/compress/zip", "html/template", "text/template",
		"github.com/yuin/goldmark", "github.com/alecthomas/chroma/v2", "github.com/microcosm-cc/bluemonday", "golang.org/x/net/html",
		"galbuild/build", "galbuild/build/policy", "galbuild/build/vsix", "galbuild/build/source", "galbuild/render", "galbuild/render/markdown", "galbuild/render/page", "galbuild/render/pages", "galbuild/render/deploy",
		"galbuild/publish", "galbuild/publish/target/all", "galbuild/publish/target/s3", "galbuild/publish/target/artifactory", "galbuild/publish/target/dropbox", "galbuild/publish/target/dir",
		"github.com/minio/minio-go/v7",
	} {
		if slices.Contains(deps, banned) {
			t.Errorf("galshim links %s", banned)
		}
	}
	if !slices.Contains(deps, "galbuild/index") {
		t.Error("galshim does not link galbuild/index: this test looks at the wrong program")
	}
}

// TestShimImporters checks which packages of galshim use code that requests must not reach: only
// those for the credentials of a bucket, and for the errors of its server.
func TestShimImporters(t *testing.T) {
	lines := goList(t, "-deps", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "galbuild/cmd/galshim")
	const credentials = "github.com/minio/minio-go/v7/pkg/credentials"
	for imported, want := range map[string][]string{
		"encoding/xml": {"galbuild/publish/target/s3/bucket", credentials}, // error responses, and those of STS
		"os/exec":      {credentials},                                      // credential_process in AWS's shared files
	} {
		if got := importers(lines, imported); !slices.Equal(got, want) {
			t.Errorf("%s is imported by %q, want %q", imported, got, want)
		}
	}
}

// importers returns those of a list that import a package, sorted. Each line of the list is a
// package and its imports.
func importers(lines, imported string) (found []string) {
	for line := range strings.Lines(lines) {
		if imports := strings.Fields(line); slices.Contains(imports[1:], imported) {
			found = append(found, imports[0])
		}
	}
	slices.Sort(found)
	return found
}

// maxShim is the size of galshim for linux/amd64 without symbols, in bytes, with a little room. A
// change that needs more links something large: if galshim needs that, raise the limit. Of this
// size, 2.7 MB are for metrics and 1.1 MB for reading private buckets.
const maxShim = 16_400_000

// TestShimSize checks the size of galshim.
func TestShimSize(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the limit is for linux/amd64")
	}
	file := filepath.Join(t.TempDir(), "galshim")
	if out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", file, "galbuild/cmd/galshim").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if size := info.Size(); size > maxShim || size < maxShim/2 {
		t.Errorf("galshim has %d bytes, want at most %d", size, maxShim)
	}
}

// TestLayers checks that imports go in one direction.
func TestLayers(t *testing.T) {
	for below, forbidden := range map[string][]string{
		"galbuild/build":  {"galbuild/index", "galbuild/render", "galbuild/publish", "galbuild/cmd"},
		"galbuild/index":  {"galbuild/build", "galbuild/render", "galbuild/publish", "galbuild/cmd", "net/http", "archive/zip"},
		"galbuild/render": {"galbuild/publish", "galbuild/cmd", "galbuild/build/vsix", "galbuild/build/source"},
	} {
		for _, pkg := range packages(t, below+"/...") {
			for _, dep := range dependencies(t, pkg) {
				for _, no := range forbidden {
					if dep == no || strings.HasPrefix(no, "galbuild/") && strings.HasPrefix(dep, no+"/") {
						t.Errorf("%s imports %s", pkg, dep)
					}
				}
			}
		}
	}
}

// TestPackImports checks the imports of the packer: it may import only a few packages of build, and
// no other package of build may import it.
func TestPackImports(t *testing.T) {
	allowed := []string{
		"galbuild/build/atomicfile", "galbuild/build/blob", "galbuild/build/catalog", "galbuild/build/ecmascript",
		"galbuild/build/jsondoc", "galbuild/build/markdownlimit", "galbuild/build/pagedata", "galbuild/build/regularfile", "galbuild/build/secret", "galbuild/build/npmsemver", "galbuild/build/similar",
		"galbuild/build/vsix/manifest",
	}
	isPack := func(pkg string) bool {
		return pkg == "galbuild/build/pack" || strings.HasPrefix(pkg, "galbuild/build/pack/")
	}
	for _, pkg := range packages(t, "galbuild/build/...") {
		for _, dep := range dependencies(t, pkg) {
			switch {
			case !isPack(pkg) && isPack(dep):
				t.Errorf("%s imports %s", pkg, dep)
			case isPack(pkg) && !isPack(dep) && strings.HasPrefix(dep, "galbuild/") && !slices.Contains(allowed, dep):
				t.Errorf("%s imports %s, which is not in the list", pkg, dep)
			}
		}
	}
}

// TestTargetLayers checks that targets import nothing about galleries. The contract and its
// clients may use the packages of build that are about files, hashes, headers, JSON, requests,
// certificates, tokens and the wording of errors, and their tests the one about ports. Two clients,
// and so the list of all, may also use build/site: dir shares its locks with builders, and website
// reads a site that is served.
func TestTargetLayers(t *testing.T) {
	const contract = "galbuild/publish/target"
	shared := []string{"blob", "atomicfile", "headers", "jsondoc", "mediatype", "regularfile", "retry", "cacert", "errmsg", "tokens", "porttest"}
	site := dependencies(t, "galbuild/build/site")
	for _, pkg := range packages(t, contract+"/...") {
		for _, dep := range dependencies(t, pkg) {
			name, ofBuild := strings.CutPrefix(dep, "galbuild/build/")
			allowed := !strings.HasPrefix(dep, "galbuild/") ||
				dep == contract || strings.HasPrefix(dep, contract+"/") ||
				ofBuild && slices.Contains(shared, name) ||
				slices.Contains([]string{contract + "/dir", contract + "/website", contract + "/reading", contract + "/all"}, pkg) && slices.Contains(site, dep)
			if !allowed {
				t.Errorf("%s imports %s", pkg, dep)
			}
		}
	}
	if !slices.Contains(dependencies(t, contract+"/s3"), contract) {
		t.Errorf("%s/s3 does not use %s: this test looks at the wrong packages", contract, contract)
	}
}

// TestOneOfEach checks that there is one package of ours for what a library does, and one library
// for gzip, klauspost's, which is faster. Dependencies may import others, as minio-go does.
func TestOneOfEach(t *testing.T) {
	only := map[string]string{
		"github.com/hashicorp/go-retryablehttp": "galbuild/build/retry",
		"compress/flate":                        "",
		"compress/gzip":                         "",
	}
	users := map[string]bool{}
	for line := range strings.Lines(goList(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, "galbuild/...")) {
		imports := strings.Fields(line)
		for _, imported := range imports[1:] {
			user, restricted := only[imported]
			if restricted && user != imports[0] {
				t.Errorf("%s imports %s; use %s", imports[0], imported, cmp.Or(user, "github.com/klauspost/compress"))
			}
			users[imports[0]] = users[imports[0]] || restricted
		}
	}
	for library, user := range only {
		if user != "" && !users[user] {
			t.Errorf("%s does not import %s: this test looks at the wrong packages", user, library)
		}
	}
}

// TestOneWay checks that package atomicfile writes files, package jsondoc JSON documents, and
// package headers the values of headers. Each of the other packages that call the same functions
// has a comment with the reason.
func TestOneWay(t *testing.T) {
	for call, want := range map[string][]string{
		`\.Rename(at)?\(`: {"build/atomicfile", "build/blob", "build/download", "publish/bundle", "publish/inbox", "publish/target/dir"},
		`\bjson\.(Marshal|MarshalIndent|NewEncoder)\(`: {
			"build/catalog", "build/jsondoc", "build/vsix/manifest", "publish/target/dropbox",
		},
		`max-age=|"(no-store|nosniff|cross-origin)"|default-src|frame-ancestors`: {"build/headers"},
	} {
		if found := callers(t, regexp.MustCompile(call)); !slices.Equal(found, want) {
			t.Errorf("%s is in %q, want it in %q", call, found, want)
		}
	}
}

// callers returns the packages whose code contains a call, without those that are for tests.
func callers(t *testing.T, call *regexp.Regexp) (found []string) {
	t.Helper()
	const files = `{{$p := .}}{{range .GoFiles}}{{$p.ImportPath}} {{$p.Dir}}/{{.}}{{"\n"}}{{end}}`
	for line := range strings.Lines(goList(t, "-f", files, "galbuild/...")) {
		pkg, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		if file == "" || strings.HasSuffix(pkg, "test") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if call.Match(text) {
			found = append(found, strings.TrimPrefix(pkg, "galbuild/"))
		}
	}
	return slices.Compact(found)
}

// TestPackageComments checks that every package has one comment.
func TestPackageComments(t *testing.T) {
	dirs := strings.Split(strings.TrimSpace(goList(t, "-f", "{{.Dir}}", "galbuild/...")), "\n") // folders may have spaces
	if len(dirs) < 10 {
		t.Fatalf("only %d packages found", len(dirs))
	}
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", dir, files, err)
		}
		comments := 0
		for _, file := range files {
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if f.Doc != nil && !strings.HasSuffix(file, "_test.go") {
				comments++
			}
		}
		if comments != 1 {
			t.Errorf("%s has %d package comments, want 1", dir, comments)
		}
	}
}

func dependencies(t *testing.T, pkg string) []string { return packages(t, "-deps", pkg) }

func packages(t *testing.T, args ...string) []string {
	t.Helper()
	return strings.Fields(goList(t, args...))
}

func goList(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %v: %v", args, err)
	}
	return string(out)
}
