package secret

import (
	"bytes"
	"encoding/json"
	"regexp"

	"golang.org/x/crypto/pkcs12"

	"galbuild/build/ecmascript"
)

// gcp is the rule for service accounts of Google Cloud. A match is a whole file.
const gcp = "gcp"

// p12Password is the password of all .p12 files that Google makes.
// Source: https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys#serviceaccountprivatekeytype
const p12Password = "notasecret"

// isServiceAccount reports whether a file is the key of a service account. text is
// content without its byte order mark.
func isServiceAccount(name string, content, text []byte) bool {
	switch ecmascript.Extname(name) {
	case ".json":
		return isServiceAccountJSON(text)
	case ".p12":
		_, err := pkcs12.ToPEM(content, p12Password)
		return err == nil
	}
	return false
}

var jsonKey = regexp.MustCompile(`-----BEGIN` + space + `?(?:DSA|RSA|EC|PGP|OPENSSH)?` + space + `?PRIVATE KEY`)

func isServiceAccountJSON(text []byte) bool {
	if !bytes.Contains(text, []byte("private_key_id")) {
		return false
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(text, &fields) != nil || fields["private_key_id"] == nil {
		return false
	}
	var key string
	return json.Unmarshal(fields["private_key"], &key) == nil && jsonKey.MatchString(key)
}
