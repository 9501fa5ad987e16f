package secret

import (
	"bytes"
	"encoding/json"
	"regexp"

	"galbuild/build/ecmascript"

	"golang.org/x/crypto/pkcs12"
)

// gcp is the rule for service accounts of Google Cloud, which are whole files.
const gcp = "gcp"

// p12Password is that of the .p12 files that Google makes.
// Source: https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys#serviceaccountprivatekeytype
const p12Password = "notasecret"

// serviceAccount tells whether the file is a service account's key. text is its
// content without the byte order mark.
func serviceAccount(name string, content, text []byte) bool {
	switch ecmascript.Extname(name) {
	case ".json":
		return serviceAccountJSON(text)
	case ".p12":
		_, err := pkcs12.ToPEM(content, p12Password)
		return err == nil
	}
	return false
}

var jsonKey = regexp.MustCompile(`-----BEGIN` + space + `?(?:DSA|RSA|EC|PGP|OPENSSH)?` + space + `?PRIVATE KEY`)

func serviceAccountJSON(text []byte) bool {
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
