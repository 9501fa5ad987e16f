package history

import (
	"fmt"
	"iter"
	"time"
)

// An OlderError is returned by CheckNewer.
type OlderError struct {
	Offered Sender // content that is to be copied
	Copied  Sender // content that was copied before, of which the offered is not newer
}

// Error implements error.
func (e *OlderError) Error() string {
	switch {
	case e.Offered.Number == e.Copied.Number && e.Offered.Root == e.Copied.Root:
		return fmt.Sprintf("it has %s, which was copied before, and copying it again would change what is there now", e.Offered.name())
	case e.Offered.Number == e.Copied.Number:
		return fmt.Sprintf("it has %s, and %s was copied before: the history that both come from has been forked", e.Offered.name(), e.Copied.name())
	}
	return fmt.Sprintf("it has %s, which is not newer than %s, which was copied from there before", e.Offered.name(), e.Copied.name())
}

// name returns the generation of a sender with its number and date.
func (s *Sender) name() string {
	return fmt.Sprintf("generation %s (number %d, %s)", s.Generation, s.Number, s.When.UTC().Format(time.RFC3339))
}

// CheckNewer returns an [*OlderError] if an entry of a history has content of the same history as
// the sender's, with the same number or a higher one. Numbers of different histories cannot be
// compared.
func CheckNewer(entries iter.Seq2[*Entry, error], offered *Sender) error {
	var copied *Sender // with the highest number
	for e, err := range entries {
		if err != nil {
			return err
		}
		if s := e.Sender; s != nil && s.History == offered.History && s.Number >= offered.Number && (copied == nil || s.Number > copied.Number) {
			copied = s
		}
	}
	if copied != nil {
		return &OlderError{Offered: *offered, Copied: *copied}
	}
	return nil
}
