package audit

import (
	"strings"

	"aead.dev/minisign"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/policy"
)

// signers are the keys with which attestations about the packages of a catalogue may be signed.
type signers struct {
	policy     *policy.Policy
	publishers map[blob.Ref]string // by package, in lower case
}

func newSigners(c *catalog.Catalog) signers {
	s := signers{policy.Of(c), make(map[blob.Ref]string)}
	for _, p := range c.Packages {
		s.publishers[p.SHA256] = publisherOf(p.ID)
	}
	for key, v := range c.Versions() {
		s.publishers[v.Package.Ref] = publisherOf(key)
	}
	return s
}

// publisherOf returns the publisher in a [catalog.Key].
func publisherOf(key string) string {
	publisher, _, _ := strings.Cut(key, ".")
	return publisher
}

// of returns the keys that may have signed a record: those of the authors of the publisher for a
// submission, also the revoked ones, and those of the policy otherwise.
func (s signers) of(r *catalog.Record) map[string]minisign.PublicKey {
	if r.Kind == decision.Submitted {
		return s.policy.AuthorKeys(s.publishers[r.Subject.SHA256])
	}
	return s.policy.Keys
}

// A Submission says who has submitted a package to the inbox of the gallery.
type Submission struct {
	By   string `json:"by"`             // as the author says
	Key  string `json:"key"`            // the ID of the key that has signed it
	Name string `json:"name,omitempty"` // of the key in the policy; "" if no key of it has signed
}

// Submissions returns who has submitted the packages of a catalogue, by package.
func Submissions(c *catalog.Catalog) map[blob.Ref][]Submission {
	all := make(map[blob.Ref][]Submission)
	keys := newSigners(c)
	for i := range c.Records {
		r := &c.Records[i]
		if r.Kind != decision.Submitted || r.Subject.SHA256.IsZero() {
			continue
		}
		s := Submission{Key: r.Key}
		if r.Private != nil {
			s.By = r.Private.By
		}
		_, s.Name = decision.Verify(r, keys.of(r))
		all[r.Subject.SHA256] = append(all[r.Subject.SHA256], s)
	}
	return all
}
