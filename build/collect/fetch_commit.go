package collect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"galbuild/build/atomicfile"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/collect/lock"
	"galbuild/build/jsondoc"
	"galbuild/build/regularfile"
	"galbuild/build/site"
	"galbuild/build/stats"
)

// UpstreamFile is the name of the file with what upstreams state and does not follow from the lock.
const UpstreamFile = "upstream.json"

// commit gives the files of all packages that were fetched their names in the folder, removes what
// an earlier lock has and the new one does not, and replaces the lock at the end. If the process is
// killed meanwhile, the next run finds the packages in the downloads, which are removed last.
func (x *fetch) commit(ctx context.Context, jobs []*job, l *lock.Lock, p *Plan) (*Fetched, error) {
	result := x.result(jobs)
	for _, j := range jobs {
		if j.err != nil {
			continue
		}
		if err := x.place(j); err != nil {
			return nil, err
		}
		l.Entries = append(l.Entries, j.Entry)
	}
	l.Entries = append(l.Entries, x.kept(jobs, l, p)...)
	if err := x.getCompanions(ctx, l, result); err != nil {
		return nil, err
	}
	if err := x.writeUpstream(jobs, l); err != nil {
		return nil, err
	}
	var err error
	if result.Removed, err = x.folder.remove(obsolete(x.old, l)); err != nil {
		return nil, err
	}
	synced, err := x.writeLock(l)
	if err != nil {
		return nil, err
	}
	if err := x.writeStamps(synced); err != nil {
		return nil, err
	}
	result.Lock = l
	return result, x.finish(jobs, p, result)
}

// writeLock replaces the lock if it has changed, after everything else is on the disk. It reports
// whether it has waited for the disk.
func (x *fetch) writeLock(l *lock.Lock) (synced bool, err error) {
	text, err := l.Encode()
	if err != nil {
		return false, err
	}
	if old, err := x.old.Encode(); err == nil && len(x.old.Entries) > 0 && string(old) == string(text) {
		return false, nil
	}
	if err := site.Sync(x.folder.Dir); err != nil {
		return false, err
	}
	return true, atomicfile.WriteText(x.folder.root, lock.FileName, text)
}

// finish stores what was learned for the next run, and removes the downloads, which have their
// names in the folder now. After a failure, parts of downloads stay.
func (x *fetch) finish(jobs []*job, p *Plan, result *Fetched) error {
	if p.State != nil {
		for _, j := range jobs {
			if j.err != nil {
				delete(p.State.Known, strings.ToLower(j.ID)) // look it up again
			}
		}
		if err := x.folder.writeState(p.State); err != nil {
			return err
		}
	}
	if len(result.Failed) > 0 {
		return nil
	}
	return os.RemoveAll(x.folder.downloads())
}

// place gives the files of a package their names in the folder.
func (x *fetch) place(j *job) error {
	if err := x.placeFile(j.path, j.FileName(), j.SHA256); err != nil {
		return err
	}
	if j.sigzip != "" {
		if err := x.placeFile(j.sigzip, j.Name()+".sigzip", j.Signature.SHA256); err != nil {
			return err
		}
	}
	text, err := j.Sidecar()
	if err != nil {
		return err
	}
	return x.folder.writeIfChanged(j.FileName()+".json", text)
}

func (x *fetch) placeFile(path, name string, sum blob.Ref) error {
	if err := x.folder.place(path, name); err != nil {
		return err
	}
	return x.placed(name, sum)
}

// place gives a file in the folder another name, which may be the one that it has.
func (f *Folder) place(path, name string) error {
	from, err := filepath.Rel(f.Dir, path)
	if err != nil || !filepath.IsLocal(from) {
		from, err = f.relative(path)
	}
	if err != nil || filepath.ToSlash(from) == name {
		return err
	}
	return atomicfile.Link(f.root, filepath.ToSlash(from), name)
}

// relative returns a path below the folder, also if the folder was given as a relative path.
func (f *Folder) relative(path string) (string, error) {
	dir, err := filepath.Abs(f.Dir)
	if err != nil {
		return "", err
	}
	from, err := filepath.Rel(dir, path)
	if err == nil && !filepath.IsLocal(from) {
		err = fmt.Errorf("%s is not below %s", path, dir)
	}
	return from, err
}

// kept returns entries of the earlier lock that stay because a package failed or is in quarantine,
// so that a gallery does not lose the extension: what it was to replace, and what that needs.
func (x *fetch) kept(jobs []*job, l *lock.Lock, p *Plan) (all []lock.Entry) {
	ids := map[string]bool{}
	keep := func(e lock.Entry) bool {
		has := func(o lock.Entry) bool { return sameName(o, e) }
		if slices.ContainsFunc(l.Entries, has) || slices.ContainsFunc(all, has) {
			return false
		}
		all = append(all, e)
		ids[strings.ToLower(e.ID)] = true
		return true
	}
	for _, j := range jobs {
		for _, e := range x.old.Entries {
			replaced := strings.EqualFold(e.ID, j.ID) && e.Platform == j.Platform && e.Version == j.Replaces
			if j.err != nil && (sameName(e, j.Entry) || replaced) || j.isQuarantined() && (replaced || isUnwanted(p, e) && follows(j, &e)) {
				keep(e)
			}
		}
	}
	for again := len(ids) > 0; again; {
		again = false
		for _, e := range p.Unwanted {
			if slices.ContainsFunc(e.WantedBy, func(id string) bool { return ids[strings.ToLower(id)] }) {
				again = keep(e) || again
			}
		}
	}
	return all
}

func isUnwanted(p *Plan, e lock.Entry) bool {
	return slices.ContainsFunc(p.Unwanted, func(o lock.Entry) bool { return sameName(o, e) })
}

// obsolete returns the names of the files that belong to an earlier lock and not to the new one.
// Records of approvals and verdicts stay: they are about the bytes of a package, which may return.
func obsolete(old, l *lock.Lock) []string {
	names, current := filesOf(old), filesOf(l)
	maps.DeleteFunc(names, func(name string, _ bool) bool { return current[name] })
	return slices.Sorted(maps.Keys(names))
}

// filesOf returns the names of the files that belong to a lock.
func filesOf(l *lock.Lock) map[string]bool {
	names := map[string]bool{}
	for i := range l.Entries {
		e := &l.Entries[i]
		names[e.FileName()], names[e.FileName()+".json"] = true, true
		if e.Signature != nil {
			names[e.Name()+".sigzip"] = true
		}
		for _, p := range e.Pictures {
			names[p.FileName()] = true
		}
	}
	for _, c := range l.Companions {
		names[companionFile(c)] = true
	}
	return names
}

// upstreamState is what an upstream stated about an extension that changes although its packages do
// not. The statistics have the form that galbuild build --stats reads.
type upstreamState struct {
	*catalog.Statistics
	Downloaded map[string]time.Time `json:"downloaded,omitempty"` // by the name of the file
}

// writeUpstream writes the statistics of all extensions, and when their packages were downloaded.
func (x *fetch) writeUpstream(jobs []*job, l *lock.Lock) error {
	old := x.folder.readUpstream()
	all := map[string]upstreamState{}
	for i := range l.Entries {
		e := &l.Entries[i]
		id, name := strings.ToLower(e.ID), e.FileName()
		s, ok := all[id]
		if !ok {
			s = upstreamState{old[id].Statistics, map[string]time.Time{}}
		}
		if at, ok := old[id].Downloaded[name]; ok {
			s.Downloaded[name] = at
		}
		all[id] = s
	}
	for _, j := range jobs {
		s, ok := all[strings.ToLower(j.ID)]
		if j.err != nil || !ok {
			continue
		}
		if !j.present {
			s.Downloaded[j.FileName()] = x.now
		}
		if j.Extension != nil && j.Extension.Statistics != nil {
			s.Statistics = j.Extension.Statistics
		}
		all[strings.ToLower(j.ID)] = s
	}
	text, err := jsondoc.Indented(all)
	if err != nil {
		return err
	}
	return x.folder.writeIfChanged(UpstreamFile, text)
}

// readUpstream reads what was stated before. What is damaged is left out.
func (f *Folder) readUpstream() map[string]upstreamState {
	all := map[string]upstreamState{}
	text, err := regularfile.ReadFile(filepath.Join(f.Dir, UpstreamFile), maxState)
	if err != nil || json.Unmarshal(text, &all) != nil {
		return map[string]upstreamState{}
	}
	return all
}

// ReadStatistics reads the statistics that upstreams state about the extensions in a folder. They
// are nil if there are none.
func ReadStatistics(dir string) (*stats.Import, error) {
	file := filepath.Join(dir, UpstreamFile)
	text, err := regularfile.ReadFile(file, maxState)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !bytes.Contains(text, []byte(`"install"`)) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return stats.ParseImport(file, text)
}
