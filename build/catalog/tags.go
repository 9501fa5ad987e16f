package catalog

import "strings"

// VisibleTags returns the tags that editors show. Editors hide tags that begin with an underscore.
// vsce derives these from contributions, and a language pack has thousands of them.
func (v *Version) VisibleTags() []string {
	var visible []string
	for _, tag := range v.Tags {
		if !strings.HasPrefix(tag, "_") {
			visible = append(visible, tag)
		}
	}
	return visible
}
