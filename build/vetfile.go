package build

import (
	"io"
	"os"

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

// VetFile vets the package in a file before it is in a gallery. It returns what follows under a
// policy, which may be nil, with the approvals in the file of records next to the package, and the
// findings from which anything follows. If the policy says nothing about findings, they are
// warnings. The package is not compared with others. An error is about the package or its records.
func VetFile(path string, p *policy.Policy, limits vsix.Limits) (action policy.Action, found []catalog.Finding, err error) {
	defer vsix.RecoverPanic(&err)
	vets := p
	if p == nil || !p.Vets() {
		if vets, err = policy.Parse(policyName, []byte(withoutVet)); err != nil {
			return policy.Off, nil, err
		}
	}
	c, err := vetFile(path, limits)
	if err == nil {
		c.Approvals, err = approvalsOf(path, vets)
	}
	if err != nil {
		return policy.Off, nil, err
	}
	action, found = vets.Vet(c)
	return action, found, nil
}

// vetFile returns the version in a file with what was found in its package.
func vetFile(path string, limits vsix.Limits) (*policy.Candidate, error) {
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
	s := scanner{vet.NewScanner(p, vet.Options{})}
	if err := p.Walk(func(e vsix.Entry, content io.Reader) error {
		_, err := s.read(e, content)
		return err
	}); err != nil {
		return nil, err
	}
	key := catalog.Key(p.Publisher, p.Name, p.Version, p.Platform)
	return &policy.Candidate{Key: key, Findings: s.result().Findings}, nil
}

// approvalsOf returns the names of the keys of a policy that have approved the package in a file.
func approvalsOf(path string, p *policy.Policy) ([]string, error) {
	ref, _, err := blob.SumFile(path)
	if err != nil {
		return nil, err
	}
	all, err := records.ReadFile(path, ref)
	return decision.NewVouchers(all, p.Keys).Approvals(ref), err
}
