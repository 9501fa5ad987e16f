package lock

import (
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/jsondoc"
)

// A sidecar is the file next to a package with what its upstream stated about it.
type sidecar struct {
	ExtensionID string                    `json:"extensionId,omitempty"`
	Publisher   *catalog.SidecarPublisher `json:"publisher,omitempty"`
	ReleaseDate time.Time                 `json:"releaseDate,omitzero"`
	LastUpdated time.Time                 `json:"lastUpdated,omitzero"`
	FirstSeen   time.Time                 `json:"firstSeen,omitzero"`
	Source      source                    `json:"source"`
	Pictures    map[string]picture        `json:"pictures,omitempty"` // by address
}

type source struct {
	Upstream  string   `json:"upstream,omitempty"`
	URL       string   `json:"url"`
	SHA256    blob.Ref `json:"sha256,omitzero"`     // as the upstream stated it
	Signature string   `json:"signature,omitempty"` // "verified" or "present"
	Access    string   `json:"access,omitempty"`
	Licence   string   `json:"licence,omitempty"`
}

type picture struct {
	SHA256 blob.Ref `json:"sha256"`
	Type   string   `json:"type"`
}

// Sidecar returns the text of the package's sidecar file, which follows from the entry alone.
func (e *Entry) Sidecar() ([]byte, error) {
	s := sidecar{
		ExtensionID: e.ExtensionID, Publisher: e.Publisher, ReleaseDate: e.Released, LastUpdated: e.Published,
		FirstSeen: e.Added, Source: e.source(),
	}
	for _, p := range e.Pictures {
		if s.Pictures == nil {
			s.Pictures = map[string]picture{}
		}
		s.Pictures[p.Address] = picture{p.SHA256, p.Type}
	}
	text, err := jsondoc.Indented(s)
	return escape(text), err
}

func (e *Entry) source() source {
	s := source{Upstream: e.Upstream, URL: e.Address, Access: e.Access, Licence: e.Licence}
	if e.Stated {
		s.SHA256 = e.SHA256
	}
	if e.Signature != nil {
		s.Signature = "present"
		if e.Signature.Verified {
			s.Signature = "verified"
		}
	}
	return s
}
