package vsix

import (
	"strings"

	"github.com/github/go-spdx/v2/spdxexp"
)

// maxLicence limits the length of a licence in bytes.
const maxLicence = 200

// licence returns the licence of package.json as a normalized SPDX expression. It returns "" for
// other texts, such as "SEE LICENSE IN LICENSE.txt" and UNLICENSED.
//
// Source: https://docs.npmjs.com/cli/v11/configuring-npm/package-json#license
func licence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > maxLicence {
		return ""
	}
	normal, _ := spdxexp.ValidateAndNormalizeLicensesWithOptions([]string{text}, spdxexp.ValidateLicensesOptions{})
	if len(normal) != 1 || len(normal[0]) > maxLicence {
		return ""
	}
	return normal[0]
}
