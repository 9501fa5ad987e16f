package vet

// facts are what the files of a package say, for rules that need several files.
type facts struct{}

// findings collects findings.
type findings struct{ all []Finding }
