package cmd_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// maxColumns is the largest width of a comment.
const maxColumns = 100

// TestComments checks every comment of every Go file of the repository, whatever its build tags.
//
// A comment is at most 100 columns wide. A tab ends at a multiple of 8 columns, as in gofmt. If
// code precedes a comment in its line, only the comment is measured. A line that ends with a URL
// may be wider, because a URL cannot be broken.
//
// What a comment mentions exists:
//
//   - a name in brackets, as in a documentation link: [maxColumns], [goType.members],
//     [strings.Cut] or [ast.Comment.Text]. Without a dot, a word that has only small or only
//     capital letters is not a name but a placeholder, as in the usage line of a command.
//   - the exported name in strings.Cut, if strings is the name of a package that is in the
//     repository or that the repository depends on. If several packages have that name, one of
//     them declares it.
//   - the member in goType.members, if the package of the comment declares the type. A word such
//     as entry.json is a file.
//   - a Go file: a path from the folder of the comment or from the root of the repository, or a
//     name without folders that is anywhere in the repository.
//
// URLs and host names are not checked.
func TestComments(t *testing.T) {
	c := newCommentChecker(t)
	for _, file := range c.files {
		c.check(file)
	}
	if c.comments < 5000 || c.names < 400 {
		t.Errorf("only %d lines of comments and %d names were checked", c.comments, c.names)
	}
}

// A commentChecker has what comments can refer to. Folders are relative to the root of the
// repository.
type commentChecker struct {
	t        *testing.T
	files    []string               // all Go files of the repository
	folders  map[string]goPackage   // the packages of the repository, with their tests
	packages map[string][]goPackage // the same and their dependencies, by name
	comments int                    // lines that were checked
	names    int                    // names that were checked
}

// newCommentChecker reads the packages.
func newCommentChecker(t *testing.T) *commentChecker {
	t.Helper()
	c := &commentChecker{t: t, folders: make(map[string]goPackage), packages: make(map[string][]goPackage)}
	c.files = repositoryFiles(t, ".go")
	names := make(map[string]string)
	for _, file := range c.files {
		dir := filepath.Dir(file)
		if c.folders[dir] == nil {
			c.folders[dir] = make(goPackage)
		}
		names[dir] = strings.TrimSuffix(c.folders[dir].add(t, filepath.Join("..", file)), "_test")
	}
	for dir, name := range names {
		c.packages[name] = append(c.packages[name], c.folders[dir])
	}
	const format = "{{if not .Module}}{{.Name}} {{.Dir}}{{else if not .Module.Main}}{{.Name}} {{.Dir}}{{end}}"
	for line := range strings.Lines(goList(t, "-deps", "-test", "-tags", "e2e", "-f", format, "galbuild/...")) {
		if name, dir, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			c.packages[name] = append(c.packages[name], readDependency(t, dir))
		}
	}
	return c
}

// readDependency reads a package of Go or of a module, without its tests.
func readDependency(t *testing.T, dir string) goPackage {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v, %v", dir, files, err)
	}
	p := goPackage{}
	for _, file := range files {
		if !strings.HasSuffix(file, "_test.go") {
			p.add(t, file)
		}
	}
	return p
}

// A goPackage has the names that a package declares, and the members of those that are types.
type goPackage map[string]*goType

// A goType has the fields and methods of a type.
type goType struct {
	members  map[string]bool
	embedded []string // types of the same package whose members it also has
	open     bool     // it also has the members of a type of another package, which are not known
}

// add adds the declarations of a file, and returns the name of its package.
func (p goPackage) add(t *testing.T, file string) string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			p.addFunc(d)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				p.addSpec(s)
			}
		}
	}
	return f.Name.Name
}

// declare adds a name if it is new.
func (p goPackage) declare(name string) *goType {
	if p[name] == nil {
		p[name] = &goType{members: make(map[string]bool)}
	}
	return p[name]
}

func (p goPackage) addFunc(d *ast.FuncDecl) {
	if d.Recv == nil {
		p.declare(d.Name.Name)
	} else if receiver := baseName(d.Recv.List[0].Type); receiver != "" {
		p.declare(receiver).members[d.Name.Name] = true
	}
}

// baseName returns the name of a type of the same package: T in T, *T and T[int].
func baseName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return baseName(e.X)
	case *ast.IndexExpr:
		return baseName(e.X)
	case *ast.IndexListExpr:
		return baseName(e.X)
	}
	return ""
}

func (p goPackage) addSpec(s ast.Spec) {
	switch s := s.(type) {
	case *ast.ValueSpec:
		for _, name := range s.Names {
			p.declare(name.Name)
		}
	case *ast.TypeSpec:
		p.declare(s.Name.Name).addType(s.Type)
	}
}

// addType adds the members that a type has because of its definition, or because it embeds e.
func (g *goType) addType(e ast.Expr) {
	if pointer, ok := e.(*ast.StarExpr); ok {
		e = pointer.X
	}
	switch e := e.(type) {
	case *ast.SelectorExpr:
		g.members[e.Sel.Name], g.open = true, true
	case *ast.StructType:
		g.addFields(e.Fields)
	case *ast.InterfaceType:
		g.addFields(e.Methods)
	default:
		if name := baseName(e); name != "" {
			g.members[name] = true
			g.embedded = append(g.embedded, name)
		}
	}
}

func (g *goType) addFields(fields *ast.FieldList) {
	for _, field := range fields.List {
		if len(field.Names) == 0 {
			g.addType(field.Type)
		}
		for _, name := range field.Names {
			g.members[name.Name] = true
		}
	}
}

// has reports whether a type has a member.
func (p goPackage) has(name, member string) bool {
	g := p[name]
	if g == nil || g.open || g.members[member] {
		return g != nil
	}
	return slices.ContainsFunc(g.embedded, func(e string) bool { return e != name && p.has(e, member) })
}

// TestContributing finds the files, folders and names of code that CONTRIBUTING.md mentions in code
// spans. A recipe that names something that has been renamed is of no use.
func TestContributing(t *testing.T) {
	c := newCommentChecker(t)
	text, err := os.ReadFile(filepath.Join("..", "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range codeSpan.FindAllStringSubmatch(string(text), -1) {
		for _, missing := range slices.Concat(c.missingNames(".", found[1]), c.missingFiles(".", found[1]), c.missingInSpan(found[1])) {
			t.Errorf("CONTRIBUTING.md mentions %s, which does not exist", missing)
		}
	}
	if c.names < 20 {
		t.Errorf("only %d names were found", c.names)
	}
}

var (
	codeSpan = regexp.MustCompile("`([^`\n]+)`")
	// codePath matches a path in one of the folders of the code.
	codePath = regexp.MustCompile(`^(?:build|render|publish|cmd|testdata|index/(?:query|segment))(?:/[\w.-]+)*$`)
	// codeName matches a name such as readingVersion or TestVersion.
	codeName = regexp.MustCompile(`^(?:[a-z]+[A-Z]\w*|Test[A-Z]\w*)$`)
)

// missingInSpan returns a code span that is a path or a name of code and does not exist.
func (c *commentChecker) missingInSpan(span string) (missing []string) {
	switch {
	case codePath.MatchString(span):
		c.names++
		if _, err := os.Stat(filepath.Join("..", span)); err != nil {
			missing = append(missing, span)
		}
	case codeName.MatchString(span):
		c.names++
		for _, p := range c.folders {
			for name, g := range p {
				if name == span || g.members[span] {
					return nil
				}
			}
		}
		missing = append(missing, span)
	}
	return missing
}

// check checks the comments of a file.
func (c *commentChecker) check(file string) {
	source, err := os.ReadFile(filepath.Join("..", file))
	if err != nil {
		c.t.Fatal(err)
	}
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		c.t.Fatal(err)
	}
	lines := strings.Split(string(source), "\n")
	for _, group := range f.Comments {
		for _, comment := range group.List {
			at := set.Position(comment.Pos())
			for i, line := range strings.Split(comment.Text, "\n") {
				if indent := lines[at.Line-1][:at.Column-1]; i == 0 && strings.TrimSpace(indent) == "" {
					line = indent + line
				}
				c.checkLine(file, at.Line+i, line)
			}
		}
	}
}

// checkLine checks a line of a comment.
func (c *commentChecker) checkLine(file string, number int, line string) {
	c.comments++
	if width := columns(line); width > maxColumns && !endsWithURL.MatchString(line) {
		c.t.Errorf("%s:%d: a comment of %d columns, want at most %d", file, number, width, maxColumns)
	}
	text := urlOrHost.ReplaceAllString(line, " ")
	dir := filepath.Dir(file)
	for _, missing := range slices.Concat(c.missingNames(dir, text), c.missingFiles(dir, text)) {
		c.t.Errorf("%s:%d: the comment mentions %s, which does not exist", file, number, missing)
	}
}

var (
	endsWithURL = regexp.MustCompile(`https?://\S+$`)
	urlOrHost   = regexp.MustCompile(`\S*://\S+|[\w-]+(?:\.[\w-]+)*\.(?:com|example|org)\b\S*`)
)

// columns returns the width of a line.
func columns(line string) int {
	width := 0
	for _, c := range line {
		if width++; c == '\t' {
			width = (width + 7) / 8 * 8
		}
	}
	return width
}

var (
	// inBrackets matches names in brackets, but not the text of a link, an index or a file name
	// such as [Content_Types].xml.
	inBrackets = regexp.MustCompile(`(?:^|[\s(])\[\*?([A-Za-z]\w*)(?:\.([A-Za-z]\w*))?(?:\.([A-Za-z]\w*))?\](?:[\s,:;)']|\.?$|\.\s)`)
	// selector matches pkg.Name and type.member, but not in a path.
	selector = regexp.MustCompile(`(?:^|[^\w./@$-])([A-Za-z]\w*)\.([A-Za-z]\w*)`)
	// placeholder matches words in brackets that are not names, unless a dot follows them.
	placeholder = regexp.MustCompile(`^(?:[a-z0-9]+|[A-Z0-9_]+)$`)
	// goFile matches the path of a Go file.
	goFile = regexp.MustCompile(`[\w./-]*\w\.go\b`)
)

// endings are endings of files.
var endings = []string{"css", "go", "html", "idx", "js", "json", "jsonl", "md", "sh", "ts", "txtar", "vsix", "vsixmanifest", "zst"}

// missingNames returns the names in a line that do not exist.
func (c *commentChecker) missingNames(dir, line string) (missing []string) {
	check := func(first, second, third string) {
		if c.names++; !c.exists(c.folders[dir], first, second, third) {
			missing = append(missing, strings.TrimRight(first+"."+second+"."+third, "."))
		}
	}
	spaced := strings.ReplaceAll(line, " [", "  [") // matches do not share a space
	for _, found := range inBrackets.FindAllStringSubmatch(spaced, -1) {
		if found[2] != "" || !placeholder.MatchString(found[1]) {
			check(found[1], found[2], found[3])
		}
	}
	for _, found := range selector.FindAllStringSubmatch(line, -1) {
		if c.isPackage(found[1]) && startsUpper(found[2]) || c.folders[dir].isType(found[1]) && !slices.Contains(endings, found[2]) {
			check(found[1], found[2], "")
		}
	}
	return missing
}

func startsUpper(s string) bool { return s[0] >= 'A' && s[0] <= 'Z' }

func (c *commentChecker) isPackage(name string) bool { return len(c.packages[name]) > 0 }

// isType reports whether a name is a type that has members.
func (p goPackage) isType(name string) bool { return p[name] != nil && len(p[name].members) > 0 }

// exists reports whether the package own, or a package that is named first, declares the names.
func (c *commentChecker) exists(own goPackage, first, second, third string) bool {
	if own[first] != nil && (second == "" || own.has(first, second)) {
		return true
	}
	return slices.ContainsFunc(c.packages[first], func(p goPackage) bool {
		return second == "" || p[second] != nil && (third == "" || p.has(second, third))
	})
}

// missingFiles returns the Go files in a line that do not exist.
func (c *commentChecker) missingFiles(dir, line string) (missing []string) {
	for _, path := range goFile.FindAllString(line, -1) {
		c.names++
		below := filepath.Join(dir, path)
		if !slices.ContainsFunc(c.files, func(f string) bool { return f == path || f == below || filepath.Base(f) == path }) {
			missing = append(missing, path)
		}
	}
	return missing
}
