package dropbox

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"galbuild/publish/target"
)

// page is how many entries a list has at a time, at most what the API gives.
const page = 2000

// List implements [target.Target].
func (t *Target) List(ctx context.Context, prefix string) iter.Seq2[target.Entry, error] {
	return func(yield func(target.Entry, error) bool) {
		for e, err := range t.files(ctx, prefix[:strings.LastIndex(prefix, "/")+1]) {
			if err != nil {
				yield(target.Entry{}, t.failed("list", prefix, err))
				return
			}
			if strings.HasPrefix(e.Key, prefix) && !yield(e, nil) {
				return
			}
		}
	}
}

type listed struct {
	Entries []metadata `json:"entries"`
	Cursor  string     `json:"cursor"`
	More    bool       `json:"has_more"`
}

// files yields what is below a folder, however it is spelled.
func (t *Target) files(ctx context.Context, dir string) iter.Seq2[target.Entry, error] {
	return func(yield func(target.Entry, error) bool) {
		var l listed
		err := t.rpc(ctx, "files/list_folder", listArg{strings.TrimRight(t.root+"/"+dir, "/"), true, page}, &l)
		if said(err, "path/not_found/") || said(err, "path/not_folder/") {
			return
		}
		for err == nil {
			for _, m := range l.Entries {
				if m.Tag != "file" {
					continue
				}
				e, err := t.entry(m)
				if !yield(e, err) || err != nil {
					return
				}
			}
			if !l.More {
				return
			}
			cursor := l.Cursor
			l = listed{}
			err = t.rpc(ctx, "files/list_folder/continue", continueArg{cursor}, &l)
		}
		yield(target.Entry{}, err)
	}
}

func (t *Target) entry(m metadata) (target.Entry, error) {
	modified, err := time.Parse(time.RFC3339, m.ServerModified)
	if err != nil {
		return target.Entry{}, fmt.Errorf("the time of %q is %q", m.PathDisplay, m.ServerModified)
	}
	return target.Entry{Key: t.key(m.PathDisplay), Size: m.Size, Modified: modified}, nil
}

const (
	batch    = 1000 // how many files are deleted by a request, at most what the API takes
	parallel = 8    // how many are looked at at a time
)

// Delete implements [target.Target]. Each is looked at first, and deleted in the
// revision seen: Dropbox would delete a folder with all it holds.
func (t *Target) Delete(ctx context.Context, keys []string) error {
	there, err := t.look(ctx, keys)
	if err != nil {
		return err
	}
	for files := range slices.Chunk(there, batch) {
		if err := t.deleteBatch(ctx, files); err != nil {
			return t.failed("delete", fmt.Sprintf("%d objects", len(files)), err)
		}
	}
	return nil
}

// look returns which of the keys are files.
func (t *Target) look(ctx context.Context, keys []string) (there []deleteArg, err error) {
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, key := range keys {
		file, err := t.path(key)
		if err != nil {
			continue // it cannot be there
		}
		group.Go(func() error {
			m, err := t.metadata(ctx, file)
			if errors.Is(err, target.ErrNotExist) || err == nil && m.Name != path.Base(key) {
				return nil
			}
			if err != nil {
				return t.failed("delete", key, err)
			}
			mu.Lock()
			defer mu.Unlock()
			there = append(there, deleteArg{file, m.Rev})
			return nil
		})
	}
	return there, group.Wait()
}

// deleted is how a batch stands.
type deleted struct {
	Tag     string `json:".tag"`
	Job     string `json:"async_job_id"`
	Entries []struct {
		Tag     string    `json:".tag"`
		Failure deleteErr `json:"failure"`
	} `json:"entries"`
}

type deleteErr struct {
	Tag    string `json:".tag"`
	Lookup struct {
		Tag string `json:".tag"`
	} `json:"path_lookup"`
	Write struct {
		Tag string `json:".tag"`
	} `json:"path_write"`
}

// Waits between looks at a batch.
const (
	firstLook = 100 * time.Millisecond
	lastLook  = 5 * time.Second
)

// deleteBatch deletes until nothing of it is left to be tried again.
func (t *Target) deleteBatch(ctx context.Context, files []deleteArg) error {
	for wait := firstLook; len(files) > 0; wait = min(2*wait, lastLook) {
		d, err := t.runBatch(ctx, files)
		if err != nil {
			return err
		}
		if len(d.Entries) != len(files) {
			return fmt.Errorf("%d files were answered for, want %d", len(d.Entries), len(files))
		}
		var again []deleteArg
		for i, e := range d.Entries {
			switch why := e.Failure; {
			case e.Tag == "success", why.Lookup.Tag == "not_found":
			case why.Tag == "too_many_write_operations", why.Write.Tag == "too_many_write_operations":
				again = append(again, files[i])
			default:
				return fmt.Errorf("%s: the answer is \"%s/%s%s\"", t.key(files[i].Path), why.Tag, why.Lookup.Tag, why.Write.Tag)
			}
		}
		if len(again) == len(files) && wait == lastLook {
			return errors.New("there are too many writes in this Dropbox, for a while already")
		}
		if files = again; len(files) > 0 {
			if err := t.client.Sleep(ctx, wait); err != nil {
				return err
			}
		}
	}
	return nil
}

// runBatch deletes, and waits until Dropbox is done with it.
func (t *Target) runBatch(ctx context.Context, files []deleteArg) (deleted, error) {
	var d deleted
	err := t.rpc(ctx, "files/delete_batch", deleteBatchArg{files}, &d)
	job := d.Job
	for wait := firstLook; err == nil && d.Tag != "complete"; wait = min(2*wait, lastLook) {
		if d.Tag != "async_job_id" && d.Tag != "in_progress" {
			return d, fmt.Errorf("the answer is %q", d.Tag)
		}
		if err := t.client.Sleep(ctx, wait); err != nil {
			return d, err
		}
		d = deleted{}
		err = t.rpc(ctx, "files/delete_batch/check", jobArg{job}, &d)
	}
	return d, err
}
