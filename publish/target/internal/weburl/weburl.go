// Package weburl checks the addresses of servers that targets are given.
package weburl

import (
	"errors"
	"fmt"
	"net/url"
)

// Parse parses an http or https address without a query and a fragment. The example is shown if
// the address is not one. Errors contain neither a password nor the query, which may be a token.
func Parse(address, example string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, errors.New("the address cannot be parsed") // the error contains the address
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("%q is not an http or https address such as %s", u.Redacted(), example)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		plain := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
		return nil, fmt.Errorf("%s: want an address without ? and #, such as %s", plain.String(), example)
	}
	return u, nil
}
