package pictures

import (
	"bytes"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// space is the white space of HTML.
const space = " \t\n\f\r"

// inHTML returns the addresses of the pictures in HTML, with their positions.
func inHTML(text []byte) (found []Reference) {
	z := html.NewTokenizer(bytes.NewReader(text))
	at := 0
	for {
		kind := z.Next()
		start, end := at, at+len(z.Raw())
		at = end
		switch kind {
		case html.ErrorToken:
			return found
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			element := atom.Lookup(name)
			if element != atom.Img && element != atom.Image && element != atom.Source {
				continue
			}
			for _, a := range attributesOf(text[start:end]) {
				value := text[start+a.start : start+a.end]
				switch {
				case a.name == "src" && element != atom.Source:
					found = append(found, trimmed(value, start+a.start))
				case a.name == "srcset":
					found = append(found, inSrcset(value, start+a.start)...)
				}
			}
		}
	}
}

// inSrcset returns the addresses in the value of srcset, which is a list. White space and a size
// may follow an address. A value with a data: address is left out, because such addresses contain
// commas.
func inSrcset(value []byte, start int) (found []Reference) {
	if bytes.Contains(value, []byte("data:")) {
		return nil
	}
	for item := range bytes.SplitSeq(value, []byte(",")) {
		blank := len(item) - len(bytes.TrimLeft(item, space))
		size := len(item)
		if i := bytes.IndexAny(item[blank:], space); i >= 0 {
			size = blank + i
		}
		if blank < size {
			found = append(found, trimmed(item[:size], start))
		}
		start += len(item) + 1
	}
	return found
}

// An attribute is the value of an attribute in a tag, without its quotation marks.
type attribute struct {
	name       string // lower case
	start, end int    // of the value in the tag
}

// attributesOf returns the attributes of a tag that have a value, each name once, by the rules of
// HTML. Package html returns the values, but not their positions.
func attributesOf(tag []byte) (all []attribute) {
	s := scanner{tag: tag, at: 1}
	s.skip(func(c byte) bool { return !isSpace(c) && c != '/' && c != '>' }) // the name of the element
	seen := map[string]bool{}
	for {
		s.skip(func(c byte) bool { return isSpace(c) || c == '/' })
		if s.at >= len(tag) || tag[s.at] == '>' {
			return all
		}
		start := s.at
		s.at++ // a name may begin with =
		s.skip(func(c byte) bool { return !isSpace(c) && c != '/' && c != '>' && c != '=' })
		a := attribute{name: string(bytes.ToLower(tag[start:s.at]))}
		if s.value(&a) && !seen[a.name] {
			all = append(all, a)
		}
		seen[a.name] = true
	}
}

// A scanner reads a tag.
type scanner struct {
	tag []byte
	at  int
}

// skip reads as long as in returns true.
func (s *scanner) skip(in func(byte) bool) {
	for s.at < len(s.tag) && in(s.tag[s.at]) {
		s.at++
	}
}

// value reads what follows the name of an attribute. It returns false if no
// value follows.
func (s *scanner) value(a *attribute) bool {
	s.skip(isSpace)
	if s.at >= len(s.tag) || s.tag[s.at] != '=' {
		return false
	}
	s.at++
	s.skip(isSpace)
	if s.at >= len(s.tag) || s.tag[s.at] == '>' {
		return false
	}
	quote := s.tag[s.at]
	if quote != '"' && quote != '\'' {
		a.start = s.at
		s.skip(func(c byte) bool { return !isSpace(c) && c != '>' })
		a.end = s.at
		return true
	}
	s.at++
	a.start = s.at
	s.skip(func(c byte) bool { return c != quote })
	a.end = s.at
	s.at++
	return a.end < len(s.tag)
}

func isSpace(c byte) bool { return bytes.IndexByte([]byte(space), c) >= 0 }
