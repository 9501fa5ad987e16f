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

// page is the number of entries in a page of a list. It is the API's maximum.
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

// listPage is a page of a list.
type listPage struct {
	Entries []metadata `json:"entries"`
	Cursor  string     `json:"cursor"`
	More    bool       `json:"has_more"`
}

// files yields all files below a folder. Dropbox ignores the case of the folder's name.
func (t *Target) files(ctx context.Context, dir string) iter.Seq2[target.Entry, error] {
	return func(yield func(target.Entry, error) bool) {
		var l listPage
		err := t.rpc(ctx, "files/list_folder", listArg{strings.TrimRight(t.root+"/"+dir, "/"), true, page}, &l)
		if isError(err, "path/not_found/") || isError(err, "path/not_folder/") {
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
			l = listPage{}
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
	batch    = 1000 // files deleted by one request; the API's maximum
	parallel = 8    // concurrent requests for metadata
)

// Delete implements [target.Target]. It first requests the metadata of each key, because Dropbox
// would delete a folder with everything in it, and then deletes the revisions it has found.
func (t *Target) Delete(ctx context.Context, keys []string) error {
	existing, err := t.lookup(ctx, keys)
	if err != nil {
		return err
	}
	for files := range slices.Chunk(existing, batch) {
		if err := t.deleteBatch(ctx, files); err != nil {
			return t.failed("delete", fmt.Sprintf("%d objects", len(files)), err)
		}
	}
	return nil
}

// lookup returns the paths and revisions of those keys that are files.
func (t *Target) lookup(ctx context.Context, keys []string) (existing []deleteArg, err error) {
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, key := range keys {
		file, err := t.path(key)
		if err != nil {
			continue // Dropbox cannot store it, so there is no such file
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
			existing = append(existing, deleteArg{file, m.Rev})
			return nil
		})
	}
	return existing, group.Wait()
}

// batchStatus is the state of a batch of deletions.
type batchStatus struct {
	Tag     string `json:".tag"`
	Job     string `json:"async_job_id"`
	Entries []struct {
		Tag     string      `json:".tag"`
		Failure deleteError `json:"failure"`
	} `json:"entries"`
}

// deleteError is the reason why a file was not deleted.
type deleteError struct {
	Tag    string `json:".tag"`
	Lookup struct {
		Tag string `json:".tag"`
	} `json:"path_lookup"`
	Write struct {
		Tag string `json:".tag"`
	} `json:"path_write"`
}

// Pauses between polls of a batch.
const (
	minPoll = 100 * time.Millisecond
	maxPoll = 5 * time.Second
)

// deleteBatch deletes files. It repeats the deletions that failed temporarily.
func (t *Target) deleteBatch(ctx context.Context, files []deleteArg) error {
	for wait := minPoll; len(files) > 0; wait = min(2*wait, maxPoll) {
		d, err := t.runBatch(ctx, files)
		if err != nil {
			return err
		}
		if len(d.Entries) != len(files) {
			return fmt.Errorf("the response has results for %d files, want %d", len(d.Entries), len(files))
		}
		var retry []deleteArg
		for i, e := range d.Entries {
			switch failure := e.Failure; {
			case e.Tag == "success", failure.Lookup.Tag == "not_found":
			case failure.Tag == "too_many_write_operations", failure.Write.Tag == "too_many_write_operations":
				retry = append(retry, files[i])
			default:
				return fmt.Errorf("%s: the response is \"%s/%s%s\"", t.key(files[i].Path), failure.Tag, failure.Lookup.Tag, failure.Write.Tag)
			}
		}
		if len(retry) == len(files) && wait == maxPoll {
			return errors.New("there have been too many writes in this Dropbox for too long")
		}
		if files = retry; len(files) > 0 {
			if err := t.client.Sleep(ctx, wait); err != nil {
				return err
			}
		}
	}
	return nil
}

// runBatch starts a batch and waits until Dropbox has completed it.
func (t *Target) runBatch(ctx context.Context, files []deleteArg) (batchStatus, error) {
	var d batchStatus
	err := t.rpc(ctx, "files/delete_batch", deleteBatchArg{files}, &d)
	job := d.Job
	for wait := minPoll; err == nil && d.Tag != "complete"; wait = min(2*wait, maxPoll) {
		if d.Tag != "async_job_id" && d.Tag != "in_progress" {
			return d, fmt.Errorf("the response is %q", d.Tag)
		}
		if err := t.client.Sleep(ctx, wait); err != nil {
			return d, err
		}
		d = batchStatus{}
		err = t.rpc(ctx, "files/delete_batch/check", jobArg{job}, &d)
	}
	return d, err
}
