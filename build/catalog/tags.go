package catalog

import "strings"

// VisibleTags returns the tags that people read. Editors hide those that begin with an
// underscore, which packagers write for programs: a language pack has thousands.
func (v *Version) VisibleTags() []string {
	var visible []string
	for _, tag := range v.Tags {
		if !strings.HasPrefix(tag, "_") {
			visible = append(visible, tag)
		}
	}
	return visible
}
