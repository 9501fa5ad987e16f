package sidecar

import (
	"cmp"

	"galbuild/build/catalog"
)

// Clone returns a copy that shares nothing with s, which may be nil.
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

// Merge returns what first says, and what second says of the rest. Either may be nil.
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

// KeepUnread takes the values of the keys that could not be read from what was read before,
// which may be nil: a mistake in a sidecar must not give an extension another identity.
func (k *Known) KeepUnread(before *catalog.Sidecar) {
	if before == nil {
		return
	}
	for _, key := range k.Unread {
		switch key {
		case KeyID:
			k.ExtensionID = before.ExtensionID
		case KeyPublisher:
			k.Publisher = before.Publisher
		case KeyReleased:
			k.ReleaseDate = before.ReleaseDate
		case KeyPublished:
			k.PublishedDate = before.PublishedDate
		case KeyUpdated:
			k.LastUpdated = before.LastUpdated
		case KeyStatistics:
			k.Statistics = before.Statistics
		}
	}
}
