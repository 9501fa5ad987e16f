package decision

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
)

// decided is a decision of a table.
type decided struct {
	subject, kind string
	counter       int64
}

func records(t *testing.T, all ...decided) []catalog.Record {
	t.Helper()
	var made []catalog.Record
	for i, d := range all {
		subject, err := catalog.ParseSubject(d.subject)
		if err != nil {
			t.Fatal(err)
		}
		r := catalog.Record{Kind: d.kind, Subject: subject, Counter: d.counter, When: time.Unix(int64(-i), 0).UTC(), Private: &catalog.Private{By: "alice"}}
		if r.ID, err = r.Identity(); err != nil {
			t.Fatal(err)
		}
		made = append(made, r)
	}
	return made
}

func TestOut(t *testing.T) {
	ref := blob.Sum([]byte("package"))
	const linux, universal = "acme.notes@1.0.0@linux-x64", "acme.notes@1.0.0"
	for name, test := range map[string]struct {
		decisions []decided
		key       string
		want      []string // subjects
	}{
		"nothing":                {nil, universal, nil},
		"extension":              {[]decided{{"acme.notes", Blocked, 1}}, linux, []string{"acme.notes"}},
		"version, all platforms": {[]decided{{"acme.notes@1.0.0", Removed, 1}}, linux, []string{"acme.notes@1.0.0"}},
		"another version":        {[]decided{{"acme.notes@1.0.1", Removed, 1}}, linux, nil},
		"another extension":      {[]decided{{"acme.note", Blocked, 1}, {"acme.notes2", Blocked, 1}}, linux, nil},
		"platform":               {[]decided{{"acme.notes@1.0.0@linux-x64", Removed, 1}}, linux, []string{"acme.notes@1.0.0@linux-x64"}},
		"another platform":       {[]decided{{"acme.notes@1.0.0@linux-x64", Removed, 1}}, universal, nil},
		"universal":              {[]decided{{"acme.notes@1.0.0@universal", Removed, 1}}, universal, []string{"acme.notes@1.0.0@universal"}},
		"platform of all":        {[]decided{{"acme.notes@linux-x64", Blocked, 1}}, linux, []string{"acme.notes@linux-x64"}},
		"hash":                   {[]decided{{"sha256:" + ref.String(), Blocked, 1}}, linux, []string{"sha256:" + ref.String()}},
		"restored":               {[]decided{{"acme.notes@1.0.0", Removed, 1}, {"acme.notes@1.0.0", Restored, 2}}, linux, nil},
		"restored earlier":       {[]decided{{"acme.notes@1.0.0", Removed, 2}, {"acme.notes@1.0.0", Restored, 1}}, linux, []string{"acme.notes@1.0.0"}},
		"restored at once":       {[]decided{{"acme.notes@1.0.0", Removed, 2}, {"acme.notes@1.0.0", Restored, 2}}, linux, []string{"acme.notes@1.0.0"}},
		"another subject":        {[]decided{{"acme.notes", Blocked, 1}, {"acme.notes@1.0.0", Restored, 2}}, linux, []string{"acme.notes"}},
		"deprecated":             {[]decided{{"acme.notes", Deprecated, 1}}, linux, nil},
		"blocked and deprecated": {[]decided{{"acme.notes", Blocked, 1}, {"acme.notes", Deprecated, 2}}, linux, []string{"acme.notes"}},
		"a later kind":           {[]decided{{"acme.notes", "approval", 1}}, linux, nil},
		"the strictest first": {[]decided{{"acme.notes@1.0.0", Removed, 9}, {"acme.notes", Malicious, 1}, {"acme.notes@linux-x64", Blocked, 5}}, linux,
			[]string{"acme.notes", "acme.notes@linux-x64", "acme.notes@1.0.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := &catalog.Catalog{Records: records(t, test.decisions...)}
			var got []string
			for _, r := range Of(c).Out(test.key, ref) {
				got = append(got, r.Subject.String())
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestListed checks what a control manifest alone keeps out.
func TestListed(t *testing.T) {
	control, err := catalog.ParseControl([]byte(`{"malicious":["Acme.Evil","worse"]}`))
	if err != nil {
		t.Fatal(err)
	}
	s := In(nil, control)
	for key, want := range map[string]bool{"acme.evil@1.0.0": true, "worse.any@2.0.0@web": true, "acme.evil2@1.0.0": false, "acme.good@1.0.0": false} {
		if out := s.Out(key, blob.Ref{}); (len(out) == 1 && out[0].Kind == Malicious) != want {
			t.Errorf("%s: %v, want %v", key, out, want)
		}
	}
}

// TestInForce checks the order of decisions about one subject for all pairs of kinds.
func TestInForce(t *testing.T) {
	order := []string{Restored, Removed, Blocked, Malicious}
	for i, a := range order {
		for j, b := range order {
			for _, counters := range [][2]int64{{1, 2}, {2, 2}, {2, 1}} {
				c := &catalog.Catalog{Records: records(t, decided{"acme.notes", a, counters[0]}, decided{"acme.notes", b, counters[1]})}
				want := a
				if counters[1] > counters[0] || counters[0] == counters[1] && j > i {
					want = b
				}
				got := Restored
				if out := Of(c).Out("acme.notes@1.0.0", blob.Ref{}); len(out) > 0 {
					got = out[0].Kind
				}
				if got != want {
					t.Errorf("%s %d and %s %d: %s is in force, want %s", a, counters[0], b, counters[1], got, want)
				}
			}
		}
	}
}

// TestAdd checks that a new decision takes precedence over all that its author had seen.
func TestAdd(t *testing.T) {
	all := records(t, decided{"acme.notes", Malicious, 7}, decided{"acme.other", Blocked, 9})
	a := Author{By: "bob", Reason: "a mistake", When: time.Date(1999, 1, 1, 0, 0, 0, 5, time.FixedZone("", 3600))}
	all, err := Add(all, a, Restored, []catalog.Subject{all[0].Subject}, "")
	if err != nil || len(all) != 3 {
		t.Fatalf("%v, %v", all, err)
	}
	if out := Of(&catalog.Catalog{Records: all}).Out("acme.notes@1.0.0", blob.Ref{}); len(out) > 0 {
		t.Errorf("still out: %v", out[0])
	}
	i := slices.IndexFunc(all, func(r catalog.Record) bool { return r.Kind == Restored })
	if r := all[i]; r.Counter != 10 || r.Private.By != "bob" || r.Private.Reason != "a mistake" || !r.When.Equal(a.When.Truncate(time.Second)) || r.When.Location() != time.UTC {
		t.Errorf("%+v", r)
	}
	if _, err := Add(nil, Author{By: "\x00"}, Removed, []catalog.Subject{all[0].Subject}, ""); err == nil {
		t.Error("an invalid name is accepted")
	}
}

// TestMerge checks with random sets that merging is commutative, associative and idempotent, that
// it never loses a record or a private part, and that the decisions in force are those of the
// union.
func TestMerge(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	kinds := []string{Removed, Blocked, Malicious, Deprecated, Restored, "approval"}
	subjects := []string{"acme.a", "acme.a@1.0.0", "acme.b", "acme.b@1.0.0@web"}
	var pool []catalog.Record
	for range 60 {
		pool = append(pool, records(t, decided{subjects[random.IntN(len(subjects))], kinds[random.IntN(len(kinds))], 1 + random.Int64N(4)})...)
	}
	pick := func() (some []catalog.Record) {
		for _, r := range pool {
			if random.IntN(3) > 0 {
				continue
			}
			if random.IntN(3) == 0 {
				r.Private = nil // as from an address that does not serve it
			}
			some = append(some, r)
		}
		return Merge(some, nil)
	}
	for range 200 {
		a, b, c := pick(), pick(), pick()
		ab := Merge(a, b)
		switch {
		case !reflect.DeepEqual(ab, Merge(b, a)):
			t.Fatal("not commutative")
		case !reflect.DeepEqual(Merge(ab, c), Merge(a, Merge(b, c))):
			t.Fatal("not associative")
		case !reflect.DeepEqual(Merge(ab, ab), ab), !reflect.DeepEqual(Merge(ab, a), ab):
			t.Fatal("not idempotent")
		case !Includes(ab, a), !Includes(ab, b):
			t.Fatal("a record or its private part is lost")
		case Includes(a, b) && !reflect.DeepEqual(ab, a):
			t.Fatal("Includes is wrong")
		}
		for _, key := range []string{"acme.a@1.0.0", "acme.b@1.0.0@web"} {
			for _, r := range Of(&catalog.Catalog{Records: ab}).Out(key, blob.Ref{}) {
				if slices.ContainsFunc(ab, func(other catalog.Record) bool {
					return other.Subject == r.Subject && other.Kind != Deprecated && strictness[other.Kind] > 0 && compare(&other, r) > 0
				}) {
					t.Fatalf("%+v is in force, and not the last decision", r)
				}
			}
		}
	}
}

// TestForged checks that a forged copy of a record does not make the result depend on the order.
func TestForged(t *testing.T) {
	r := records(t, decided{"acme.a", Blocked, 1})[0]
	forged := r
	forged.Kind, forged.Private = Restored, nil
	public := r
	public.Private = nil
	for _, other := range []catalog.Record{r, public} {
		x, y := Merge([]catalog.Record{other}, []catalog.Record{forged}), Merge([]catalog.Record{forged}, []catalog.Record{other})
		if !reflect.DeepEqual(x, y) {
			t.Errorf("%+v and %+v", x, y)
		}
	}
	if got := Merge([]catalog.Record{forged}, []catalog.Record{r}); got[0].Kind != Blocked {
		t.Error("a forged record replaces one that was verified")
	}
}
