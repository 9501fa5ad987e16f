package index

// differences returns the differences of each number to the one before it, the first of them to
// zero, modulo 2³². They compress to a fifth of what ascending numbers need.
func differences(numbers []uint32) []uint32 {
	all := make([]uint32, len(numbers))
	before := uint32(0)
	for i, n := range numbers {
		all[i], before = n-before, n
	}
	return all
}

// sums replaces differences by the numbers that they were made of, and returns these.
func sums(differences []uint32) []uint32 {
	sum := uint32(0)
	for i, d := range differences {
		sum += d
		differences[i] = sum
	}
	return differences
}
