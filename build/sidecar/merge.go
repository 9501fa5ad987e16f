package sidecar

import (
	"cmp"

	"galbuild/build/catalog"
)

// Clone returns a deep copy of s, which may be nil.
func Clone(s *catalog.Sidecar) *catalog.Sidecar {
	if s == nil {
		return nil
	}
	return &catalog.Sidecar{
		ExtensionID:   s.ExtensionID,
		Publisher:     copyOf(s.Publisher),
		ReleaseDate:   copyOf(s.ReleaseDate),
		PublishedDate: copyOf(s.PublishedDate),
		LastUpdated:   copyOf(s.LastUpdated),
		Statistics:    copyOf(s.Statistics),
	}
}

func copyOf[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// Merge returns a sidecar with the fields of first, and those of second that first lacks. Either
// may be nil.
func Merge(first, second *catalog.Sidecar) *catalog.Sidecar {
	if first == nil || second == nil {
		return cmp.Or(first, second)
	}
	return &catalog.Sidecar{
		ExtensionID:   cmp.Or(first.ExtensionID, second.ExtensionID),
		Publisher:     cmp.Or(first.Publisher, second.Publisher),
		ReleaseDate:   cmp.Or(first.ReleaseDate, second.ReleaseDate),
		PublishedDate: cmp.Or(first.PublishedDate, second.PublishedDate),
		LastUpdated:   cmp.Or(first.LastUpdated, second.LastUpdated),
		Statistics:    cmp.Or(first.Statistics, second.Statistics),
	}
}

// RestoreInvalid replaces invalid values with those of previous, which may be nil. A mistake in a
// sidecar must not change the identity of an extension.
func (m *Metadata) RestoreInvalid(previous *catalog.Sidecar) {
	if previous == nil {
		return
	}
	for _, key := range m.Invalid {
		switch key {
		case KeyID:
			m.ExtensionID = previous.ExtensionID
		case KeyPublisher:
			m.Publisher = previous.Publisher
		case KeyReleased:
			m.ReleaseDate = previous.ReleaseDate
		case KeyPublished:
			m.PublishedDate = previous.PublishedDate
		case KeyUpdated:
			m.LastUpdated = previous.LastUpdated
		case KeyStatistics:
			m.Statistics = previous.Statistics
		}
	}
}
