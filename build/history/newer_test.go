package history_test

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"galbuild/build/blob"
	"galbuild/build/history"
)

func TestCheckNewer(t *testing.T) {
	var entries []*history.Entry
	var last *history.Entry
	for i, sender := range []*history.Sender{
		nil,
		{History: blob.Sum([]byte("a")), Number: 3, Generation: "0000000000000003", When: testTime},
		{History: blob.Sum([]byte("b")), Number: 9, Generation: "0000000000000009", When: testTime},
		{History: blob.Sum([]byte("a")), Number: 5, Generation: "0000000000000005", When: testTime},
		{History: blob.Sum([]byte("a")), Number: 4, Generation: "0000000000000004", When: testTime}, // with --allow-older
		nil,
	} {
		e := newEntry(i, "import")
		e.Sender = sender
		entry, _, err := history.Append(last, e)
		if err != nil {
			t.Fatal(err)
		}
		entries, last = append(entries, entry), entry
	}
	for name, test := range map[string]struct {
		history string
		number  int64
		had     int64 // 0 if it is newer
	}{
		"newer":                             {"a", 6, 0},
		"the newest":                        {"a", 5, 5},
		"newer than the last, not all":      {"a", 4, 5},
		"much older":                        {"a", 1, 5},
		"another history":                   {"c", 1, 0},
		"newer in a history, lower numbers": {"b", 10, 0},
		"older in the other history":        {"b", 8, 9},
	} {
		offered := &history.Sender{History: blob.Sum([]byte(test.history)), Number: test.number, Generation: "00000000000000ff", When: testTime}
		err := history.CheckNewer(sequence(entries), offered)
		older, ok := errors.AsType[*history.OlderError](err)
		if ok != (test.had > 0) || ok && (older.Copied.Number != test.had || older.Offered != *offered) {
			t.Errorf("%s: %v, want one that was copied before: %d", name, err, test.had)
		}
	}
	offered := &history.Sender{History: blob.Sum([]byte("a")), Number: 2, Generation: "00000000000000ff", When: testTime}
	const want = "it has generation 00000000000000ff (number 2, 2026-01-02T03:04:05Z), which is not newer than " +
		"generation 0000000000000005 (number 5, 2026-01-02T03:04:05Z), which was copied from there before"
	if err := history.CheckNewer(sequence(entries), offered); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	offered.Number = 5
	if err := history.CheckNewer(sequence(entries), offered); err == nil || !strings.Contains(err.Error(), "which was copied before, and copying it again would change") {
		t.Errorf("the same again: %v", err)
	}
	offered.Root = tlog.Hash{1}
	if err := history.CheckNewer(sequence(entries), offered); err == nil || !strings.HasSuffix(err.Error(), "the history that both come from has been forked") {
		t.Errorf("a fork: %v", err)
	}
	broken := errors.New("broken")
	if err := history.CheckNewer(func(yield func(*history.Entry, error) bool) { yield(nil, broken) }, offered); !errors.Is(err, broken) {
		t.Errorf("an entry that cannot be read: %v", err)
	}
}
