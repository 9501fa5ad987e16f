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
	Repository string   `json:"repository,omitempty"` // host and path, in lower case
	Main       string   `json:"main,omitempty"`       // path in the extension
	Browser    string   `json:"browser,omitempty"`
	Activation []string `json:"activation,omitempty"` // sorted
	Binaries   []string `json:"binaries,omitempty"`   // native and WebAssembly files, by content, sorted
	Hosts      []string `json:"hosts,omitempty"`      // registrable domains and addresses in code, sorted
	Uses       []string `json:"uses,omitempty"`       // what code can do: eval, files, network, programs; sorted
	Size       int64    `json:"size"`                 // of all files, in bytes
	Cut        bool     `json:"cut,omitempty"`        // lists or texts were shortened, and are not compared
}

// Limits in bytes of the texts of a profile, so that an encoded profile has at most MaxProfile
// bytes, even if each byte needs an escape of six.
const (
	maxText  = 250
	maxLists = 2 << 10 // of all texts of a list; hosts and paths rarely need escapes
)

// shorten shortens the texts and lists of a profile to their limits.
func (p *Profile) shorten() {
	for _, s := range []*string{&p.Publisher, &p.Name, &p.Version, &p.Platform, &p.Repository, &p.Main, &p.Browser} {
		if len(*s) > maxText {
			*s, p.Cut = (*s)[:maxText], true
		}
	}
	for _, list := range []*[]string{&p.Activation, &p.Binaries, &p.Hosts} {
		*list = p.shortList(*list)
	}
	for text, err := p.Encode(); err == nil && len(text) > MaxProfile; text, err = p.Encode() {
		p.Cut = true
		p.Hosts, p.Binaries, p.Activation = half(p.Hosts), half(p.Binaries), half(p.Activation)
		p.Main, p.Browser, p.Repository = "", "", ""
	}
}

func half(list []string) []string { return list[:len(list)/2] }

func (p *Profile) shortList(list []string) []string {
	size := 0
	for i, s := range list {
		if size += len(s) + 3; size > maxLists*2 || len(s) > maxText*4 {
			p.Cut = true
			return list[:i:i]
		}
	}
	return list
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
		return nil, jsondoc.Explain(text, err)
	}
	if p.Rules <= 0 {
		return nil, errors.New("profile has no version of the rules")
	}
	return p, nil
}
