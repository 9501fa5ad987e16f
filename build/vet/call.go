package vet

import (
	"bytes"
	"slices"
	"strings"
)

// A call is a call in JavaScript, or something that looks like one.
type call struct {
	name     string // of the function, without the object before it; texts in brackets are joined
	from     int    // offset where the callee begins, as far as it is known
	open     int    // offset of the bracket before the arguments
	computed []byte // what is in the brackets of object[name](), or nil
	applied  bool   // called as f.call(x, …) or f.apply(x, […]): the first argument is another one
}

// Limits of what is read of a call.
const (
	maxName      = 40
	maxArguments = 4 << 10
	maxCallee    = 120
)

// calls yields the calls in b, in the order of their opening brackets.
func calls(b []byte, yield func(call)) {
	for i := 0; i < len(b); i++ {
		n := bytes.IndexByte(b[i:], '(')
		if n < 0 {
			return
		}
		i += n
		if c := callAt(b, i); c.name != "" || c.computed != nil {
			yield(c)
		}
	}
}

// callAt returns the call whose arguments begin at offset open, or one without a name.
func callAt(b []byte, open int) call {
	end := open
	for end > 0 && (b[end-1] == ' ' || b[end-1] == '\t') && open-end < maxName {
		end--
	}
	if end > 1 && b[end-1] == '.' && b[end-2] == '?' { // f?.(x)
		end -= 2
	}
	if end == 0 {
		return call{}
	}
	switch b[end-1] {
	case ')':
		return calleeInBrackets(b, end, open)
	case ']':
		return calleeByText(b, end, open)
	}
	from := nameStart(b, end)
	c := call{name: string(b[from:end]), from: from, open: open}
	if (c.name == "call" || c.name == "apply") && from > 0 && b[from-1] == '.' {
		if start := nameStart(b, from-1); appliedRunners[string(b[start:from-1])] {
			return call{name: string(b[start : from-1]), from: start, open: open, applied: true}
		}
	}
	return c
}

// appliedRunners are those functions that run a text of which f.call and f.apply are followed.
var appliedRunners = map[string]bool{"eval": true, "Function": true, "_compile": true, "runInThisContext": true, "runInNewContext": true}

// nameStart returns the offset where the name that ends at end begins. A longer name than
// maxName is cut.
func nameStart(b []byte, end int) int {
	from := end
	for from > 0 && isNameByte(b[from-1]) && end-from < maxName {
		from--
	}
	return from
}

// calleeInBrackets reads (0, object.name), as compilers write a call without this.
func calleeInBrackets(b []byte, end, open int) call {
	from := nameStart(b, end-1)
	start := max(0, end-maxCallee)
	at := bytes.LastIndexByte(b[start:from], '(')
	if at < 0 || bytes.IndexByte(b[start+at+1:end-1], ')') >= 0 {
		if from > 0 && b[from-1] == '.' { // (require("vm").Script)
			return call{name: string(b[from : end-1]), from: from, open: open}
		}
		return call{}
	}
	return call{name: string(b[from : end-1]), from: start + at, open: open}
}

// calleeByText reads object["name"], also if the text is written in parts or with escapes.
func calleeByText(b []byte, end, open int) call {
	start := max(0, end-maxCallee)
	at, depth := end-start-1, 0
	for ; at >= 0; at-- {
		if c := b[start+at]; c == ']' {
			depth++
		} else if c == '[' {
			if depth--; depth == 0 {
				break
			}
		}
	}
	if at < 0 {
		return call{}
	}
	inside := b[start+at+1 : end-1]
	if len(inside) == 0 {
		return call{}
	}
	return call{name: joinTexts(inside), from: start + at, open: open, computed: inside}
}

// constantText returns the text that an expression of constants gives: "a" + "b", ["a", "b"]
// .join(""), and "ba".split("").reverse().join(""); or "".
func constantText(b []byte) string {
	b = bytes.TrimSpace(b)
	if rest, ok := bytes.CutPrefix(b, []byte("[...")); ok && bytes.Contains(b, []byte("].reverse()")) {
		text, _, _ := bytes.Cut(rest, []byte("]"))
		reversed := []byte(joinTexts(text))
		slices.Reverse(reversed)
		return string(reversed)
	}
	if parts, after, ok := bytes.Cut(b, []byte("].join(")); ok && len(parts) > 0 && parts[0] == '[' {
		separator, _, _ := bytes.Cut(after, []byte(")"))
		return joinTexts(bytes.ReplaceAll(parts[1:], []byte(","), slices.Concat([]byte("+"), separator, []byte("+"))))
	}
	if text, rest, ok := bytes.Cut(b, []byte(".split(")); ok && bytes.Contains(rest, []byte(".reverse()")) {
		reversed := []byte(joinTexts(text))
		slices.Reverse(reversed)
		return string(reversed)
	}
	return joinTexts(b)
}

// joinTexts returns the text of "a" + 'b', or "" if the expression is something else.
func joinTexts(b []byte) string {
	var joined strings.Builder
	for i := 0; i < len(b); {
		switch c := b[i]; c {
		case '"', '\'', '`':
			end := endOfText(b, i)
			if end-1 <= i || b[end-1] != c {
				return ""
			}
			joined.WriteString(unescape(b[i+1 : end-1]))
			i = end
		case '+', ' ', '\t', '\n', '\r':
			i++
		default:
			return ""
		}
	}
	return joined.String()
}

// unescape decodes \x61, \u0061 and \u{61} in a text. Other escapes keep the character.
func unescape(b []byte) string {
	if bytes.IndexByte(b, '\\') < 0 {
		return string(b)
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			out = append(out, b[i])
			continue
		}
		i++
		digits := 0
		switch {
		case b[i] == 'x':
			digits = 2
		case b[i] == 'u' && i+1 < len(b) && b[i+1] != '{':
			digits = 4
		}
		if value, ok := hexValue(b, i+1, digits); ok {
			out = append(out, string(value)...)
			i += digits
			continue
		}
		out = append(out, b[i])
	}
	return string(out)
}

func hexValue(b []byte, from, digits int) (value rune, ok bool) {
	if digits == 0 || from+digits > len(b) {
		return 0, false
	}
	for _, c := range b[from : from+digits] {
		d := bytes.IndexByte([]byte("0123456789abcdef"), c|0x20)
		if d < 0 || c == 0x10 {
			return 0, false
		}
		value = value<<4 | rune(d)
	}
	return value, true
}

// arguments returns the text between the brackets of a call, or its beginning if it is too long.
func arguments(b []byte, open int) []byte {
	return balanced(b[open+1 : min(len(b), open+1+maxArguments)])
}

// balanced returns what precedes the closing bracket that has no opening one, or a semicolon or
// the end.
func balanced(b []byte) []byte {
	depth := 0
	var lex lexer
	for i := 0; i < len(b); {
		switch b[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth < 0 {
				return b[:i]
			}
		case ';':
			if depth == 0 {
				return b[:i]
			}
		}
		i = lex.next(b, i)
	}
	return b
}

// maxWord is the length of the longest text that outline keeps: names of encodings and files.
const maxWord = 40

// outline returns an expression without its comments and without the content of long texts, in
// which only code is to be searched. It also returns the longest text.
func outline(b []byte) (code, longest []byte) {
	var lex lexer
	for i := 0; i < len(b); {
		end := lex.next(b, i)
		switch c := b[i]; {
		case end == i+1:
			code = append(code, c)
		case c == '/':
			code = append(code, ' ')
		default:
			if inside := b[i+1 : end]; len(inside) > len(longest) {
				longest = inside
			}
			if c == '`' && bytes.Contains(b[i:end], []byte("${")) || end-i <= maxWord {
				code = append(code, b[i:end]...)
			} else {
				code = append(code, c, c)
			}
		}
		i = end
	}
	return code, longest
}
