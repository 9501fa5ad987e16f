package policy

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"slices"
	"strings"
	"testing"
)

// TestGallery checks that a logo becomes part of the policy, next to lists, and that the result
// parses to the same policy.
func TestGallery(t *testing.T) {
	for _, text := range []string{
		"{\"gallery\": {\"logo\": \"img/a.svg\", \"install\": [\"vscodium\"]}}",
		"{\"gallery\": {\"logo\": \"img/a.svg\", \"install\": [\"vscodium\"]}, // comma\n}",
		"{\"denyLists\": [\"a\"], \"gallery\": {\"logo\": \"img/a.svg\", \"install\": [\"vscodium\"]},\n}",
		"{\n\"denyLists\": [\"a\"],\n\"gallery\": {\"logo\": \"img/a.svg\", \"install\": [\"vscodium\"]} // none\n}\n",
	} {
		p, err := Load("p", []byte(text), readSample)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse("p", p.Text())
		if err != nil {
			t.Fatalf("%v in\n%s", err, p.Text())
		}
		for _, g := range []Gallery{p.Gallery, again.Gallery} {
			if g.Logo == nil || g.Logo.File != "logo.svg" || string(g.Logo.Content) != drawing || g.Logo.Width != 200 || g.Logo.Height != 100 || !slices.Equal(g.Install, []string{"vscodium"}) {
				t.Errorf("got %+v", g)
			}
		}
		if string(again.Text()) != string(p.Text()) || !strings.HasPrefix(string(p.Text()), text[:len(text)-3]) {
			t.Errorf("got\n%s", p.Text())
		}
	}
}

func TestLogo(t *testing.T) {
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 30, 20))); err != nil {
		t.Fatal(err)
	}
	if logo, err := parseLogo(picture.Bytes()); err != nil || logo.File != "logo.png" || logo.Width != 30 || logo.Height != 20 {
		t.Errorf("%+v, %v", logo, err)
	}
	if logo, err := parseLogo([]byte(`<svg width="30px" height="60"/>`)); err != nil || logo.Width != 100 || logo.Height != 200 {
		t.Errorf("%+v, %v", logo, err)
	}
	for content, want := range map[string]string{
		"":                                   "want a PNG or SVG file: it is not XML",
		"GIF89a":                             "it is not XML",
		"\x89PNG\r\n":                        "is not a PNG file",
		`<html/>`:                            "its element is <html>, not <svg>",
		`<svg/>`:                             "it has neither a viewBox, nor a width and a height in pixels",
		`<svg width="1em" height="1em"/>`:    "it has neither a viewBox",
		`<svg width="0" height="0"/>`:        "it has neither a viewBox",
		`<svg viewBox="0 0 9 9"><script/>`:   "its element <script> can run a script",
		`<svg viewBox="0 0 9 9" onload="x">`: "its element <svg> can run a script",
		`<svg viewBox="0 0 9 9"><a href=" javascript:x"/></svg>`:       "its element <a> can run a script",
		`<svg viewBox="0 0 9 9"><foreignObject></foreignObject></svg>`: "its element <foreignObject> can run a script",
		`<svg viewBox="0 0 9 9">`:                                      "it is not XML",
		strings.Repeat(" ", 65537):                                     "65537 bytes, more than the limit of 65536",
	} {
		if _, err := parseLogo([]byte(content)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.50q: got %v, want %s", content, err, want)
		}
	}
}

// TestEditors checks that the schema has the same editors.
func TestEditors(t *testing.T) {
	var schema struct {
		Properties struct {
			Gallery struct {
				Properties struct {
					Install struct{ Items struct{ Enum []string } }
				}
			}
		}
	}
	if err := json.Unmarshal(Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	if got := schema.Properties.Gallery.Properties.Install.Items.Enum; !slices.Equal(got, Editors) || !slices.IsSorted(Editors) {
		t.Errorf("got %q", got)
	}
}
