package catalog

import (
	"strings"
	"testing"

	"galbuild/build/blob"
)

func TestCheckCompanions(t *testing.T) {
	ref := blob.Sum(nil)
	valid := []Companion{{"cli/code-1.96.tar.gz", ref, 1 << 40}, {"cli/x_1+2-3.deb", ref, 0}, {"server", ref, 1}}
	if err := (&Settings{Companions: valid}).Check(); err != nil {
		t.Error(err)
	}
	for name, x := range map[string]struct {
		all  []Companion
		want string
	}{
		"parent":              {[]Companion{{"a/../../b", ref, 1}}, "want a path such as"},
		"absolute":            {[]Companion{{"/a", ref, 1}}, "want a path such as"},
		"empty":               {[]Companion{{"", ref, 1}}, "want a path such as"},
		"the folder":          {[]Companion{{".", ref, 1}}, "want a path such as"},
		"backslash":           {[]Companion{{`a\b`, ref, 1}}, "want a path such as"},
		"drive":               {[]Companion{{"c:x", ref, 1}}, "want a path such as"},
		"stream of Windows":   {[]Companion{{"a:b", ref, 1}}, "want a path such as"},
		"hidden":              {[]Companion{{".git/config", ref, 1}}, "want a path such as"},
		"dot at the end":      {[]Companion{{"a./b", ref, 1}}, "want a path such as"},
		"space at the end":    {[]Companion{{"a ", ref, 1}}, "want a path such as"},
		"control character":   {[]Companion{{"a\nb", ref, 1}}, "want a path such as"},
		"letters":             {[]Companion{{"ä", ref, 1}}, "want a path such as"},
		"space":               {[]Companion{{"a b", ref, 1}}, "want a path such as"},
		"percent":             {[]Companion{{"a%2fb", ref, 1}}, "want a path such as"},
		"long":                {[]Companion{{strings.Repeat("a", 256), ref, 1}}, "more than the limit"},
		"no hash":             {[]Companion{{"a", blob.Ref{}, 1}}, "want a SHA-256"},
		"size":                {[]Companion{{"a", ref, 1<<40 + 1}}, "and a size of"},
		"negative":            {[]Companion{{"a", ref, -1}}, "and a size of"},
		"order":               {[]Companion{{"b", ref, 1}, {"a", ref, 1}}, "out of order"},
		"twice":               {[]Companion{{"a", ref, 1}, {"a", ref, 1}}, "duplicate"},
		"case":                {[]Companion{{"A", ref, 1}, {"a", ref, 1}}, "differ only in case"},
		"file and folder":     {[]Companion{{"a", ref, 1}, {"a/b/c", ref, 1}}, `"a" is a file, and the folder of "a/b/c"`},
		"in another case":     {[]Companion{{"A/b", ref, 1}, {"a", ref, 1}}, "is a file, and the folder of"},
		"more than a gallery": {make([]Companion, maxCompanions+1), "at most 1000"},
	} {
		if err := (&Settings{Companions: x.all}).Check(); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", name, err, x.want)
		}
	}
}

// TestCompanionsAreDerived has a companion that is larger than other derived files can be.
func TestCompanionsAreDerived(t *testing.T) {
	f := (&Companion{"server.tar.gz", blob.Sum(nil), maxDerived + 1}).Derived()
	if err := f.check(""); err != nil || !IsDerived(f.Path) {
		t.Errorf("%v, derived: %v", err, IsDerived(f.Path))
	}
	if f.Path = "index.html"; f.check("") == nil {
		t.Error("a page may be as large as a companion")
	}
}
