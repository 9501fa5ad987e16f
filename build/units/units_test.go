package units

import (
	"strings"
	"testing"
	"time"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1": 1, "500000": 500_000, "1kB": 1000, "1KiB": 1024, "10MB": 10_000_000, "10mb": 10_000_000, "1.5GiB": 3 << 29,
		"4GiB": 4 << 30, "4 GiB": 4 << 30, "4G": 4_000_000_000, "4gi": 4 << 30, "2TiB": 2 << 40, "700MB": 700_000_000,
		"": -1, "x": -1, "4x": -1, "-1": -1, "-1MB": -1, "MB": -1, "1e3": -1, "8EiB": -1, "99999999999999999999": -1, "1h": -1,
	} {
		got, err := ParseSize(text)
		if err == nil && want < 0 || err != nil && want >= 0 || err == nil && got != want {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
		if err != nil && err.Error() != text+": must be a size such as 500000, 10MB or 4GiB" {
			t.Errorf("%q: got the error %v", text, err)
		}
		var s Size
		if unmarshal := s.UnmarshalText([]byte(text)); int64(s) != got || (unmarshal == nil) != (err == nil) {
			t.Errorf("%q: unmarshals to %d, %v", text, s, unmarshal)
		}
	}
}

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "30s": 30 * time.Second, "5m": 5 * time.Minute, "1h30m": 90 * time.Minute, "24h": day, "1d": day, "7d": 7 * day,
		"7d12h": 7*day + 12*time.Hour, "1.5d": 36 * time.Hour, "0d": 0, "-1s": -time.Second, "300ms": 300 * time.Millisecond,
		"106751d": 106751 * day,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%q: got %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "5", "d", "1x", "7days", "1h7d", "1d-1h", "1d7", "-1d", "1dd", "106752d", "106751d24h", "99999999999999999999d", "1w", "10MB"} {
		got, err := ParseDuration(text)
		if err == nil || !strings.HasPrefix(err.Error(), text+": must be a duration such as 30s, 5m, 24h or 7d") {
			t.Errorf("%q: got %s, %v", text, got, err)
		}
	}
}
