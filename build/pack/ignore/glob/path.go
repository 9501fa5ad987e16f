package glob

import "slices"

// A pathPattern is a pattern without braces: segments, and ** between them.
//
//	a/b            head a b
//	a/**/b/**/c/d  head a, middle [b], tail c d, globstar
type pathPattern struct {
	globstar bool        // there is a **
	head     []segment   // before the first **
	middle   [][]segment // between two **; none of them is empty
	tail     []segment   // after the last **
}

func newPathPattern(pattern string) pathPattern {
	var p pathPattern
	part := &p.head
	for _, text := range simplify(split(nil, pattern)) {
		if text != "**" {
			*part = append(*part, newSegment(text))
			continue
		}
		if p.globstar {
			p.middle = append(p.middle, p.tail)
			p.tail = nil
		}
		p.globstar, part = true, &p.tail
	}
	return p
}

// simplify removes repeated **, and each .. together with the segment before it.
func simplify(texts []string) []string {
	var out []string
	for _, text := range texts {
		before := ""
		if len(out) > 0 {
			before = out[len(out)-1]
		}
		switch {
		case text == "**" && before == "**":
		case text == ".." && before != "" && before != ".." && before != "." && before != "**":
			out = out[:len(out)-1]
		default:
			out = append(out, text)
		}
	}
	if len(out) == 0 {
		return []string{""}
	}
	return out
}

func (p pathPattern) match(names []string) bool {
	if len(names) < len(p.head)+len(p.tail) || !p.globstar && len(names) > len(p.head) {
		return false
	}
	end := len(names) - len(p.tail)
	if !matchAll(p.head, names) || !matchAll(p.tail, names[end:]) {
		return false
	}
	if !p.globstar {
		return true
	}
	at := p.find(names, end)
	return at >= 0 && !slices.ContainsFunc(names[at:end], isDots) && (len(p.tail) > 0 || at < end)
}

// find searches for the middle parts between the head and names[end], the first match of each.
// It returns the index after the last, or -1.
//
// As minimatch does, it computes the last index of a part from the lengths of the first parts
// instead of those of the following parts. So **/a/b/**/c/**/d does not match a/b/c/d.
func (p pathPattern) find(names []string, end int) int {
	at := len(p.head)
	for i, part := range p.middle {
		last := end - len(part)
		for _, other := range p.middle[:len(p.middle)-1-i] {
			last -= len(other)
		}
		for at <= last && !matchAll(part, names[at:]) {
			if isDots(names[at]) {
				return -1
			}
			at++
		}
		if at > last {
			return -1
		}
		at += len(part)
	}
	return at
}

// matchAll reports whether the segments match the first names, one by one.
func matchAll(segments []segment, names []string) bool {
	for i, s := range segments {
		if !s.match(names[i]) {
			return false
		}
	}
	return true
}

// isDots reports whether a name is . or .., which ** does not match.
func isDots(name string) bool { return name == "." || name == ".." }

// matchesAllBelow is correct because a pattern that matches dir or a parent folder, followed
// by **, matches everything below. With two middle parts, find may not do so.
func (p pathPattern) matchesAllBelow(dir []string) bool {
	if !p.globstar || len(p.tail) > 0 || len(p.middle) > 1 || len(dir) < len(p.head) ||
		slices.ContainsFunc(dir, isDots) || !matchAll(p.head, dir) {
		return false
	}
	return p.find(dir, len(dir)) >= 0
}

// mayMatchBelow compares dir with the beginning of the head only. Without a **, the last segment of
// the head is for the name of a file.
func (p pathPattern) mayMatchBelow(dir []string) bool {
	if !p.globstar && len(p.head) <= len(dir) {
		return false
	}
	n := min(len(p.head), len(dir))
	return matchAll(p.head[:n], dir)
}
