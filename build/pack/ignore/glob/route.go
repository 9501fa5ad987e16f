package glob

import "slices"

// A route is a pattern without braces: segments, with ** between them.
//
//	a/b            head a b
//	a/**/b/**/c/d  head a, middle [b], tail c d, deep
type route struct {
	deep   bool // there is a **
	head   []segment
	middle [][]segment // each not empty
	tail   []segment
}

func newRoute(pattern string) route {
	var r route
	part := &r.head
	for _, text := range simplify(split(nil, pattern)) {
		if text != "**" {
			*part = append(*part, newSegment(text))
			continue
		}
		if r.deep {
			r.middle = append(r.middle, r.tail)
			r.tail = nil
		}
		r.deep, part = true, &r.tail
	}
	return r
}

// simplify takes out one of two ** in a row, and a segment with the .. after it.
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

func (r route) match(names []string) bool {
	if len(names) < len(r.head)+len(r.tail) || !r.deep && len(names) > len(r.head) {
		return false
	}
	end := len(names) - len(r.tail)
	if !fit(r.head, names) || !fit(r.tail, names[end:]) {
		return false
	}
	if !r.deep {
		return true
	}
	at := r.find(names, end)
	return at >= 0 && !slices.ContainsFunc(names[at:end], dots) && (len(r.tail) > 0 || at < end)
}

// find looks for the middle parts between the head and names[end], each where it
// first fits, and returns where the last ends, or -1.
//
// How far a part may slide is minimatch's sum, which leaves room for the first
// parts where it means the last ones. So **/a/b/**/c/**/d does not fit a/b/c/d.
func (r route) find(names []string, end int) int {
	at := len(r.head)
	for i, part := range r.middle {
		last := end - len(part)
		for _, other := range r.middle[:len(r.middle)-1-i] {
			last -= len(other)
		}
		for at <= last && !fit(part, names[at:]) {
			if dots(names[at]) {
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

// fit tells whether the segments fit the first names, one each.
func fit(segments []segment, names []string) bool {
	for i, s := range segments {
		if !s.match(names[i]) {
			return false
		}
	}
	return true
}

// dots are names that ** passes over never.
func dots(name string) bool { return name == "." || name == ".." }

// covers is right since what fits dir or a folder above it fits, with ** after it,
// all that is below. With two middle parts find might see that otherwise.
func (r route) covers(dir []string) bool {
	if !r.deep || len(r.tail) > 0 || len(r.middle) > 1 || len(dir) < len(r.head) ||
		slices.ContainsFunc(dir, dots) || !fit(r.head, dir) {
		return false
	}
	return r.find(dir, len(dir)) >= 0
}

// reaches looks at the head only: beyond it is a **, or the name of a file.
func (r route) reaches(dir []string) bool {
	if !r.deep && len(r.head) <= len(dir) {
		return false
	}
	n := min(len(r.head), len(dir))
	return fit(r.head[:n], dir)
}
