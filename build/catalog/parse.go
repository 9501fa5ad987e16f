package catalog

import (
	"bytes"
	"slices"
	"time"
	"unicode/utf8"

	"galbuild/build/blob"
)

// A parser decodes the lines of extensions that have exactly the form that [Chunk.WriteLines]
// writes, without escapes and statistics: the same keys in the same order, without spaces. All
// others are decoded by json2, with the same result. Most of the time to read a catalogue is
// decoding, and a parser takes a quarter of it. It is not safe for concurrent use.
type parser struct {
	texts  *Interner // of this parser alone
	rest   []byte    // of the line
	failed bool      // what has been parsed is not used

	versions                      parsedList[Version]
	categories, tags, contributed parsedList[string]
	properties                    parsedList[Property]
	assets                        parsedList[Asset]
	files                         parsedList[File]
}

// A parsedList is a list of the version before, and memory for the next one. Most versions of an
// extension have the same tags and properties.
type parsedList[T any] struct {
	text    []byte // without its first bracket; nil in the first version
	values  []T
	scratch []T
}

func newParser() *parser { return &parser{texts: NewInterner()} }

// parse decodes a line. It returns false if the line has another form, whether it is valid or not.
// Equal texts of several lines share memory.
func (p *parser) parse(line []byte) (e *Extension, ok bool) {
	line = bytes.TrimSuffix(line, []byte("\n"))
	if !utf8.Valid(line) || hasEscapes(line) {
		return nil, false
	}
	p.rest, p.failed = line, false
	p.categories.text, p.tags.text, p.contributed.text, p.properties.text = nil, nil, nil, nil
	e = p.extension()
	return e, !p.failed && len(p.rest) == 0
}

// hasEscapes reports whether a line has backslashes, or control characters, which JSON forbids.
func hasEscapes(line []byte) bool {
	for _, c := range line {
		if c < ' ' || c == '\\' {
			return true
		}
	}
	return false
}

// skip skips a text if it is next.
func (p *parser) skip(text string) bool {
	if len(p.rest) < len(text) || string(p.rest[:len(text)]) != text {
		return false
	}
	p.rest = p.rest[len(text):]
	return true
}

// expect skips a text that must be next.
func (p *parser) expect(text string) {
	if !p.skip(text) {
		p.failed = true
	}
}

// bytes returns what is next up to the quotation mark that ends a text, whose first one has been
// skipped.
func (p *parser) bytes() []byte {
	end := bytes.IndexByte(p.rest, '"')
	if end < 0 {
		p.failed = true
		return nil
	}
	text := p.rest[:end]
	p.rest = p.rest[end+1:]
	return text
}

// text returns a text that few extensions have.
func (p *parser) text() string { return string(p.bytes()) }

// common returns a text that many versions have.
func (p *parser) common() string { return p.texts.bytes(p.bytes()) }

// like returns a text that is likely the same as another one.
func (p *parser) like(other string) string {
	if text := p.bytes(); string(text) != other {
		return string(text)
	}
	return other
}

// time returns a time in UTC, in whole seconds.
func (p *parser) time() (t time.Time) {
	text := p.bytes()
	if len(text) != len("2026-01-02T15:04:05Z") || t.UnmarshalText(text) != nil {
		p.failed = true
	}
	return t
}

// number returns a number of few digits.
func (p *parser) number() (n int64) {
	digits := 0
	for digits < len(p.rest) && p.rest[digits] >= '0' && p.rest[digits] <= '9' {
		n = 10*n + int64(p.rest[digits]-'0')
		digits++
	}
	if digits == 0 || digits > 15 || digits > 1 && p.rest[0] == '0' {
		p.failed = true
	}
	p.rest = p.rest[digits:]
	return n
}

// ref returns a hash.
func (p *parser) ref() (r blob.Ref) {
	text := p.bytes()
	if len(text) != 2*len(r) {
		p.failed = true
		return r
	}
	for i := range r {
		high, low := digitOf(text[2*i]), digitOf(text[2*i+1])
		if high|low > 15 {
			p.failed = true
		}
		r[i] = high<<4 | low
	}
	return r
}

// digitOf returns the value of a lower-case hexadecimal digit, or 255.
func digitOf(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 255
}

// list returns a list that is not empty, of which item parses each element. Its first bracket has
// been skipped.
func list[T any](p *parser, l *parsedList[T], item func() T) []T {
	l.scratch = l.scratch[:0]
	for !p.failed {
		l.scratch = append(l.scratch, item())
		if p.skip("]") {
			break
		}
		p.expect(",")
	}
	return slices.Clip(slices.Clone(l.scratch))
}

// optionalList returns a list, or nil if its key is not next. last is the list of the version
// before.
func optionalList[T any](p *parser, key string, last *parsedList[T], item func() T) []T {
	if !p.skip(key) {
		return nil
	}
	if len(last.text) > 0 && bytes.HasPrefix(p.rest, last.text) {
		p.rest = p.rest[len(last.text):]
		return last.values
	}
	from := p.rest
	last.values = list(p, last, item)
	last.text = from[:len(from)-len(p.rest)]
	return last.values
}

func (p *parser) extension() *Extension {
	e := new(Extension)
	p.expect(`{"publisher":{"id":"`)
	e.Publisher.ID = p.common()
	p.expect(`,"name":"`)
	e.Publisher.Name = p.common()
	p.expect(`,"displayName":"`)
	e.Publisher.DisplayName = p.common()
	if p.skip(`,"domain":"`) {
		e.Publisher.Domain = p.common()
	}
	e.Publisher.Verified = p.skip(`,"verified":true`)
	p.expect(`},"name":"`)
	e.Name = p.text()
	p.expect(`,"uuid":"`)
	e.UUID = p.text()
	p.expect(`,"released":"`)
	e.Released = p.time()
	p.expect(`,"published":"`)
	e.Published = p.time()
	p.expect(`,"updated":"`)
	e.Updated = p.time()
	p.expect(`,"versions":[`)
	last := new(Version)
	e.Versions = list(p, &p.versions, func() Version {
		*last = p.version(last)
		return *last
	})
	p.expect(`}`)
	return e
}

// version parses a version. last is the version before.
func (p *parser) version(last *Version) (v Version) {
	p.expect(`{"`)
	if p.skip(`publisher":"`) {
		v.Publisher = p.common()
		p.expect(`,"`)
	}
	if p.skip(`name":"`) {
		v.Name = p.common()
		p.expect(`,"`)
	}
	p.expect(`version":"`)
	v.Version = p.like(last.Version)
	if p.skip(`,"platform":"`) {
		v.Platform = p.common()
	}
	v.PreRelease = p.skip(`,"preRelease":true`)
	v.Preview = p.skip(`,"preview":true`)
	p.expect(`,"displayName":"`)
	v.DisplayName = p.like(last.DisplayName)
	p.expect(`,"description":"`)
	v.Description = p.like(last.Description)
	v.Categories = optionalList(p, `,"categories":[`, &p.categories, p.item)
	v.Tags = optionalList(p, `,"tags":[`, &p.tags, p.item)
	v.Contributed = optionalList(p, `,"contributed":[`, &p.contributed, p.item)
	v.Properties = optionalList(p, `,"properties":[`, &p.properties, p.property)
	p.expect(`,"updated":"`)
	v.Updated = p.time()
	if p.skip(`,"licence":"`) {
		v.Licence = p.common()
	}
	v.Signed = p.skip(`,"signed":true`)
	v.FirstSeen = p.skip(`,"firstSeen":true`)
	v.Published = p.skip(`,"published":true`)
	v.Verified = p.skip(`,"verified":true`)
	if p.skip(`,"seen":"`) {
		v.Seen = p.time()
	}
	p.expect(`,"package":`)
	v.Package = p.file()
	p.expect(`,"assets":[`)
	v.Assets = list(p, &p.assets, p.asset)
	if p.skip(`,"files":[`) {
		v.Files = list(p, &p.files, p.file)
	}
	if p.skip(`,"sidecar":{`) {
		v.Sidecar = p.sidecar()
	}
	p.expect(`}`)
	return v
}

// item parses an element of a list of texts.
func (p *parser) item() string {
	p.expect(`"`)
	return p.common()
}

func (p *parser) property() (property Property) {
	p.expect(`{"key":"`)
	property.Key = p.common()
	p.expect(`,"value":"`)
	if value := p.bytes(); len(value) <= shortText {
		property.Value = p.texts.bytes(value)
	} else {
		property.Value = string(value)
	}
	p.expect(`}`)
	return property
}

func (p *parser) asset() (a Asset) {
	p.expect(`{"type":"`)
	a.Type = p.common()
	p.expect(`,"file":`)
	a.File = p.file()
	p.expect(`}`)
	return a
}

func (p *parser) file() (f File) {
	p.expect(`{"`)
	if p.skip(`path":"`) {
		f.Path = p.text()
		p.expect(`,"`)
	}
	p.expect(`sha256":"`)
	f.Ref = p.ref()
	p.expect(`,"size":`)
	f.Size = p.number()
	p.expect(`,"type":"`)
	f.Type = p.common()
	p.expect(`}`)
	return f
}

func (p *parser) sidecar() *Sidecar {
	s := new(Sidecar)
	var o object
	if p.member(&o, `,"extensionId":"`) {
		s.ExtensionID = p.common()
	}
	if p.member(&o, `,"publisher":{`) {
		s.Publisher = p.sidecarPublisher()
	}
	for _, date := range []struct {
		key string
		at  **time.Time
	}{{`,"releaseDate":"`, &s.ReleaseDate}, {`,"publishedDate":"`, &s.PublishedDate}, {`,"lastUpdated":"`, &s.LastUpdated}} {
		if p.member(&o, date.key) {
			t := p.time()
			*date.at = &t
		}
	}
	p.expect(`}`)
	return s
}

func (p *parser) sidecarPublisher() *SidecarPublisher {
	s := new(SidecarPublisher)
	var o object
	for _, member := range []struct {
		key string
		at  *string
	}{{`,"publisherId":"`, &s.PublisherID}, {`,"displayName":"`, &s.DisplayName}, {`,"domain":"`, &s.Domain}} {
		if p.member(&o, member.key) {
			*member.at = p.common()
		}
	}
	s.IsDomainVerified = p.member(&o, `,"isDomainVerified":true`)
	p.expect(`}`)
	return s
}

// An object is one whose members may all be missing.
type object struct{ begun bool }

// member skips the key of a member if it is next. The key has a comma before it, which the first
// member of an object does not have.
func (p *parser) member(o *object, key string) bool {
	if !o.begun {
		key = key[1:]
	}
	found := p.skip(key)
	o.begun = o.begun || found
	return found
}
