package catalog

import "sync"

// An Interner lets equal texts of versions share memory: types, keys, tags and the like. Without
// it, they would be half of the memory of a large gallery while its index is written. Its methods
// are safe for concurrent use.
type Interner struct {
	mutex sync.Mutex
	texts map[string]string
}

// NewInterner returns an empty Interner.
func NewInterner() *Interner { return &Interner{texts: make(map[string]string)} }

// shortText is the largest length in bytes of a property's value that is shared. Longer values are
// mostly different.
const shortText = 16

// Version replaces texts of v with equal ones of earlier versions. The value of v does not change.
func (in *Interner) Version(v *Version) {
	in.mutex.Lock()
	defer in.mutex.Unlock()
	in.text(&v.Platform)
	in.text(&v.Licence)
	for i := range v.Categories {
		in.text(&v.Categories[i])
	}
	for i := range v.Tags {
		in.text(&v.Tags[i])
	}
	for i := range v.Contributed {
		in.text(&v.Contributed[i])
	}
	for i := range v.Properties {
		p := &v.Properties[i]
		in.text(&p.Key)
		if len(p.Value) <= shortText {
			in.text(&p.Value)
		}
	}
	in.text(&v.Package.Type)
	for i := range v.Assets {
		in.text(&v.Assets[i].Type)
		in.text(&v.Assets[i].File.Type)
	}
	for i := range v.Files {
		in.text(&v.Files[i].Type)
	}
}

// bytes returns b as a text, which is an earlier one if they are equal.
func (in *Interner) bytes(b []byte) string {
	if first, ok := in.texts[string(b)]; ok {
		return first
	}
	s := string(b)
	in.texts[s] = s
	return s
}

func (in *Interner) text(s *string) {
	if first, ok := in.texts[*s]; ok {
		*s = first
		return
	}
	in.texts[*s] = *s
}
