package pictures

import "slices"

// Wanted returns the absolute addresses of the pictures that the texts of a package show and the
// package does not hold, each once, in the order of the texts. The function holds reports whether
// the extension's folder has a picture with this path.
func Wanted(repository Repository, holds func(file string) bool, texts ...[]byte) (addresses []string) {
	for _, text := range texts {
		for _, r := range Find(text) {
			if file, ok := repository.File(r.Address); ok && holds(file) {
				continue
			}
			address, ok := repository.Absolute(r.Address)
			if ok && len(address) <= MaxAddress && !slices.Contains(addresses, address) {
				addresses = append(addresses, address)
			}
		}
	}
	return addresses
}

// MaxAddress is the largest length in bytes of the address of a picture that is collected.
const MaxAddress = 2048
