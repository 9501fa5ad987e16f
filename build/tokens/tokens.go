// Package tokens reads and changes the file with the tokens of a gallery. Whoever has a token may
// read the gallery.
//
// # Tokens
//
// A token is gal_ and 256 random bits in base64url without padding, 47 characters in all. It is
// made once, by [New], and is not stored: the file has the SHA-256 of its text. A salt, a slow hash
// and a limit for wrong attempts protect passwords, which can be guessed. Nobody can guess 256
// random bits.
//
// # The file
//
// Each line has a name, the hash, and what restricts the token:
//
//	# Blank lines, and lines that begin with #, are comments.
//	alice      sha256:0f343b09…                   a token without restrictions
//	build-box  sha256:9c56cc51…  until=2027-01-31  until the end of that day in UTC
//	bob        sha256:7c211433…  view=team-a      only for one view of the gallery
//
// A name has up to 64 letters, digits and . _ @ -, and begins with a letter or digit. Two tokens
// have neither the same name nor the same hash. A file with an error is refused as a whole, so a
// typing error never changes what a token may do. It has at most [MaxBytes] bytes.
package tokens

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// MaxBytes is the size of the largest file, which has about 10,000 tokens.
const MaxBytes = 1 << 20

const (
	prefix     = "gal_"
	secret     = 32 // random bytes
	hashPrefix = "sha256:"
)

// A Token is a line of the file.
type Token struct {
	Name   string
	SHA256 [sha256.Size]byte
	View   string    // the only view that the token is for; "" means the whole gallery
	Until  time.Time // the beginning of the last day in UTC; zero means forever
}

// New makes a token.
func New() string {
	random := make([]byte, secret)
	rand.Read(random) // it never fails
	return prefix + base64.RawURLEncoding.EncodeToString(random)
}

// length is the number of characters of a token.
var length = len(prefix) + base64.RawURLEncoding.EncodedLen(secret)

// Pattern is a regular expression for the text of a token, for other programs.
const Pattern = `gal_[A-Za-z0-9_-]{43}`

// Is reports whether text has the form of a token.
func Is(text string) bool {
	return len(text) == length && strings.HasPrefix(text, prefix) && isSecret(text[len(prefix):])
}

func isSecret(text string) bool {
	for i := range len(text) {
		if !isSecretByte(text[i]) {
			return false
		}
	}
	return true
}

func isSecretByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// Expired reports whether the last day of the token is over.
func (t Token) Expired(now time.Time) bool {
	return !t.Until.IsZero() && !now.Before(t.Until.AddDate(0, 0, 1))
}

// A Set has the tokens of a file.
type Set struct {
	lines  []Token
	byHash map[[sha256.Size]byte]int // index of lines
}

// All returns the tokens in the order of the file. The caller must not change them.
func (s *Set) All() []Token { return s.lines }

// Find returns the token with this text, also if it has expired. It takes as long for a wrong text
// as for the right one of any line, as far as it depends on the text: it looks up the hash of the
// text, of which a client can choose no part.
func (s *Set) Find(text string) (Token, bool) {
	if !Is(text) {
		return Token{}, false
	}
	i, ok := s.byHash[sha256.Sum256([]byte(text))]
	if !ok {
		return Token{}, false
	}
	return s.lines[i], true
}

// Named returns the token with a name.
func (s *Set) Named(name string) (Token, bool) {
	i := slices.IndexFunc(s.lines, func(t Token) bool { return t.Name == name })
	if i < 0 {
		return Token{}, false
	}
	return s.lines[i], true
}

// Parse reads the text of a file. The error names the line.
func Parse(text []byte) (*Set, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("the file is longer than %d bytes", MaxBytes)
	}
	s := &Set{byHash: make(map[[sha256.Size]byte]int)}
	names := make(map[string]int)
	number := 0
	for line := range bytes.Lines(text) {
		number++
		t, ok, err := parseLine(string(line))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if !ok {
			continue
		}
		if names[t.Name] > 0 {
			return nil, fmt.Errorf("line %d: the name %s is also in line %d", number, t.Name, names[t.Name])
		}
		if other, ok := s.byHash[t.SHA256]; ok {
			return nil, fmt.Errorf("line %d: has the hash of the token %s", number, s.lines[other].Name)
		}
		names[t.Name] = number
		s.byHash[t.SHA256] = len(s.lines)
		s.lines = append(s.lines, t)
	}
	return s, nil
}

// parseLine reads a line. It returns false if the line has no token.
func parseLine(line string) (t Token, ok bool, err error) {
	fields := strings.Fields(line)
	if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
		return t, false, nil
	}
	if slices.ContainsFunc(fields, Is) {
		return t, false, errors.New("has a token; the file has only the hashes of tokens: NAME sha256:HEX")
	}
	if t.Name = fields[0]; !IsName(t.Name) {
		return t, false, fmt.Errorf("%.100q is not a name of letters, digits and . _ @ -", t.Name)
	}
	if len(fields) < 2 {
		return t, false, fmt.Errorf("%s has no hash, want NAME sha256:HEX", t.Name)
	}
	if t.SHA256, err = parseHash(fields[1]); err != nil {
		return t, false, err
	}
	if err := t.restrict(fields[2:]); err != nil {
		return t, false, err
	}
	return t, true, nil
}

func parseHash(text string) (sum [sha256.Size]byte, err error) {
	digits, ok := strings.CutPrefix(text, hashPrefix)
	if n, err := hex.Decode(sum[:], []byte(digits[:min(len(digits), 2*len(sum))])); !ok || err != nil || n != len(sum) || len(digits) != 2*len(sum) {
		return sum, fmt.Errorf("%.100q is not a hash, want sha256: and 64 hexadecimal digits", text)
	}
	return sum, nil
}

// restrict reads what follows the hash. A restriction that is not known is an error, because the
// token might do more without it.
func (t *Token) restrict(fields []string) (err error) {
	keys := make(map[string]bool)
	for _, field := range fields {
		key, value, _ := strings.Cut(field, "=")
		switch {
		case keys[key]:
			return fmt.Errorf("%s=… is given twice", key)
		case key == "view" && IsName(value):
			t.View = value
		case key == "until":
			if t.Until, err = ParseDay(value); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%.100q is not known, want view=NAME or until=YYYY-MM-DD", field)
		}
		keys[key] = true
	}
	return nil
}

// ParseDay reads the last day of a token.
func ParseDay(text string) (time.Time, error) {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return day, fmt.Errorf("%.100q is not a day, want YYYY-MM-DD", text)
	}
	return day, nil
}

var name = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$`)

// IsName reports whether text can be the name of a token.
func IsName(text string) bool { return name.MatchString(text) }

// line returns the line of a token.
func (t Token) line() string {
	fields := []string{t.Name, hashPrefix + hex.EncodeToString(t.SHA256[:])}
	restrictions := map[string]string{}
	if t.View != "" {
		restrictions["view"] = t.View
	}
	if !t.Until.IsZero() {
		restrictions["until"] = t.Until.Format(time.DateOnly)
	}
	for _, key := range slices.Sorted(maps.Keys(restrictions)) {
		fields = append(fields, key+"="+restrictions[key])
	}
	return strings.Join(fields, " ") + "\n"
}
