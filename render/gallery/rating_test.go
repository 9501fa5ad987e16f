package gallery

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

// TestRating writes ratings with all numbers of decimals.
func TestRating(t *testing.T) {
	check := func(rating float64) {
		if got, want := string(appendRating(nil, rating)), strconv.FormatFloat(rating, 'f', -1, 64); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for n := range 100_000 {
		check(float64(n) / 1000)
		check(float64(n%5000) / float64(1+n/5000))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		check(5 * random.Float64())
		check(math.Float64frombits(random.Uint64()))
	}
	for _, special := range []float64{0, math.Copysign(0, -1), -1, -4.5, 9999.99, 10_000, 1e6, 1e300, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.NaN(), math.Nextafter(4.5, 5), math.Nextafter(4.5, 4), 0.01, 0.001} {
		check(special)
	}
}

func BenchmarkRating(b *testing.B) {
	var space [32]byte
	for name, rating := range map[string]float64{"short": 4.5, "long": 14.0 / 3} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				appendRating(space[:0], rating)
			}
		})
	}
}
