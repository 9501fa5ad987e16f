package collect

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"galbuild/build/blob"
	"galbuild/build/collect/lock"
	"galbuild/build/download"
	"galbuild/build/pictures/remote"
	"galbuild/build/regularfile"
	"galbuild/build/upstream"
	"galbuild/build/upstream/gallery"
	"galbuild/build/upstream/openvsx"
	"galbuild/build/vsix"
)

// one fetches a package and what belongs to it.
func (x *fetch) one(ctx context.Context, j *job) error {
	if err := x.getPackage(ctx, j); err != nil {
		return err
	}
	if err := x.inspect(j); err != nil {
		return err
	}
	if err := x.getSignature(ctx, j); err != nil {
		return fmt.Errorf("the signature archive: %w", err)
	}
	if x.locked {
		return x.getLockedPictures(ctx, j)
	}
	if j.Added.IsZero() {
		j.Added = x.now
	}
	return nil
}

// getPackage finds the package in the folder, or downloads it. It sets the hash and the size.
func (x *fetch) getPackage(ctx context.Context, j *job) error {
	if j.path = x.find(&j.Entry); j.path != "" {
		j.present = true
		return nil
	}
	file, err := download.Parse(j.Address, download.Package(x.Limits))
	if err != nil {
		return err
	}
	file.SHA256, file.Size, file.Fixed = j.SHA256, j.Size, true
	if j.Size == 0 {
		file.Size = -1
	}
	path, err := x.packages.Get(ctx, file)
	if err != nil && x.locked && ctx.Err() == nil {
		path, err = x.getElsewhere(ctx, j, file, err)
	}
	if err != nil {
		return err
	}
	j.path = path
	sum, size, err := blob.SumFile(path)
	if err != nil {
		return err
	}
	j.SHA256, j.Size = sum, size
	return nil
}

// find returns the path of a package with the hash of an entry in the folder, or "".
func (x *fetch) find(e *lock.Entry) string {
	if e.SHA256.IsZero() {
		return ""
	}
	names := []string{e.FileName()}
	for i := range x.old.Entries {
		if old := &x.old.Entries[i]; old.SHA256 == e.SHA256 && old.FileName() != names[0] {
			names = append(names, old.FileName())
		}
	}
	for _, name := range names {
		if x.has(name, e.SHA256) {
			return filepath.Join(x.folder.Dir, name)
		}
	}
	return ""
}

// getElsewhere asks the upstreams for a package of the lock that its own address does not have. It
// accepts only the hash of the lock. failed is the error of the package's own address.
func (x *fetch) getElsewhere(ctx context.Context, j *job, file download.File, failed error) (string, error) {
	for _, u := range x.Upstreams {
		e, r := listed(ctx, u, &j.Entry)
		if r == nil || r.Package.URL == j.Address {
			continue
		}
		other, err := download.Parse(r.Package.URL, file.Kind)
		if err != nil {
			continue
		}
		other.SHA256, other.Size = file.SHA256, file.Size
		path, err := x.packages.Get(ctx, other)
		if err == nil {
			j.Extension, j.Release, j.Upstream = e, r, u
			return path, nil
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		failed = fmt.Errorf("%w; from %s: %w", failed, u.Name(), err)
	}
	return "", failed
}

// listed returns the release of an upstream with the id, version and platform of an entry. It is
// nil if the upstream does not list it.
func listed(ctx context.Context, u upstream.Upstream, e *lock.Entry) (*upstream.Extension, *upstream.Release) {
	found, err := u.Extension(ctx, strings.ToLower(e.ID))
	if err != nil {
		return nil, nil
	}
	at := slices.IndexFunc(found.Releases, func(r upstream.Release) bool {
		return r.Version == e.Version && r.Platform == e.Platform
	})
	if at < 0 {
		return nil, nil
	}
	return found, &found.Releases[at]
}

// isUnchanged reports whether the folder has a package, and the earlier lock lists it with its name
// and hash. Only then it was inspected and vetted before.
func (x *fetch) isUnchanged(j *job) bool {
	return j.present && slices.ContainsFunc(x.old.Entries, func(e lock.Entry) bool { return sameName(e, j.Entry) && e.SHA256 == j.SHA256 })
}

// inspect opens a package, and compares it with what was planned, unless the earlier lock has it:
// an upstream may state the hash of another file in the folder.
func (x *fetch) inspect(j *job) error {
	if x.isUnchanged(j) {
		return nil
	}
	file, err := regularfile.Open(j.path)
	if err != nil {
		return err
	}
	defer file.Close()
	p, err := vsix.Open(file, j.Size, x.Limits)
	if err != nil {
		return fmt.Errorf("the package cannot be used: %w", err)
	}
	id := p.Publisher + "." + p.Name
	if !strings.EqualFold(id, j.ID) || p.Version != j.Version || p.Platform != j.Platform {
		return errIdentity(p, &j.Entry)
	}
	if x.locked {
		return nil
	}
	j.ID, j.PreRelease = id, p.PreRelease
	if r := j.Release; r != nil {
		for _, needed := range p.Dependencies {
			if !slices.Contains(r.Dependencies, needed) {
				j.notes = append(j.notes, fmt.Sprintf("it needs %s, which its upstream does not list as a dependency", needed))
			}
		}
	}
	return nil
}

// signatureKind is the kind of signature archives, which are zip archives.
func signatureKind() download.Kind {
	return download.Kind{Name: "signature archive", Suffix: ".sigzip", Limit: "sidecar-bytes", Is: download.IsPackage}
}

// getSignature downloads the signature archive that the upstream or the lock has, and verifies it
// if the upstream states a key.
func (x *fetch) getSignature(ctx context.Context, j *job) error {
	stated := j.statedSignature()
	if stated == nil {
		return nil
	}
	if name := j.Name() + ".sigzip"; j.present && x.has(name, j.Signature.SHA256) {
		j.sigzip = filepath.Join(x.folder.Dir, name)
		return nil
	}
	path, err := x.getOther(ctx, *stated, signatureKind())
	if err != nil && x.locked && j.Release != nil && j.Release.Signature != nil && ctx.Err() == nil {
		other := *stated
		other.URL = j.Release.Signature.URL
		path, err = x.getOther(ctx, other, signatureKind())
	}
	if err != nil {
		return err
	}
	j.sigzip = path
	if x.locked || j.Signature.Verified {
		return nil
	}
	archive, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if gallery.IsEmptySignature(archive) {
		j.sigzip, j.Signature = "", nil
		return nil
	}
	return x.verify(ctx, j, archive)
}

// statedSignature returns where the signature archive is, or nil if there is none.
func (j *job) statedSignature() *upstream.File {
	if s := j.Signature; s != nil {
		f := &upstream.File{URL: s.Address, SHA256: s.SHA256, Size: s.Size}
		if s.SHA256.IsZero() {
			f.Size = -1
		}
		return f
	}
	return nil
}

// getOther downloads a file that is not a package.
func (x *fetch) getOther(ctx context.Context, f upstream.File, kind download.Kind) (string, error) {
	file, err := download.Parse(f.URL, kind)
	if err != nil {
		return "", err
	}
	file.SHA256, file.Size, file.Fixed = f.SHA256, f.Size, true
	return x.others.Get(ctx, file)
}

// verify verifies the signature archive with the public key of the upstream, and adds it to the
// entry.
func (x *fetch) verify(ctx context.Context, j *job, archive []byte) error {
	s := *j.Signature
	s.SHA256, s.Size = blob.Sum(archive), int64(len(archive))
	j.Signature = &s
	if s.Key == "" {
		return nil
	}
	key, err := x.keys.get(s.Key, func() (string, error) {
		return x.getOther(ctx, upstream.File{URL: s.Key, Size: -1}, download.Kind{Name: "public key", Suffix: ".pem", Limit: "sidecar-bytes"})
	})
	if err != nil {
		return fmt.Errorf("its public key: %w", err)
	}
	if err := x.verifyPackage(archive, key, j.path); err != nil {
		return err
	}
	j.Signature.Verified = true
	return nil
}

// verifyPackage verifies one package at a time, because that needs all of it in memory: at most as
// much as the limit of a package.
func (x *fetch) verifyPackage(archive, key []byte, path string) error {
	x.verifying.Lock()
	defer x.verifying.Unlock()
	pkg, err := regularfile.ReadFile(path, x.packages.MaxBytes)
	if err != nil {
		return err
	}
	return openvsx.Verify(archive, key, pkg)
}

// A keyring has the public keys of a run, by address.
type keyring struct {
	mutex sync.Mutex
	all   map[string]func() ([]byte, error)
}

// maxKey is the limit of a public key, in bytes.
const maxKey = 64 << 10

// get returns the key at an address, which is downloaded once.
func (k *keyring) get(address string, download func() (string, error)) ([]byte, error) {
	k.mutex.Lock()
	if k.all == nil {
		k.all = map[string]func() ([]byte, error){}
	}
	read, ok := k.all[address]
	if !ok {
		read = sync.OnceValues(func() ([]byte, error) {
			path, err := download()
			if err != nil {
				return nil, err
			}
			return regularfile.ReadFile(path, maxKey)
		})
		k.all[address] = read
	}
	k.mutex.Unlock()
	return read()
}

// getPictures downloads the pictures that the readme of a package shows and no package has.
func (x *fetch) getPictures(ctx context.Context, j *job) error {
	if !x.Pictures || j.present && x.old.Settings.Pictures {
		return nil
	}
	file, err := regularfile.Open(j.path)
	if err != nil {
		return err
	}
	defer file.Close()
	p, err := vsix.Open(file, j.Size, x.Limits)
	if err != nil {
		return err
	}
	addresses, err := remote.Wanted(p)
	if err != nil {
		return err
	}
	all, left, err := x.pictures.Get(ctx, addresses)
	for _, l := range left {
		j.notes = append(j.notes, fmt.Sprintf("the picture %s is left out: %s", l.Address, l.Reason))
	}
	j.Entry.Pictures = all
	return err
}

// getLockedPictures downloads the pictures of an entry of a lock.
func (x *fetch) getLockedPictures(ctx context.Context, j *job) error {
	for _, p := range j.Entry.Pictures {
		if err := x.pictures.GetLocked(ctx, p); err != nil {
			return errors.Join(err, ctx.Err())
		}
	}
	return nil
}
