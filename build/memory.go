package build

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"galbuild/build/blob"
	"galbuild/build/source"
)

// A memory is what the last run learnt of its sources, so that this one reads
// only what changed: JSON lines on the builder's desk, a header and then one
// package a line, in the order of their paths.
//
// It is a cache of the reading, no part of the site: what it says of a package
// counts only if the catalogue has that very package. Losing it costs a reading.
type memory struct {
	file  string
	seen  map[string]memo // by path
	order []memo
}

// A memo is what is remembered of one source.
type memo struct {
	Path      string   `json:"path"`
	Stamp     stamp    `json:"stamp"`
	Sidecar   *stamp   `json:"sidecar,omitempty"`
	Signature *stamp   `json:"signature,omitempty"`
	Key       string   `json:"key,omitempty"` // what it turned out to be, when it was last taken
	Ref       blob.Ref `json:"sha256,omitzero"`
	Warnings  []string `json:"warnings,omitempty"`
	Refused   string   `json:"refused,omitempty"` // or why it was not taken
}

// A stamp tells a file that changed, without reading it.
type stamp struct {
	Size    int64     `json:"size"`
	ModTime time.Time `json:"mtime"`
}

// readingVersion changes whenever packages are read in another way, so that a
// newer program reads them all again.
const readingVersion = 1

// A heading says what a memory is of: how the sources were read, and which
// generation came of it. A memory of another generation is that of a builder that
// was killed between the switch and remembering.
type heading struct {
	Recipe     string `json:"recipe"`
	Generation string `json:"generation"`
}

func (c Config) recipe() string {
	return fmt.Sprintf("reading %d, unpack %s, limits %+v", readingVersion, c.Settings.Unpack, c.Limits.WithDefaults())
}

// recall reads the memory; one that cannot be used is empty.
func recall(file string, want heading) *memory {
	m := &memory{file: file, seen: make(map[string]memo)}
	text, err := os.ReadFile(file)
	if err != nil {
		return m
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	var is heading
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &is) != nil || is != want {
		return m
	}
	for lines.Scan() {
		var one memo
		if json.Unmarshal(lines.Bytes(), &one) != nil {
			return m
		}
		m.seen[one.Path] = one
	}
	return m
}

// recognise returns what is known of an item that has not changed.
func (m *memory) recognise(item source.Item, old map[string]known) (candidate, bool) {
	was, ok := m.seen[item.Path]
	if !ok || was.Stamp != (stamp{item.Size, item.ModTime.UTC()}) ||
		!sameStamp(was.Sidecar, item.Sidecar) || !sameStamp(was.Signature, item.Signature) {
		return candidate{}, false
	}
	c := candidate{item: item, warnings: was.Warnings, known: true, before: was.Key}
	if was.Refused != "" {
		c.refused = errors.New(was.Refused)
		return c, true
	}
	k, ok := old[was.Key]
	if !ok || k.version.Package.Ref != was.Ref {
		return candidate{}, false
	}
	c.publisher, c.name, c.version = k.publisher, k.name, *k.version
	return c, true
}

func sameStamp(was *stamp, is *source.Stamp) bool {
	if was == nil || is == nil {
		return was == nil && is == nil
	}
	return *was == stamp{is.Size, is.ModTime.UTC()}
}

// remember makes the memory of a run. Left out, and so read again, is what
// depends on more than the file itself: conflicts, the second of two equal
// packages, and files that could not be read.
func remember(file string, candidates []candidate) *memory {
	m := &memory{file: file}
	for i := range candidates {
		c := &candidates[i]
		one := memo{
			Path:      c.item.Path,
			Stamp:     stamp{c.item.Size, c.item.ModTime.UTC()},
			Sidecar:   stampOf(c.item.Sidecar),
			Signature: stampOf(c.item.Signature),
			Warnings:  c.warnings,
		}
		switch {
		case c.taken:
			one.Key, one.Ref = c.key(), c.version.Package.Ref
		case c.refused != nil && c.version.Package.Ref.IsZero() && !c.unreadable():
			one.Key, one.Refused = c.before, c.refused.Error()
		default:
			continue
		}
		m.order = append(m.order, one)
	}
	return m
}

func stampOf(s *source.Stamp) *stamp {
	if s == nil {
		return nil
	}
	return &stamp{s.Size, s.ModTime.UTC()}
}

// save writes the memory in one step.
func (m *memory) save(h heading) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	if err := enc.Encode(h); err != nil {
		return err
	}
	for _, one := range m.order {
		if err := enc.Encode(one); err != nil {
			return err
		}
	}
	temp := filepath.Join(filepath.Dir(m.file), "tmp", "sources")
	if err := os.WriteFile(temp, text.Bytes(), 0o600); err != nil {
		return err
	}
	return os.Rename(temp, m.file)
}
