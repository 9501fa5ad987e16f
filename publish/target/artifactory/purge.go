package artifactory

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"golang.org/x/sync/errgroup"

	"galbuild/publish/target"
	"galbuild/publish/target/internal/rest"
)

// trashAPI deletes an item of the trash.
// Source: "Delete Item From Trash Can" in https://jfrog.com/help/r/jfrog-rest-apis.
const trashAPI = "/api/trash/clean"

// Purge implements [target.Purger]. It deletes the files from the trash of the server, for which it
// needs the rights of an administrator.
func (t *Target) Purge(ctx context.Context, keys []string) (left []target.Leftover, err error) {
	var mutex sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, key := range keys {
		group.Go(func() error {
			err := t.Do(ctx, t.Request(http.MethodDelete, trashAPI, key), rest.Discard)
			status, refused := errors.AsType[*rest.StatusError](err)
			switch {
			case err == nil, rest.IsStatus(err, http.StatusNotFound): // it is not in the trash
				return nil
			case !refused:
				return t.Failed("delete from the trash", key, err)
			}
			mutex.Lock()
			defer mutex.Unlock()
			left = append(left, target.Leftover{Key: key, Reason: fmt.Sprintf("may be in the trash of the server, which refuses to delete it (%d %s): "+
				"an administrator can empty the trash", status.Status, http.StatusText(status.Status))})
			return nil
		})
	}
	return left, group.Wait()
}
