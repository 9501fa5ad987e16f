package index

import (
	"fmt"
	"math/bits"
	"strings"

	"galbuild/index/internal/fold"
	"galbuild/index/segment"
)

// Kinds of keys, by which documents are looked up exactly. A key is its kind followed by
// the folded value.
const (
	keyID             = 'i'
	keyUUID           = 'u'
	keyName           = 'n'
	keyTitle          = 't'
	keyPublisher      = 'p'
	keyPublisherTitle = 'P'
	keyTag            = 'g'
	keyCategory       = 'c'
	keyPlatform       = 'o'
	keyFlag           = 'f' // the value is the number of the bit, a character of flagNames
	keyFeatured       = 'F' // the value is empty
)

// eachKey yields the keys of d. It may yield a key twice. An empty value is not a key, so
// that a request for an empty value matches nothing.
func (d *Document) eachKey(found func(kind byte, value string)) {
	yield := func(kind byte, value string) {
		if strings.TrimSpace(value) != "" {
			found(kind, value)
		}
	}
	yield(keyID, d.ID)
	yield(keyUUID, d.UUID)
	yield(keyName, d.Name)
	yield(keyTitle, d.Title)
	yield(keyPublisher, d.Publisher)
	yield(keyPublisherTitle, d.PublisherTitle)
	for _, tag := range d.Tags {
		yield(keyTag, tag)
	}
	for _, category := range d.Categories {
		yield(keyCategory, category)
	}
	for _, platform := range d.Platforms {
		yield(keyPlatform, platform)
	}
	if d.Featured {
		found(keyFeatured, "")
	}
	eachFlag(d.Flags, func(value string) { yield(keyFlag, value) })
}

func eachFlag(flags uint32, yield func(value string)) {
	for ; flags != 0; flags &= flags - 1 {
		bit := bits.TrailingZeros32(flags)
		yield(flagNames[bit : bit+1])
	}
}

// flagNames has one character for each bit. A value is a substring of it, which needs no
// allocation.
const flagNames = "0123456789abcdefghijklmnopqrstuv"

// appendKey appends the key of a value as it was requested or declared.
func appendKey(dst []byte, kind byte, value string) []byte {
	value = strings.TrimSpace(value)
	if kind == keyCategory {
		value = category(value)
	}
	return fold.Append(append(dst, kind), value)
}

// category returns the current name of a category, which may be an old one.
//
// Source: vsce, whose validation of package.json replaces "Languages".
func category(name string) string {
	if strings.EqualFold(name, "Languages") {
		return "Programming Languages"
	}
	return name
}

// keys is a dictionary with a hash table, so that a lookup touches few pages of the file.
type keys struct {
	dictionary
	slots []uint32 // 1 + number of a key, or 0; the length is a power of two
}

// find returns the documents that have the key.
func (k *keys) find(kind byte, value string) []uint32 {
	if len(k.slots) == 0 {
		return nil
	}
	var buf [96]byte
	key := appendKey(buf[:0], kind, value)
	mask := uint32(len(k.slots) - 1)
	slot := hash(key) & mask
	for range k.slots { // a damaged file may have no free slot
		n := k.slots[slot]
		if n == 0 {
			return nil
		}
		if string(k.at(int(n-1))) == string(key) {
			return k.list(int(n - 1))
		}
		slot = (slot + 1) & mask
	}
	return nil
}

// hash returns the FNV-1a 64 hash of the key, its halves XORed.
func hash[T string | []byte](key T) uint32 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * 0x100000001b3
	}
	return uint32(h>>32) ^ uint32(h)
}

// hashTable returns the hash table of the keys, at most half full.
func hashTable(d *dictionary) []uint32 {
	slots := make([]uint32, 1<<bits.Len(uint(2*d.len())))
	mask := uint32(len(slots) - 1)
	for i := range d.len() {
		slot := hash(d.at(i)) & mask
		for slots[slot] != 0 {
			slot = (slot + 1) & mask
		}
		slots[slot] = uint32(i + 1)
	}
	return slots
}

func writeKeys(w *segment.Writer, all []ranked) {
	builder := newDictionaryBuilder()
	var key []byte
	for i, d := range all {
		d.eachKey(func(kind byte, value string) {
			key = appendKey(key[:0], kind, value)
			builder.add(key, uint32(i), 0)
		})
	}
	d, _ := builder.write(w, "key")
	w.Add("key.hash", segment.Bytes32(hashTable(&d)))
}

func openKeys(s *segment.Segment, documents int) (keys, error) {
	d, err := openDictionary(s, "key", documents)
	if err != nil {
		return keys{}, err
	}
	raw, err := s.Section("key.hash")
	if err != nil {
		return keys{}, err
	}
	k := keys{d, segment.Uint32s(raw)}
	if len(k.slots)&(len(k.slots)-1) != 0 {
		return keys{}, fmt.Errorf("%w: section %q: got %d slots, want a power of two", segment.ErrCorrupt, "key.hash", len(k.slots))
	}
	for _, n := range k.slots {
		if uint64(n) > uint64(d.len()) {
			return keys{}, fmt.Errorf("%w: section %q refers to key %d of %d", segment.ErrCorrupt, "key.hash", n, d.len())
		}
	}
	return k, nil
}

// platforms are the target platforms of VS Code. A target that is neither one of them nor a
// platform of an indexed extension is another product, for which no extension is built.
//
// Source: TargetPlatform in VS Code's extensions.ts.
var platforms = []string{
	"universal", "web",
	"win32-x64", "win32-ia32", "win32-arm64", "linux-x64", "linux-arm64", "linux-armhf",
	"alpine-x64", "alpine-arm64", "darwin-x64", "darwin-arm64",
}

const universal = "universal"

// vscodeTarget is the prefix of the targets that every extension matches.
const vscodeTarget = "Microsoft.VisualStudio.Code"
