package policy

import "galbuild/build/catalog"

// Of returns the policy of a catalogue, which says nothing if the catalogue has none. Commands that
// make a catalogue refuse an invalid policy. Of an invalid one that another program has written, Of
// returns a policy that says nothing.
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
