package policy

import "galbuild/build/catalog"

// Of returns the policy of a catalogue. If the catalogue has none, or an invalid one, Of returns a
// policy without rules. Commands that make a catalogue refuse an invalid policy, so only another
// program can have written one.
func Of(c *catalog.Catalog) *Policy {
	if c.Policy == "" {
		return new(Policy)
	}
	p, err := Parse("policy", []byte(c.Policy))
	if err != nil {
		return new(Policy)
	}
	return p
}
