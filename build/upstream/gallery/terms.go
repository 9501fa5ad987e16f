package gallery

import (
	"net/url"
	"strings"
)

// microsoft has the hosts of Microsoft's Marketplace and of its files.
var microsoft = []string{
	"marketplace.visualstudio.com", "vsassets.io", "vscode-unpkg.net",
}

// Terms returns what a user must know before downloading packages from an address, or "". It does
// so for Microsoft's Marketplace, which is used only if its address is given.
func Terms(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	host := strings.ToLower(u.Hostname())
	for _, name := range microsoft {
		if host == name || strings.HasSuffix(host, "."+name) {
			return "Microsoft's terms of use of the Marketplace allow its extensions to be obtained only through the " +
				"interfaces that Microsoft supports, and to be installed and used only in the products that the terms " +
				"name, such as Visual Studio Code. Read them before you go on: https://aka.ms/vsmarketplace-ToU"
		}
	}
	return ""
}
