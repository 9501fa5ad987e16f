package gallery

import (
	"encoding/json"
	"errors"

	"galbuild/build/catalog"
	"galbuild/build/jsondoc"
	"galbuild/build/upstream"
)

// A result is the response to a query with one filter.
type result struct {
	extensions []extension
	total      int // how many extensions match; 0 if the gallery does not say
}

// An extension is one of a response, as far as package sidecar does not read it.
type extension struct {
	Publisher  struct{ PublisherName string }
	Name       string `json:"extensionName"`
	Categories []string
	Versions   []version

	text json.RawMessage
}

type version struct {
	Version          string
	TargetPlatform   string
	LastUpdated      string
	AssetURI         string
	FallbackAssetURI string
	Files            []struct{ AssetType string }
	Properties       []struct{ Key, Value string }
}

// id returns publisher.name.
func (e *extension) id() string { return e.Publisher.PublisherName + "." + e.Name }

// errResponse completes "the response of URL".
var errResponse = errors.New("is not that of a gallery: want a JSON object with the key results")

// decode returns the first result of a response. Values of another type than they should have are
// left out.
func decode(text []byte) (*result, error) {
	var response struct {
		Results []struct {
			Extensions     []json.RawMessage
			ResultMetadata []struct {
				MetadataType  string
				MetadataItems []struct {
					Name  string
					Count int
				}
			}
		}
	}
	if err := upstream.CheckElements(text); err != nil {
		return nil, err
	}
	if err := unmarshal(text, &response); err != nil {
		return nil, jsondoc.Explain(text, err)
	}
	if len(response.Results) == 0 {
		return nil, errResponse
	}
	r := &result{}
	for _, raw := range response.Results[0].Extensions {
		e := extension{text: raw}
		if unmarshal(raw, &e) == nil && catalog.CheckID(e.Publisher.PublisherName, e.Name) == nil {
			r.extensions = append(r.extensions, e)
		}
	}
	for _, m := range response.Results[0].ResultMetadata {
		for _, item := range m.MetadataItems {
			if m.MetadataType == "ResultCount" && item.Name == "TotalCount" {
				r.total = item.Count
			}
		}
	}
	return r, nil
}

// unmarshal decodes JSON. A value of the wrong type is not an error.
func unmarshal(text []byte, v any) error {
	err := json.Unmarshal(text, v)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return nil
	}
	return err
}
