package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// header is the first line of a catalogue.
type header struct {
	Format int `json:"galbuild"`
	Settings
}

// Write writes the catalogue as JSON lines. The same catalogue always gives the
// same bytes.
func (c *Catalog) Write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(header{Format, c.Settings}); err != nil {
		return err
	}
	for i := range c.Extensions {
		if err := enc.Encode(&c.Extensions[i]); err != nil {
			return fmt.Errorf("%s: %w", c.Extensions[i].ID(), err)
		}
	}
	return nil
}

// Parse reads what Write wrote. It refuses other formats by number, and
// extensions that are out of order: a reader may search by bisection.
func Parse(text []byte) (*Catalog, error) {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	var h header
	if err := json.Unmarshal(first, &h); err != nil {
		return nil, fmt.Errorf("catalogue header: %w", err)
	}
	if h.Format != Format {
		return nil, fmt.Errorf("catalogue format %d, this program reads %d", h.Format, Format)
	}
	c := &Catalog{Settings: h.Settings, Extensions: make([]Extension, 0, bytes.Count(rest, []byte("\n")))}
	for number := 2; len(rest) > 0; number++ {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		if err := c.addLine(line); err != nil {
			return nil, fmt.Errorf("catalogue line %d: %w", number, err)
		}
	}
	return c, nil
}

func (c *Catalog) addLine(line []byte) error {
	var e Extension
	if err := json.Unmarshal(line, &e); err != nil {
		return err
	}
	if n := len(c.Extensions); n > 0 && c.Extensions[n-1].Key() >= e.Key() {
		return fmt.Errorf("%s stands behind %s", e.Key(), c.Extensions[n-1].Key())
	}
	if len(e.Versions) == 0 {
		return fmt.Errorf("%s has no version", e.Key())
	}
	c.Extensions = append(c.Extensions, e)
	return nil
}
