package render

import (
	"context"
	"errors"
	"fmt"

	"galbuild/build/catalog"
	"galbuild/build/site"
)

// ErrSwitched is wrapped by the errors of commands that have failed after the new generation became
// current.
var ErrSwitched = errors.New("the new generation is current")

// Commit makes next the current generation of a site, removes the files that are not needed any
// more, and clears the mark of [site.Dir.MarkDirty]. Every command that changes the site in a
// folder ends with it. The catalogue of next is c, and previous was current when the command began.
//
// A command changes a site in these steps:
//
//  1. It marks the site dirty.
//  2. It writes the content, its paths, pages and static responses, and the two files of next.
//  3. Commit waits until all of that is on the disk, and replaces index/CURRENT.
//  4. Commit removes the files that neither next nor previous needs.
//  5. Commit clears the mark.
//
// If the process is killed or the power fails before step 3 is complete, previous is current. After
// step 3, next is current. Both have all their content: content is never changed, and Commit
// removes only what neither of them needs. Pages and static responses may be those of next while
// previous is still current. They refer only to content that the site has.
//
// In all these cases the mark is still there, and the next command that locks the site finds it
// [site.Dir.Dirty]. That command writes pages and static responses even if the catalogue has not
// changed, and removes all files that no generation lists. Nothing but Commit clears the mark, so
// the mark also stays after a command that failed.
//
// If an error wraps ErrSwitched, next is current, and the next command removes the files.
func Commit(ctx context.Context, dir *site.Dir, next, previous site.Current, c *catalog.Catalog) error {
	if err := dir.Switch(ctx, next); err != nil {
		return err
	}
	err := prune(dir, next, previous, c)
	if err == nil {
		err = dir.ClearDirty()
	}
	if err != nil {
		return fmt.Errorf("%w, but removing old files failed: %w", ErrSwitched, err)
	}
	return nil
}
