package render

import (
	"context"
	"errors"
	"fmt"

	"galbuild/build/blob"
	"galbuild/build/site"
)

// ErrSwitched is wrapped by the errors of commands that have failed after the new generation became
// current.
var ErrSwitched = errors.New("the new generation is current")

// Commit makes next the current generation of a site, with an entry of the history, removes the
// files that are not needed any more, and clears the mark of [site.Dir.MarkDirty]. Every command
// that changes the site in a folder ends with it. The generation old was current when the command
// began.
//
// A command changes a site in these steps:
//
//  1. It marks the site dirty.
//  2. It writes the content, its paths, pages and static responses, and the files of next: first
//     the chunks that the site does not have yet, and then the other files.
//  3. Commit writes an entry of the history and its head.
//  4. Commit waits until all of that is on the disk, and replaces index/CURRENT, which names next
//     and the head.
//  5. Commit removes the files that none of the latest generations needs, see [site.Commit].
//  6. Commit clears the mark.
//
// If the process is killed or the power fails before step 4 is complete, old is current. After
// step 4, next is current. Both have all their content and chunks: these never change, and Commit
// removes only what neither of them needs. Pages and static responses may be those of next while
// old is still current. They refer only to content that the site has.
//
// In all these cases the mark is still there, and the next command that locks the site finds it
// [site.Dir.Dirty]. That command writes pages and static responses even if the catalogue has not
// changed, and removes all files that no generation lists. Nothing but Commit clears the mark, so
// the mark also stays after a command that failed.
//
// If old is next, there is no new entry. If an error wraps ErrSwitched, next is current, and the
// next command removes the files.
func Commit(ctx context.Context, dir *site.Dir, next site.Generation, old site.Previous, by site.Commit) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	head, err := appendEntry(dir, next, old, by)
	if err != nil {
		return err
	}
	if err := dir.Switch(ctx, next.Current, head); err != nil {
		return err
	}
	err = prune(dir, next, old.Current, head, by.Keep)
	if err == nil {
		err = dir.ClearDirty()
	}
	if err != nil {
		return fmt.Errorf("%w, but removing old files failed: %w", ErrSwitched, err)
	}
	return nil
}

// appendEntry writes the entry of the history for next and its head, and returns the head.
func appendEntry(dir *site.Dir, next site.Generation, old site.Previous, by site.Commit) (site.Head, error) {
	if by.Copy != nil {
		text := by.Copy.File()
		h := site.Head{Number: by.Copy.Number, SHA256: blob.Sum(text)}
		return h, dir.WriteFile(h.Path(), text)
	}
	_, last, err := site.ReadCurrentHead(dir.Root)
	if err != nil || next.Current == old.Current {
		return last, err
	}
	if dir.IndexOnly() { // the head is that of another site
		last = site.Head{}
	}
	if old.Packages == nil {
		if c, err := site.ReadCatalog(dir.Root, old.Current); err == nil {
			old.Packages = site.PackagesOf(c)
		}
	}
	made, err := by.Append(site.FilesIn(dir.Root), old, last, next)
	if err != nil {
		return last, fmt.Errorf("%s: %w", dir.Root, err)
	}
	for _, f := range made.Files {
		if err := dir.WriteFile(f.Path, f.Text); err != nil {
			return last, err
		}
	}
	return made.Head, nil
}
