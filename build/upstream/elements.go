package upstream

import (
	"bytes"
	"fmt"

	"github.com/dustin/go-humanize"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxElements is how many elements the lists of a response may have together. An extension with
// 3,866 versions has about 80,000. A decoded element can need a hundred times the memory of its
// text, which is two bytes in [0,0,0].
const MaxElements = 300_000

// CheckElements returns an error if the lists of a JSON text have too many elements. The caller
// finds other faults of the text when it decodes it.
func CheckElements(text []byte) error { return checkElements(text, MaxElements) }

func checkElements(text []byte, most int) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for n := 0; ; {
		if _, err := d.ReadToken(); err != nil {
			return nil // the end, or a fault
		}
		if kind, _ := d.StackIndex(d.StackDepth()); kind == '[' {
			n++ // also for the beginning of a list, and once more after a list or an object in one
		}
		if n > most {
			return fmt.Errorf("has lists with more than %s elements, which is the limit", humanize.Comma(int64(most)))
		}
	}
}
