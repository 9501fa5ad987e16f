package vet

import (
	"bytes"
	"regexp"
)

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
