package catalog

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// TestTokens compares the checks of short texts with regular expressions that describe the same.
func TestTokens(t *testing.T) {
	const token = `[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}`
	checks := map[string]struct {
		check func(string) bool
		want  *regexp.Regexp
	}{
		"asset":      {IsAssetType, regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)},
		"publisher":  {func(s string) bool { return isToken(s, "_-") }, regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)},
		"platform":   {func(s string) bool { return consistsOf(s, "-") }, regexp.MustCompile(`^[A-Za-z0-9-]+$`)},
		"media type": {isMediaType, regexp.MustCompile(`^` + token + `/` + token + `(; ?[A-Za-z0-9-]{1,32}=[A-Za-z0-9_.+-]{1,64})?$`)},
	}
	texts := []string{"", "a", "-a", "a/b", "a/b;c=d", "a/b; c=d", "a/b;  c=d", "a/b;", "a/b; c", "a/b;c=d;e=f", "a/b/c", "/b", "a/", "a/-b", "é", "a\n", "a/b\n"}
	for _, n := range []int{32, 33, 64, 65, 127, 128, 129} {
		long := strings.Repeat("x", n)
		texts = append(texts, long, long+"/a", "a/"+long, "a/b;"+long+"=c", "a/b; c="+long)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var s strings.Builder
		for range r.IntN(12) {
			s.WriteByte("aZ0/;= -_.+!@\n\xc3"[r.IntN(15)])
		}
		texts = append(texts, s.String())
	}
	for name, c := range checks {
		for _, s := range texts {
			if got, want := c.check(s), c.want.MatchString(s); got != want {
				t.Errorf("%s %q: %t, want %t", name, s, got, want)
			}
		}
	}
}
