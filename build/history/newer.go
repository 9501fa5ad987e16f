package history

import (
	"fmt"
	"iter"
	"time"
)

// An OlderError is returned by CheckNewer.
type OlderError struct {
	Offered Sender // content that is to be copied
	Had     Sender // content that was copied before, which is not older
}

// Error implements error.
func (e *OlderError) Error() string {
	switch {
	case e.Offered.Number == e.Had.Number && e.Offered.Root == e.Had.Root:
		return fmt.Sprintf("it has %s, which was copied before, and copying it again would change what is there now", e.Offered.name())
	case e.Offered.Number == e.Had.Number:
		return fmt.Sprintf("it has %s, and %s was copied before: the history that both come from has been forked", e.Offered.name(), e.Had.name())
	}
	return fmt.Sprintf("it has %s, which is not newer than %s, which was copied from there before", e.Offered.name(), e.Had.name())
}

// name returns the generation of a sender with its number and date.
func (s *Sender) name() string {
	return fmt.Sprintf("generation %s (number %d, %s)", s.Generation, s.Number, s.When.UTC().Format(time.RFC3339))
}

// CheckNewer returns an [*OlderError] if an entry of a history has content of the same log as the
// sender's, with the same number or a higher one. Numbers of different logs cannot be compared.
func CheckNewer(entries iter.Seq2[*Entry, error], offered *Sender) error {
	var had *Sender // with the highest number
	for e, err := range entries {
		if err != nil {
			return err
		}
		if s := e.Sender; s != nil && s.Log == offered.Log && s.Number >= offered.Number && (had == nil || s.Number > had.Number) {
			had = s
		}
	}
	if had != nil {
		return &OlderError{Offered: *offered, Had: *had}
	}
	return nil
}
