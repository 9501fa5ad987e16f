package vet

// LookAlikes returns a finding if an extension has a name like another one of another publisher,
// among the ids of the gallery and those that are popular. Both may contain the id itself.
func LookAlikes(id, displayName string, gallery, popular []string) []Finding { return nil }

// Popular returns ids of well-known extensions.
func Popular() []string { return nil }
