package dropbox

import (
	"context"

	"galbuild/publish/target"
)

// Purge implements [target.Purger]. Dropbox keeps deleted files, and an app of a person cannot
// delete them for good.
//
// Source:
// https://www.dropbox.com/developers/documentation/http/documentation#files-permanently_delete.
func (t *Target) Purge(context.Context, []string) ([]target.Leftover, error) {
	return []target.Leftover{{Reason: "Dropbox keeps deleted files for 30 days or longer, for whoever can see the folder; " +
		"delete them permanently at https://www.dropbox.com/deleted_files"}}, nil
}
