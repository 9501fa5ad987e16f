package vsix

import (
	"strings"

	"github.com/github/go-spdx/v2/spdxexp"

	"galbuild/build/catalog"
)

// licence returns the licence of package.json as a normalized SPDX expression. It returns "" for
// other texts, such as "SEE LICENSE IN LICENSE.txt" and UNLICENSED.
//
// Source: https://docs.npmjs.com/cli/v11/configuring-npm/package-json#license
func licence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > catalog.MaxLicence {
		return ""
	}
	normal, _ := spdxexp.ValidateAndNormalizeLicensesWithOptions([]string{text}, spdxexp.ValidateLicensesOptions{})
	if len(normal) != 1 || len(normal[0]) > catalog.MaxLicence {
		return ""
	}
	return normal[0]
}
