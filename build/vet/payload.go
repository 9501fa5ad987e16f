package vet

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// runners are functions that run the text that they are given.
var runners = map[string]bool{
	"eval": true, "Function": true, "AsyncFunction": true, "GeneratorFunction": true, "runInThisContext": true,
	"runInNewContext": true, "runInContext": true, "compileFunction": true, "Script": true, "_compile": true, "execScript": true,
	"setTimeout": true, "setInterval": true, "setImmediate": true, "Worker": true, "constructor": true,
}

// programs are functions that run a program or the command line that they are given.
var programs = map[string]bool{
	"exec": true, "execSync": true, "spawn": true, "spawnSync": true, "execFile": true, "execFileSync": true, "fork": true,
}

// A search is a pattern that is tried only if one of its words is there, which is much faster.
type search struct {
	words   []string
	pattern *regexp.Regexp
}

func newSearch(words, pattern string) search {
	return search{strings.Fields(words), regexp.MustCompile(pattern)}
}

func (s search) in(b []byte) bool { return s.mayBeIn(b) && s.pattern.Match(b) }

// mayBeIn reports whether one of the words is there.
func (s search) mayBeIn(b []byte) bool {
	for _, word := range s.words {
		if bytes.Contains(b, []byte(word)) {
			return true
		}
	}
	return false
}

// Steps that decode data, that download it, and that read a file; and command lines. The words of
// command lines are in lower case.
var (
	decoder  = newSearch("Buffer Uint8Array atob base64 hex fromC unescape decodeURIComponent inflate gunzip unzip brotli createDecipher charCodeAt TextDecoder decrypt b64decode reverse codePointAt parseInt", `\batob\b|["']base64(?:url)?["']|["']hex["']|\bfromCharCode\b|\bfromCodePoint\b|\bunescape\s*\(|\bdecodeURIComponent\s*\(|\b(?:inflate|gunzip|unzip|brotliDecompress|inflateRaw)(?:Sync)?\b|\bcreateDecipher(?:iv)?\b|\bcharCodeAt\b|\bTextDecoder\b|\.decrypt\s*\(|\bb64decode\b|\bfromhex\b|\breverse\s*\(\s*\)\s*\.\s*join\b|\.codePointAt\b|\bBuffer\.from\s*\(\s*\[|\bUint8Array\s*\(\s*\[|\bUint8Array\.(?:from|of)\s*\(|\bparseInt\s*\([^)]*,\s*(?:2|16|36)\s*\)`)
	download = newSearch("fetch axios .text .get request XMLHttp responseText got", `\bfetch\s*\(|\baxios\b|\.text\s*\(\s*\)|\.get\s*\(\s*["'\x60]https?:|\brequest\s*\(\s*["'\x60{]|\bXMLHttpRequest\b|\.responseText\b|\bgot\s*\(`)
	readFile = newSearch("readFile", `(?i)\.(?:woff2?|ttf|otf|eot|png|jpe?g|gif|ico|bmp|webp|mp[34]|wav|pdf|dat|bin|css|md|txt|svg|log|db)["'\x60]`)
	readCall = newSearch("readFile", `\breadFile(?:Sync)?\s*\(`)
	runsFile = newSearch("woff ttf otf eot png jpg jpeg gif ico svg bmp webp mp3 mp4 pdf css", `(?i)`+mediaArgument)
	fetchRun = newSearch("curl wget powershell iex invoke- iwr irm downloadstring mshta regsvr32 certutil bitsadmin base64 openssl", `(?i)(?:\b(?:curl|wget)\b[^|;]*https?://[^|;]*\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b)|\bpowershell(?:\.exe)?\b.*\s-(?:e|en|enc|encodedcommand)\s+["']?[A-Za-z0-9+/=]{16}|\b(?:iex|invoke-expression)\b.*\b(?:iwr|irm|downloadstring|invoke-webrequest|invoke-restmethod)\b|\b(?:iwr|irm|downloadstring|invoke-webrequest|invoke-restmethod)\b.*\|\s*(?:iex|invoke-expression)\b|\bmshta(?:\.exe)?\s+https?:|\bregsvr32\b.*https?:|\bcertutil\b.*-urlcache|\bbitsadmin\b.*/transfer|\b(?:base64|openssl)\s+(?:-d|--decode|-D|enc\s+-d)[^|]*\|\s*(?:ba|z)?sh\b|(?:\$|<)\(\s*(?:curl|wget)\b[^)]*https?://|\b(?:curl|wget|certutil|iwr|invoke-webrequest)\b[^|;&]*\.(?:exe|bat|cmd|ps1|vbs|sh|msi|scr)\b["']?\s*(?:&&|;|&)\s*[^|]*\.(?:exe|bat|cmd|ps1|vbs|sh|msi|scr)\b`)
)

// Limits of how many bytes are searched for the names in calls, so that the time is linear.
const (
	minBudget    = 4 << 20
	budgetFactor = 8
)

// readFactor limits how many bytes of arguments are read, as a multiple of the size of the file.
const readFactor = 2

// A payloadScan looks for code that runs what it decodes or downloads.
type payloadScan struct {
	f       *file
	b       []byte
	aliases map[string]string // other names of eval, Function and require, and which of them
	budget  int               // bytes in which names may still be looked for
	unread  int               // bytes of arguments that may still be read
	known   *bool             // whether the file names child_process, once that is known
	reports int
	lex     lexer
	lexed   int // offset up to which lex has read
	found   func(Finding)
	uses    func(string) // notes what the code can do
}

func (s *Scanner) checkPayload(f *file) {
	p := payloadScan{f: f, b: f.content, found: s.findings.add, uses: s.uses, budget: minBudget + budgetFactor*len(f.content), unread: minBudget + readFactor*len(f.content)}
	p.findAliases()
	calls(f.content, p.call)
	p.droppers()
	if p.budget < 0 || p.unread < 0 {
		s.findings.add(f.whole(notChecked, Low, "this code runs and names too much to be followed completely"))
	}
}

// findAliases notes names that are given to eval and Function: const run = eval.
func (p *payloadScan) findAliases() {
	for _, name := range []string{"eval", "Function", "require"} {
		for i := 0; ; {
			n := bytes.Index(p.b[i:], []byte(name))
			if n < 0 {
				break
			}
			i += n + len(name)
			if alias := aliasOf(p.b, i-len(name), i); alias != "" && len(p.aliases) < 100 {
				p.addAlias(alias, name)
			}
		}
	}
}

// addAlias notes another name of eval, Function or require.
func (p *payloadScan) addAlias(alias, of string) {
	if p.aliases == nil {
		p.aliases = make(map[string]string)
	}
	if p.aliases[alias] == "" {
		p.aliases[alias] = of
	}
}

// smallCode is the size of the largest file in which a name of one letter is followed: in
// minified code such names are used for many things.
const smallCode = 20 << 10

// aliasOf returns x in x = eval, or x = object.eval and the like.
func aliasOf(b []byte, from, to int) string {
	rest := bytes.TrimLeft(b[to:min(len(b), to+8)], " \t\"'])")
	if len(rest) > 0 && bytes.IndexByte([]byte(";,\n\r}"), rest[0]) < 0 {
		return ""
	}
	before := b[max(0, from-40):from]
	before = bytes.TrimRight(before, " \t\"'[(.")
	for _, object := range []string{"globalThis", "global", "window", "self", "0,"} {
		before = bytes.TrimSuffix(before, []byte(object))
	}
	before = bytes.TrimRight(before, " \t(")
	before, ok := bytes.CutSuffix(before, []byte("="))
	if !ok || bytes.HasSuffix(before, []byte("=")) || bytes.HasSuffix(before, []byte("!")) {
		return ""
	}
	before = bytes.TrimRight(before, " \t")
	start := nameStart(before, len(before))
	if len(before)-start < 2 && len(b) > smallCode || len(before) == start || start > 0 && before[start-1] == '.' {
		return ""
	}
	return string(before[start:])
}

func (p *payloadScan) call(c call) {
	kind := p.kindOf(c)
	if kind == "" {
		return
	}
	if p.unread < 0 || p.reports > maxPerRule {
		return
	}
	arguments := arguments(p.b, c.open)
	if p.unread -= len(arguments); len(arguments) == 0 {
		return
	}
	code, longest := outline(arguments)
	switch kind {
	case "run":
		p.run(c, arguments, code, longest)
	case "program":
		p.program(c, arguments, code)
	case "require":
		p.require(c, arguments, code)
	case "hidden":
		p.report(c, arguments, "code hides the name of a function that it calls")
	case "then":
		p.report(c, arguments, "code runs (eval) what it downloads")
	case "import":
		if bytes.HasPrefix(bytes.TrimLeft(code, "\"'`"), []byte("data:")) || bytes.Contains(arguments[:min(60, len(arguments))], []byte("data:text/javascript")) {
			p.report(c, arguments, "code imports code from a data: address")
		} else if encoded.in(code) {
			p.report(c, arguments, "code decodes the name of a module that it loads")
		} else if name := p.hiddenModule(c, arguments); name != "" {
			p.report(c, arguments, "code hides the name of a module that it loads: "+name)
		} else if value := p.assigned(c.from, string(bytes.TrimSpace(code))); dataModule.Match(value) {
			p.report(c, arguments, "code imports code from a data: address")
		} else if value := p.assigned(c.from, string(bytes.TrimSpace(code))); bytes.Contains(value, []byte("createObjectURL(")) && decoder.in(value) {
			p.report(c, arguments, "code imports code that it decodes")
		}
	}
}

// dataModule matches a data: address of JavaScript.
var dataModule = regexp.MustCompile(`^\s*["'\x60]data:(?:text|application)/javascript`)

// kindOf returns what a call does: run a text, run a program, require or import a module.
func (p *payloadScan) kindOf(c call) string {
	switch {
	case c.computed != nil && p.isHidden(c):
		return "hidden"
	case c.name == "require" || c.name == "import":
		return c.name
	case p.aliases[c.name] == "require":
		return "require"
	case c.name == "apply" || c.name == "construct" || c.name == "then":
		return p.kindByArgument(c)
	case c.name == "exec":
		if !p.isProgram(c) {
			return ""
		}
		return "program"
	case programs[c.name]:
		return "program"
	case c.name == "constructor":
		if !endsInFunction(p.b[:c.from]) {
			return ""
		}
		return "run"
	case runners[c.name], p.aliases[c.name] != "":
		return "run"
	}
	return ""
}

// kindByArgument returns what a call does that gets eval or Function as its first argument.
func (p *payloadScan) kindByArgument(c call) string {
	rest := bytes.TrimLeft(p.b[c.open+1:min(len(p.b), c.open+1+maxName)], " ")
	end := 0
	for end < len(rest) && isNameByte(rest[end]) {
		end++
	}
	name := string(rest[:end])
	if name != "eval" && name != "Function" || end == len(rest) {
		return ""
	}
	switch {
	case c.name == "then" && rest[end] == ')':
		return "then"
	case c.name != "then" && rest[end] == ',' && bytes.HasSuffix(p.b[:c.from], []byte("Reflect.")):
		return "run"
	}
	return ""
}

// isHidden reports whether object[name]() hides the name of a function that runs a text or a
// program: the name is decoded, or written in parts or with escapes.
func (p *payloadScan) isHidden(c call) bool {
	if c.name != "" { // a constant text
		return bytes.ContainsAny(c.computed, "+\\") && (hiddenNames[c.name] || programs[c.name])
	}
	name, value := constantText(c.computed), c.computed
	if variable, index := indexed(c.computed); variable != "" {
		value = p.assigned(c.from, variable)
		name = constantText(element(value, index))
		if bytes.Equal(bytes.TrimSpace(value), fmt.Appendf(nil, "%q", name)) {
			return false // the name is written as it is
		}
	}
	if hiddenNames[name] || programs[name] {
		return true
	}
	ofGlobal := globalObject.Match(p.b[max(0, c.from-maxName):c.from])
	code, _ := outline(arguments(p.b, c.open))
	return encoded.in(value) && (ofGlobal || !isName(string(value)) && bytes.Equal(value, c.computed)) || ofGlobal && encoded.in(code)
}

// globalObject matches the object at the end that has the functions eval and Function.
var globalObject = regexp.MustCompile(`\b(?:globalThis|global|window|self)$`)

// indexed returns the name and the index of name[index], or a name alone and -1.
func indexed(b []byte) (name string, index int) {
	b = bytes.TrimSpace(b)
	before, after, ok := bytes.Cut(b, []byte("["))
	if len(before) > maxName || !isName(string(before)) {
		return "", 0
	}
	if !ok {
		return string(before), -1
	}
	index, err := strconv.Atoi(string(bytes.TrimSuffix(after, []byte("]"))))
	if err != nil {
		return "", 0
	}
	return string(before), index
}

// element returns an element of an array of texts, or the whole value for the index -1.
func element(value []byte, index int) []byte {
	value = bytes.TrimSpace(value)
	if index < 0 || len(value) == 0 || value[0] != '[' {
		return value
	}
	parts := bytes.Split(bytes.Trim(value, "[]"), []byte(","))
	if index >= len(parts) {
		return nil
	}
	return parts[index]
}

// hiddenNames are functions whose names harmless code has no reason to hide.
var hiddenNames = map[string]bool{"eval": true, "Function": true, "_compile": true, "runInThisContext": true, "runInNewContext": true, "execScript": true, "require": true}

// isName reports whether a text is an ASCII name.
func isName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 || !isNameByte(byte(r)) })
}

// endsInFunction reports whether what precedes .constructor is a function: (()=>{}).constructor.
func endsInFunction(b []byte) bool {
	b = b[max(0, len(b)-60):]
	if len(b) == 0 || b[len(b)-1] != '.' && b[len(b)-1] != '[' {
		return false
	}
	b = bytes.TrimRight(b, ".[ ")
	if bytes.HasSuffix(b, []byte("constructor")) || bytes.HasSuffix(b, []byte("Function")) || methodOfConstant.Match(b) {
		return true
	}
	return bytes.HasSuffix(b, []byte("})")) && (bytes.Contains(b, []byte("=>")) || bytes.Contains(b, []byte("function")))
}

// methodOfConstant matches a method of an empty array or text at the end, such as [].filter.
var methodOfConstant = regexp.MustCompile(`(?:\[\]|""|''|\bMath|\bJSON|\bconsole)\.\w+$`)

// isProgram distinguishes the function exec of child_process from that of patterns.
func (p *payloadScan) isProgram(c call) bool {
	before := bytes.TrimRight(p.b[max(0, c.from-60):c.from], " ")
	before, isMember := bytes.CutSuffix(before, []byte("."))
	if c.from < len(p.b) && p.b[c.from] == '(' { // (0, child_process.exec)
		before, isMember = p.b[c.from:c.open], true
	}
	if !isMember {
		if p.known == nil {
			known := bytes.Contains(p.b, []byte("child_process"))
			p.known = &known
		}
		return *p.known
	}
	for _, name := range []string{"child_process", "childProcess", "cp", "proc", "child_process\")", "child_process')"} {
		if bytes.HasSuffix(before, []byte(name)) {
			return true
		}
	}
	return bytes.Contains(before, []byte("child_process"))
}

// run looks at a call that runs the text that it is given.
func (p *payloadScan) run(c call, arguments, code, longest []byte) {
	if !c.applied && c.name != "apply" && c.name != "construct" && c.name != "Function" && c.name != "constructor" && c.name != "Worker" && !strings.HasSuffix(c.name, "nction") {
		code = firstOf(code) // options follow
	}
	switch c.name {
	case "setTimeout", "setInterval", "setImmediate":
		if !bytes.HasPrefix(code, []byte("atob")) && !bytes.HasPrefix(code, []byte("Buffer.from")) {
			return
		}
	case "Worker":
		if !bytes.Contains(code, []byte("eval:")) {
			return
		}
	case "Script":
		if !bytes.Contains(p.b[max(0, c.from-40):c.open], []byte("new ")) {
			return
		}
	case "Function", "eval":
		if bytes.HasSuffix(p.b[:c.from], []byte("function ")) { // its declaration
			return
		}
		p.uses("eval")
	}
	p.noteWrapper(c, code)
	switch source := p.source(c.from, code, 3); {
	case source != "":
		p.report(c, arguments, fmt.Sprintf("code runs (%s) what it %s", c.name, source))
	case escapes(longest) && c.name != "Worker":
		p.report(c, arguments, fmt.Sprintf("code runs (%s) a text that is written with escapes", c.name))
	case isEncoded(longest) && len(longest) >= 200 && c.name != "Worker" && c.name != "Script":
		p.report(c, arguments, fmt.Sprintf("code runs (%s) an encoded text", c.name))
	}
}

// noteWrapper notes a function whose parameter is run, as another name of eval: function run(x) {
// eval(x) }.
func (p *payloadScan) noteWrapper(c call, code []byte) {
	name := bytes.TrimSpace(code)
	if len(name) > maxName || !isName(string(name)) || len(p.aliases) >= 100 {
		return
	}
	around := p.b[max(0, c.from-200):c.from]
	if bytes.IndexByte(around, '{') < 0 && !bytes.Contains(around, []byte("=>")) {
		return
	}
	if p.budget -= searchCost * len(around); p.budget < 0 {
		return
	}
	for _, found := range wrapper.FindAllSubmatch(around, -1) {
		alias := string(found[1])
		if keywords[alias] {
			continue
		}
		if (bytes.Equal(found[2], name) || bytes.Equal(found[3], name)) && (len(alias) > 2 || len(p.b) < smallCode) {
			p.addAlias(alias, "eval")
		}
	}
}

// keywords are words before brackets that are not names of functions.
var keywords = map[string]bool{"function": true, "if": true, "while": true, "for": true, "switch": true, "return": true, "catch": true, "async": true, "await": true, "typeof": true, "with": true}

// wrapper matches the name and the only parameter of a function.
var wrapper = regexp.MustCompile(`([\w$]+)\s*(?:=\s*(?:async\s*)?(?:function\s*)?\(?\s*([\w$]+)\s*\)?\s*(?:=>|\{)|\(\s*([\w$]+)\s*\)\s*\{)`)

// source returns where the value of an expression comes from, as far as that is suspicious: it
// is decoded, downloaded, or read from a file that is not code. It follows names to what they
// are given before.
func (p *payloadScan) source(before int, code []byte, hops int) string {
	switch {
	case decoder.in(code):
		return "decodes"
	case download.in(code):
		return "downloads"
	case readCall.in(code) && readFile.in(code):
		return "reads from a file that is not code"
	}
	if hops == 0 || len(code) > 600 {
		return ""
	}
	for name := range namesIn(code) {
		if p.isDownloaded(before, name) {
			return "downloads"
		}
		value := p.assigned(before, name)
		if value == nil {
			continue
		}
		next, longest := outline(value)
		if escapes(longest) {
			return "writes with escapes"
		}
		if source := p.source(before, next, hops-1); source != "" {
			return source
		}
	}
	return ""
}

// isDownloaded reports whether a name is the parameter of a function that gets what was
// downloaded: fetch(url).then(text => eval(text)).
func (p *payloadScan) isDownloaded(before int, name string) bool {
	const far = 300
	around := p.b[max(0, before-far):before]
	if !downloadCall.mayBeIn(around) || !bytes.Contains(around, []byte(name)) {
		return false
	}
	if p.budget -= searchCost * len(around); p.budget < 0 {
		return false
	}
	for _, at := range downloadCall.pattern.FindAllIndex(around, 10) {
		chain := firstOf(balanced(around[at[0]:])) // the parameter belongs to the same statement
		if hasParameter(chain[min(len(chain), at[1]-at[0]):], name) {
			return true
		}
	}
	return false
}

// hasParameter reports whether a function in a statement has a parameter of that name.
func hasParameter(rest []byte, name string) bool {
	for {
		n := bytes.Index(rest, []byte(name))
		if n < 0 {
			return false
		}
		end := bytes.TrimLeft(rest[n+len(name):], " ")
		isName := (n == 0 || !isNameByte(rest[n-1]) && rest[n-1] != '.') && n > 0 && bytes.IndexByte([]byte("(, {"), rest[n-1]) >= 0
		end = bytes.TrimPrefix(end, []byte("}")) // of ({data}) =>
		if isName && (bytes.HasPrefix(end, []byte("=>")) || bytes.HasPrefix(end, []byte(")")) && opensBody(end[1:])) {
			return true
		}
		rest = rest[n+len(name):]
	}
}

// opensBody reports whether the body of a function follows its parameters.
func opensBody(b []byte) bool {
	b = bytes.TrimLeft(b, " ")
	return bytes.HasPrefix(b, []byte("=>")) || bytes.HasPrefix(b, []byte("{"))
}

// searchCost is how much more a search for a pattern takes than one for a name.
const searchCost = 20

var downloadCall = newSearch("fetch( axios .get( request got( WebSocket .on( .onmessage resolveTxt http", `\bfetch\(|\baxios\b|\bhttps?\.get\(|\brequest(?:\.get)?\(|\bgot(?:\.get)?\(|\bWebSocket\(|\bws\.on\(|\bsocket\.on\(|\b(?:ws|socket|sock)\.onmessage\s*=|\bresolveTxt\(|\w\(\s*["'\x60]https?://|\b(?:ws|wss|sock(?:et)?|client|conn(?:ection)?|io|s|c)\.on\(\s*["'\x60]\w+["'\x60]\s*,`)

// usualMethods are names of methods of texts, arrays and streams, and too common to be followed.
var usualMethods = map[string]bool{"toString": true, "join": true, "replace": true, "concat": true, "slice": true, "map": true, "get": true, "call": true, "apply": true, "bind": true,
	"trim": true, "split": true, "push": true, "read": true, "value": true, "code": true, "source": true, "text": true, "data": true, "substring": true, "generate": true, "compile": true, "render": true, "name": true, "filename": true}

// maxNames limits how many names of an expression are followed.
const maxNames = 8

// namesIn yields the names in an expression, and those with the names of their members: a and
// a.b.
func namesIn(code []byte) func(func(string) bool) {
	return func(yield func(string) bool) {
		count := 0
		var lex lexer
		for i := 0; i < len(code); {
			c := code[i]
			if !isNameByte(c) || c >= '0' && c <= '9' {
				i = lex.next(code, i)
				continue
			}
			end := i
			for end < len(code) && isNameByte(code[end]) {
				end++
			}
			if count++; count > maxNames || !yield(string(code[i:end])) {
				return
			}
			path := end
			for path < len(code) && (isNameByte(code[path]) || code[path] == '.') {
				path++
			}
			if path > end && !yield(string(code[i:path])) {
				return
			}
			if member := string(code[nameStart(code, path):path]); path > end && !usualMethods[member] && !yield(member) {
				return
			}
			lex.last = 'a'
			i = path
		}
	}
}

// How far before its use a name is looked for. Short names of minified code are used for many
// things.
const (
	lookBack      = 32 << 10
	lookBackShort = 600
	maxValue      = 2 << 10
)

// assigned returns the last value that a name is given before an offset: the right side of an
// assignment, or the body of the function of that name. It returns nil if there is none.
func (p *payloadScan) assigned(before int, name string) []byte {
	far := lookBack
	if len(name) < 3 {
		far = lookBackShort
	}
	start := max(0, before-far)
	if p.budget -= before - start; p.budget < 0 {
		return nil
	}
	for end := before; end > start; {
		at := bytes.LastIndex(p.b[start:end], []byte(name))
		if at < 0 {
			return nil
		}
		at += start
		end = at
		if at > 0 && (isNameByte(p.b[at-1]) || p.b[at-1] == '.') {
			continue
		}
		if value := p.valueAt(at, at+len(name)); value != nil {
			return value
		}
	}
	return nil
}

// valueAt returns what the name between two offsets is given there, or nil.
func (p *payloadScan) valueAt(from, to int) []byte {
	rest := bytes.TrimLeft(p.b[to:min(len(p.b), to+maxValue)], " \t\r\n")
	if len(rest) > 1 && rest[0] == '=' && rest[1] != '=' && rest[1] != '>' {
		return firstOf(balanced(rest[1:]))
	}
	if value := destructured(rest); value != nil {
		return value
	}
	if len(rest) > 2 && rest[0] == '+' && rest[1] == '=' {
		return p.accumulated(from, firstOf(balanced(rest[2:])))
	}
	if len(rest) > 0 && rest[0] == '(' && to-from >= 3 && isMethod(rest) {
		return body(rest)
	}
	if len(rest) > 0 && rest[0] == '(' && bytes.HasSuffix(bytes.TrimRight(p.b[max(0, from-12):from], " *"), []byte("function")) {
		return body(rest)
	}
	return nil
}

// isMethod reports whether the parameters and the body of a method follow its name: load(x) {.
func isMethod(rest []byte) bool {
	end := bytes.IndexAny(rest[1:], "();")
	return end >= 0 && rest[1+end] == ')' && bytes.HasPrefix(bytes.TrimLeft(rest[end+2:], " "), []byte("{"))
}

// destructured returns the value of an object whose members are named: what follows a name in
// {data, status} = await get(x).
func destructured(rest []byte) []byte {
	const far = 80
	if len(rest) == 0 || rest[0] != '}' && rest[0] != ',' {
		return nil
	}
	end := bytes.IndexByte(rest[:min(len(rest), far)], '}')
	if end < 0 || bytes.ContainsAny(rest[:end], "{(=;") {
		return nil
	}
	rest = bytes.TrimLeft(rest[end+1:], " ")
	if len(rest) < 2 || rest[0] != '=' || rest[1] == '=' || rest[1] == '>' {
		return nil
	}
	return firstOf(balanced(rest[1:]))
}

// accumulated returns the value of a name to which parts are added: the handlers of a download
// are part of it.
func (p *payloadScan) accumulated(at int, value []byte) []byte {
	around := p.b[max(0, at-300):at]
	if bytes.Contains(around, []byte(".on(")) && (bytes.Contains(around, []byte("get(")) || bytes.Contains(around, []byte("request("))) {
		return []byte("fetch()")
	}
	return value
}

// firstOf returns an expression until the end of its line, if that ends it, or the comma after
// it.
func firstOf(b []byte) []byte {
	depth := 0
	var lex lexer
	for i := 0; i < len(b); {
		switch b[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case ',':
			if depth == 0 {
				return b[:i]
			}
		case '\n':
			if depth == 0 && i > 0 && !continues(b[i+1:]) {
				return b[:i]
			}
		}
		i = lex.next(b, i)
	}
	return b
}

// continues reports whether a line continues the one before it.
func continues(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\r")
	return len(b) > 0 && bytes.IndexByte([]byte(".+?:|&"), b[0]) >= 0
}

// body returns the body of a function whose parameters begin at the start of b.
func body(b []byte) []byte {
	open := bytes.IndexByte(b, '{')
	if open < 0 {
		return nil
	}
	return balanced(b[open+1:])
}

// program looks at a call that runs a program or a command line.
func (p *payloadScan) program(c call, arguments, code []byte) {
	p.uses("programs")
	first := firstOf(code)
	line := bytes.ToLower(joinedWords(arguments))
	switch {
	case p.startsLater(line):
		p.report(c, arguments, "code has a program started again whenever the user logs in, or at intervals")
	case fetchesAndRuns(line), fetchesAndRuns(bytes.ToLower(arguments)), fetchesAndRuns(p.lineOf(c, first)):
		p.report(c, arguments, "code runs a command line that downloads or decodes what it runs")
	case runsFile.in(line):
		p.report(c, arguments, "code runs a file with the name of a picture or font")
	case encoded.in(code) && evalOption.Match(code):
		p.report(c, arguments, fmt.Sprintf("code runs (%s) an interpreter with code that it decodes", c.name))
	case p.direct(c, first):
		p.report(c, arguments, fmt.Sprintf("code runs (%s) a command line that it decodes or downloads", c.name))
	}
}

// startsLater reports whether a command line has a program started by the system later.
func (p *payloadScan) startsLater(line []byte) bool { return persists.in(line) }

var persists = newSearch("schtasks reg", `\bschtasks\b.*\s/create\b.*/tr\b|\breg(?:\.exe)?\s+add\b.*\\currentversion\\+run\b`)

// lineOf returns the value, in lower case, of the name that is run as a command line.
func (p *payloadScan) lineOf(c call, first []byte) []byte {
	name := string(bytes.TrimSpace(first))
	if len(name) < 2 || len(name) > maxName || !isName(name) {
		return nil
	}
	return bytes.ToLower(p.assigned(c.from, name))
}

// fetchesAndRuns reports whether a command line, in lower case, downloads or decodes what it
// runs, and that is no well-known installer.
func fetchesAndRuns(line []byte) bool {
	if !fetchRun.in(line) {
		return false
	}
	m := pipedAddress.FindSubmatch(line)
	return m == nil || !isInstaller(string(m[1]))
}

// pipedAddress matches the address in a download that is piped into a shell.
var pipedAddress = regexp.MustCompile(`\b(?:curl|wget)\b[^|;]*?(https?://[^\s"'|)]+)`)

// direct reports whether the first argument is decoded: in the call itself, or in the value of
// the name that it is.
func (p *payloadScan) direct(c call, first []byte) bool {
	if encoded.in(first) || letterByLetter.Match(first) {
		return true
	}
	name := string(bytes.TrimSpace(asTextCall.ReplaceAll(first, nil)))
	if name != "" && len(name) <= maxName && isNameByte(name[0]) && p.isDownloaded(c.from, name) {
		return true
	}
	if len(name) < 2 || !isName(name) {
		return false
	}
	value, _ := outline(p.assigned(c.from, name))
	return encoded.in(value) || letterByLetter.Match(value)
}

// letterByLetter matches a text that is written as an array of letters.
var letterByLetter = regexp.MustCompile(`\[(?:\s*["']\w["']\s*,){2,}\s*["']\w["']\s*\]\s*\.join\(\s*["']["']`)

// asTextCall matches what makes a text of a value.
var asTextCall = regexp.MustCompile(`\.(?:toString|trim)\([^)]*\)`)

// encoded matches the decoding of base64, hexadecimal digits and character codes. Other
// decodings are usual in command lines.
var encoded = newSearch("atob Buffer fromCharCode", `\batob\s*\(|\bBuffer\.from\s*\([^()]*["'](?:base64(?:url)?|hex)["']|\bfromCharCode\b`)

// evalOption matches the option of an interpreter before the code that it runs.
var evalOption = regexp.MustCompile(`(?i)["'\x60](?:-e|-c|-p|--eval|-command|-enc|-encodedcommand)["'\x60]\s*,`)

// joinedWords returns texts in an array as one command line.
func joinedWords(arguments []byte) []byte {
	arguments = bytes.ReplaceAll(arguments[:min(len(arguments), 500)], []byte("process.execPath"), []byte("node"))
	return betweenWords.ReplaceAll(arguments, []byte(" "))
}

var betweenWords = regexp.MustCompile(`["'\x60]?\s*,\s*\[?\s*(?:(?:path\.)?(?:join|resolve)\([^"')]*)?["'\x60]?|["']\s*\+\s*[\w.]*\s*\+?\s*["']?`)

// modules are those whose names are hidden by code that is up to something.
var modules = regexp.MustCompile(`^(?:node:)?(?:child_process|fs|https?|net|vm|os|dns|crypto)$`)

// require looks at a call of require.
func (p *payloadScan) require(c call, arguments, code []byte) {
	switch {
	case bytes.Contains(code, []byte("child_process")):
		p.uses("programs")
	case encoded.in(code):
		p.report(c, arguments, "code decodes the name of a module that it loads")
	case p.hiddenModule(c, arguments) != "":
		p.report(c, arguments, "code hides the name of a module that it loads: "+p.hiddenModule(c, arguments))
	case mediaModule.Match(arguments):
		p.report(c, arguments, "code loads a picture or font as a module")
	}
}

// hiddenModule returns the name of a module of Node.js that is written in parts, or "".
func (p *payloadScan) hiddenModule(c call, arguments []byte) string {
	expression := bytes.TrimSpace(arguments)
	if name := string(expression); len(name) <= maxName && isName(name) {
		expression = bytes.TrimSpace(p.assigned(c.from, name))
	}
	if !bytes.ContainsAny(expression, "+\\[.") {
		return ""
	}
	name := constantText(expression)
	if !modules.MatchString(name) || bytes.Contains(expression, []byte(name)) {
		return ""
	}
	return name
}

var mediaModule = regexp.MustCompile(`(?i)^\s*["'\x60][^"'\x60]*\.(?:woff2?|ttf|otf|eot|ico|bmp|mp[34])["'\x60]\s*$`)

func (p *payloadScan) report(c call, arguments []byte, detail string) {
	p.reports++
	severity := High
	if p.isQuoted(c.from) {
		severity, detail = Medium, detail+", in a text or comment"
	}
	p.found(p.f.at(encodedPayload, severity, c.from, min(c.open+1+len(arguments), len(p.b)), detail))
}

// isQuoted reports whether an offset is in a text or a comment. A lexer without a parser can be
// misled about that, so such a call is reported too.
func (p *payloadScan) isQuoted(offset int) bool {
	if offset < p.lexed {
		p.lexed, p.lex = 0, lexer{}
	}
	for p.lexed < offset {
		end := p.lex.next(p.b, p.lexed)
		if end > offset {
			return p.b[p.lexed] != '`' || !bytes.Contains(p.b[p.lexed:offset], []byte("${"))
		}
		p.lexed = end
	}
	return false
}

// escapes reports whether much of a text is written as \x61 or \u0061.
func escapes(b []byte) bool {
	n := bytes.Count(b, []byte(`\x`)) + bytes.Count(b, []byte(`\u`))
	return n >= 8 && n*8 >= len(b)
}

// isEncoded reports whether a text may be base64 or hexadecimal: it has no white space and no
// punctuation.
func isEncoded(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	for _, c := range b[:len(b)-1] { // without the quote
		if !isNameByte(c) && c != '+' && c != '/' && c != '=' && c != '-' && c != ',' {
			return false
		}
	}
	return true
}
