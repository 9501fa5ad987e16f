// Package units reads sizes and durations as people write them: 10MB, 4GiB, 30s, 7d.
package units

import (
	"fmt"
	"math"
	"regexp"
	"time"

	"github.com/dustin/go-humanize"
)

// A Size is a number of bytes. Its text is that of [ParseSize].
type Size int64

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Size) UnmarshalText(text []byte) error {
	n, err := ParseSize(string(text))
	*s = Size(n)
	return err
}

// ParseSize reads a number of bytes, such as 500000, 10MB (10,000,000) or 4GiB (4 x 1024 x 1024 x
// 1024). Case does not matter. The error begins with the text: "4x: must be a size such as …".
func ParseSize(text string) (int64, error) {
	n, err := humanize.ParseBytes(text)
	if err != nil || n > math.MaxInt64 {
		return 0, fmt.Errorf("%s: must be a size such as 500000, 10MB or 4GiB", text)
	}
	return int64(n), nil
}

// days matches a duration that begins with a number of days.
var days = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)d(.*)$`)

// ParseDuration reads a duration such as 90s, 1h30m or 7d12h. It is [time.ParseDuration] with a
// unit for days of 24 hours, which come first. The error begins with the text: "5: must be a
// duration such as …".
func ParseDuration(text string) (time.Duration, error) {
	d, err := parseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%s: must be a duration such as 30s, 5m, 24h or 7d", text)
	}
	return d, nil
}

func parseDuration(text string) (time.Duration, error) {
	found := days.FindStringSubmatch(text)
	if found == nil {
		return time.ParseDuration(text)
	}
	const day = 24 // hours
	whole, err := time.ParseDuration(found[1] + "h")
	if err != nil || whole > math.MaxInt64/day {
		return 0, fmt.Errorf("%s days are too many", found[1])
	}
	if found[2] == "" {
		return day * whole, nil
	}
	rest, err := time.ParseDuration(found[2])
	if sum := day*whole + rest; err == nil && rest >= 0 && sum >= 0 {
		return sum, nil
	}
	return 0, fmt.Errorf("%s does not follow days", found[2])
}
