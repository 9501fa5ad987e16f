package catalog

import "sync"

// An Interner keeps one copy of each text that many versions have: types, keys,
// tags. A gallery of a hundred thousand is held in memory while its index is
// made, and these would be half of it. Its methods are safe for concurrent use.
type Interner struct {
	mutex sync.Mutex
	texts map[string]string
}

// NewInterner returns one that knows no text.
func NewInterner() *Interner { return &Interner{texts: make(map[string]string)} }

// shortText is up to where the value of a property is likely to be another's too.
const shortText = 16

// Version replaces the texts of v that others may have by their one copy.
func (in *Interner) Version(v *Version) {
	in.mutex.Lock()
	defer in.mutex.Unlock()
	in.text(&v.Platform)
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

func (in *Interner) text(s *string) {
	if one, ok := in.texts[*s]; ok {
		*s = one
		return
	}
	in.texts[*s] = *s
}
