package tokens

import "bytes"

// shortest is the length of the shortest part of a token that is masked. A token that was copied
// without its end is still nearly one.
const shortest = len(prefix) + 16

// Mask returns text with gal_*** instead of each token, and instead of the beginning of one. It
// does not copy a text without tokens.
func Mask(text []byte) []byte {
	var masked []byte
	for from := 0; ; {
		at := bytes.Index(text[from:], []byte(prefix))
		if at < 0 {
			if masked == nil {
				return text
			}
			return append(masked, text[from:]...)
		}
		begin := from + at
		end := begin + len(prefix)
		for end < len(text) && isSecretByte(text[end]) {
			end++
		}
		if end-begin < shortest {
			masked = append(masked, text[from:end]...)
		} else {
			masked = append(append(masked, text[from:begin]...), prefix+"***"...)
		}
		from = end
	}
}
