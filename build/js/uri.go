package js

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// DecodeURI decodes percent escapes as JavaScript's function of that name: all but
// those of ; / ? : @ & = + $ , #. It is false if one is broken or they are no UTF-8.
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

// decodeRune decodes the one to four escapes of the character that s begins with,
// and returns how much of s they are; the character is "" if they are none.
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

// escaped decodes the escape that s begins with.
func escaped(s string) (byte, bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[1:3], 16, 8)
	return byte(n), err == nil
}

const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()"

// EncodeURIComponent writes all bytes as %20 and the like but for letters, digits and
// a few marks, as JavaScript's function of that name.
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
