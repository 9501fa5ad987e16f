package index

import (
	"fmt"
	"math/bits"
	"strings"

	"galbuild/index/internal/fold"
	"galbuild/index/segment"
)

// Kinds of keys: what a document is looked up by exactly. A key is its kind and
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
	keyFlag           = 'f' // value: the bit's number as one byte, from '0'
	keyFeatured       = 'F' // no value
)

// eachKey yields the keys of d; a value may come twice. What a document lacks is
// no key: nobody finds it by asking for nothing.
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

// flagNames has one character for each bit, so that a value needs no memory.
const flagNames = "0123456789abcdefghijklmnopqrstuv"

// appendKey appends the key for a value as it was sent or declared.
func appendKey(dst []byte, kind byte, value string) []byte {
	value = strings.TrimSpace(value)
	if kind == keyCategory {
		value = category(value)
	}
	return fold.Append(append(dst, kind), value)
}

// category gives a category's old name its new one.
// Source: vsce's validation of package.json, which takes "Languages" for it.
func category(name string) string {
	if strings.EqualFold(name, "Languages") {
		return "Programming Languages"
	}
	return name
}

// keys is a dictionary with a hash table, for look-ups that touch few pages
// however many keys there are.
type keys struct {
	dictionary
	slots []uint32 // 1 + number of a key, 0 for none; a power of two of them
}

// find returns the documents that have the key.
func (k *keys) find(kind byte, value string) []uint32 {
	if len(k.slots) == 0 {
		return nil
	}
	var room [96]byte
	key := appendKey(room[:0], kind, value)
	mask := uint32(len(k.slots) - 1)
	slot := hash(key) & mask
	for range k.slots { // a hostile file may have no free slot to stop at
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

// hash is FNV-1a, 64 bits, folded to 32.
func hash[T string | []byte](key T) uint32 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * 0x100000001b3
	}
	return uint32(h>>32) ^ uint32(h)
}

// slotsFor returns the hash table of the keys, at most half full.
func slotsFor(d *dictionary) []uint32 {
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
	l := newLister()
	var key []byte
	for i, d := range all {
		d.eachKey(func(kind byte, value string) {
			key = appendKey(key[:0], kind, value)
			l.add(key, uint32(i), 0)
		})
	}
	d, _ := l.write(w, "key")
	w.Add("key.hash", segment.Bytes32(slotsFor(&d)))
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
		return keys{}, fmt.Errorf("%w: section %q: %d slots are no power of two", segment.ErrCorrupt, "key.hash", len(k.slots))
	}
	for _, n := range k.slots {
		if uint64(n) > uint64(d.len()) {
			return keys{}, fmt.Errorf("%w: section %q names key %d of %d", segment.ErrCorrupt, "key.hash", n, d.len())
		}
	}
	return k, nil
}

// platforms are VS Code's; a target that is neither one of them nor a platform
// of an indexed extension belongs to another product.
// Source: TargetPlatform in VS Code's extensions.ts.
var platforms = []string{
	"universal", "web",
	"win32-x64", "win32-ia32", "win32-arm64", "linux-x64", "linux-arm64", "linux-armhf",
	"alpine-x64", "alpine-arm64", "darwin-x64", "darwin-arm64",
}

const universal = "universal"

// everyTarget begins the names of the products that all extensions fit.
const everyTarget = "Microsoft.VisualStudio.Code"
