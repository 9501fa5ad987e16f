package release

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// CommitTime returns when the last commit was made that changed something in the folder,
// as git says, whether or not there are changes since. The error is that there is no git, no
// repository around the folder, or nothing of the folder in it.
func (f *Folder) CommitTime(ctx context.Context) (time.Time, error) {
	// What a repository's configuration says to run is not run, and nothing is downloaded.
	cmd := exec.CommandContext(ctx, "git", "--no-pager", "-c", "core.fsmonitor=false",
		"log", "-1", "--no-show-signature", "--no-follow", "--format=%ct", "--", ".")
	cmd.Dir, cmd.Env = f.Path, append(os.Environ(), "GIT_NO_LAZY_FETCH=1", "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C")
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(complaints.String()), "\n")
		return time.Time{}, fmt.Errorf("git log: %w: %s", err, first)
	}
	text := strings.TrimSpace(string(out))
	if text == "" {
		return time.Time{}, fmt.Errorf("git log: no commit has anything in %s", f.Path)
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("git log: want seconds since 1970, got %q", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}
