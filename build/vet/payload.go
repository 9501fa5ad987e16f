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
