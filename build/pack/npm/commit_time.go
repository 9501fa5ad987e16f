package npm

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CommitTime returns the time of the last commit that changed a file in the folder, from git
// log. It ignores uncommitted changes. It returns an error if git is not installed, if the
// folder is not in a repository, or if no commit has a file of the folder.
func (f *Folder) CommitTime(ctx context.Context) (time.Time, error) {
	// These settings keep git from running programs that the repository configures, and from
	// downloading objects.
	cmd := exec.CommandContext(ctx, "git", "--no-pager", "-c", "core.fsmonitor=false",
		"log", "-1", "--no-show-signature", "--no-follow", "--format=%ct", "--", ".")
	cmd.Dir, cmd.Env = f.Path, append(outsideHooks(), "GIT_NO_LAZY_FETCH=1", "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n")
		return time.Time{}, fmt.Errorf("git log: %w: %s", err, first)
	}
	text := strings.TrimSpace(string(out))
	if text == "" {
		return time.Time{}, fmt.Errorf("git log: no commit contains a file of %s", f.Path)
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("git log: want seconds since 1970, got %q", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// outsideHooks returns the environment without what git sets for hooks: its paths are relative
// to where the hook runs, and may be of another repository than the folder's.
func outsideHooks() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX"}, name)
	})
}
