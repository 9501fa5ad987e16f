package ecmascript

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// DecodeURI decodes percent escapes like decodeURI of JavaScript: all except those of
// ; / ? : @ & = + $ , and #. It returns false if an escape is invalid, or if the decoded bytes
// are not UTF-8.
// Source: https://tc39.es/ecma262/#sec-decode
func DecodeURI(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '%' {
			b.WriteByte(s[i])
			i++
			continue
		}
		char, size := decodeRune(s[i:])
		switch {
		case char == "":
			return "", false
		case strings.Contains(";/?:@&=+$,#", char):
			b.WriteString(s[i : i+size])
		default:
			b.WriteString(char)
		}
		i += size
	}
	return b.String(), true
}

// decodeRune decodes the character at the beginning of s, which has one to four escapes. Size is
// their length in bytes. The character is "" if the escapes are invalid.
func decodeRune(s string) (char string, size int) {
	var buf []byte
	for len(buf) < utf8.UTFMax {
		c, ok := escaped(s[size:])
		if !ok {
			return "", 0
		}
		buf, size = append(buf, c), size+3
		if utf8.FullRune(buf) {
			break
		}
	}
	if !utf8.Valid(buf) {
		return "", 0
	}
	return string(buf), size
}

// escaped decodes the escape at the beginning of s.
func escaped(s string) (byte, bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[1:3], 16, 8)
	return byte(n), err == nil
}

const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()"

// EncodeURIComponent escapes all bytes except those of letters, digits and - _ . ! ~ * ' ( ),
// like encodeURIComponent of JavaScript.
// Source: https://tc39.es/ecma262/#sec-encode
func EncodeURIComponent(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if strings.IndexByte(unreserved, s[i]) >= 0 {
			b.WriteByte(s[i])
		} else {
			b.WriteString("%" + string(digits[s[i]>>4]) + string(digits[s[i]&15]))
		}
	}
	return b.String()
}
