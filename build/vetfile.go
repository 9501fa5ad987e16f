package build

import (
	"cmp"
	"io"
	"os"
	"sync"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/policy"
	"galbuild/build/records"
	"galbuild/build/vet"
	"galbuild/build/vsix"
)

// withoutVet is what follows from findings where a policy does not say it.
const withoutVet = `{"vet": {"high": "warn", "medium": "warn"}}`

// A FileVetter vets packages in files before they are in a gallery. Several goroutines may use it
// at once.
type FileVetter struct {
	// Names are the ids with which those of extensions that are new are compared; nil: with
	// none.
	Names *vet.Names

	policy  *policy.Policy
	limits  vsix.Limits
	options vet.Options
	mutex   sync.Mutex
	scanned map[string]func() (*scannedFile, error) // by path
}

// A FileToVet is the file of a package.
type FileToVet struct {
	Path string
	// Beside is the path of the package next to which its records are; "" is Path.
	Beside string
	// Older are paths of packages of the extension for the platform, the newest one first. The
	// package is compared with the first of them that the policy does not keep out.
	Older []string
	IsNew bool          // nothing of the extension was let in before, so that its name is compared
	More  []vet.Finding // of other checks
}

// A scannedFile is the file of a package that was read.
type scannedFile struct {
	candidate   policy.Candidate
	profile     vet.Profile
	id          string
	displayName string
	out         bool // the policy keeps it out
}

// NewFileVetter returns a vetter under a policy, which may be nil. If the policy says nothing about
// findings, they are warnings.
func NewFileVetter(p *policy.Policy, limits vsix.Limits, o vet.Options) (*FileVetter, error) {
	v := &FileVetter{policy: p, limits: limits, options: o, scanned: make(map[string]func() (*scannedFile, error))}
	if p != nil && p.Vets() {
		return v, nil
	}
	var err error
	v.policy, err = policy.Parse(policyName, []byte(withoutVet))
	return v, err
}

// Vet vets a package. It returns why the policy keeps it out, or nil, and the findings from which
// anything follows. Approvals in the file of records next to the package count. An error is about
// the package or its records. Of an extension, older packages must be vetted before newer ones.
func (v *FileVetter) Vet(f FileToVet) (*policy.Exclusion, []catalog.Finding, error) {
	scanned, err := v.scan(f.Path)
	if err != nil {
		return nil, nil, err
	}
	c := scanned.candidate
	if c.Approvals, err = approvalsOf(f.Path, cmp.Or(f.Beside, f.Path), v.policy); err != nil {
		return nil, nil, err
	}
	more := append([]vet.Finding{}, f.More...)
	if before := v.before(f.Older); before != nil {
		more = append(more, vet.Compare(&before.profile, &scanned.profile)...)
	}
	if f.IsNew && v.Names != nil {
		more = append(more, v.Names.LookAlikes(scanned.id, scanned.displayName)...)
	}
	c.Findings = append(c.Findings[:len(c.Findings):len(c.Findings)], newFindings(more)...)
	_, found := v.policy.Vet(&c)
	excluded := v.policy.VetExclusion(&c)
	scanned.out = excluded != nil
	return excluded, found, nil
}

// before returns the first of the older packages that the policy does not keep out because of what
// is in it, so that a package does not become harmless because the one before it has the same. One
// that cannot be read any more is left out.
func (v *FileVetter) before(older []string) *scannedFile {
	for _, path := range older {
		scanned, err := v.scan(path)
		if err != nil {
			continue
		}
		c := scanned.candidate
		c.Approvals, _ = approvalsOf(path, path, v.policy) // none if they cannot be read
		if !scanned.out && v.policy.VetExclusion(&c) == nil {
			return scanned
		}
	}
	return nil
}

// scan reads a package, once.
func (v *FileVetter) scan(path string) (*scannedFile, error) {
	v.mutex.Lock()
	read, ok := v.scanned[path]
	if !ok {
		read = sync.OnceValues(func() (*scannedFile, error) { return scanFile(path, v.limits, v.options) })
		v.scanned[path] = read
	}
	v.mutex.Unlock()
	return read()
}

func scanFile(path string, limits vsix.Limits, o vet.Options) (_ *scannedFile, err error) {
	defer vsix.RecoverPanic(&err)
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	p, err := vsix.Open(file, info.Size(), limits)
	if err != nil {
		return nil, err
	}
	s := vet.NewScanner(p, o)
	if err := p.Walk(func(e vsix.Entry, content io.Reader) error {
		_, err := s.Read(e, content)
		return err
	}); err != nil {
		return nil, err
	}
	result := s.Result()
	c := policy.Candidate{Key: catalog.Key(p.Publisher, p.Name, p.Version, p.Platform), Findings: newFindings(result.Findings)}
	return &scannedFile{candidate: c, profile: result.Profile, id: p.Publisher + "." + p.Name, displayName: p.DisplayName}, nil
}

// approvalsOf returns the names of the keys of a policy that have approved the package in a file,
// whose records are next to beside.
func approvalsOf(path, beside string, p *policy.Policy) ([]string, error) {
	if len(p.Keys) == 0 {
		return nil, nil
	}
	ref, _, err := blob.SumFile(path)
	if err != nil {
		return nil, err
	}
	all, err := records.ReadFile(beside, ref)
	return decision.NewAttestations(all, p.Keys).Approvals(ref), err
}
