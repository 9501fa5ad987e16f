// Package collect chooses the packages of a collection, and downloads them to a folder.
//
//	arguments ─ Parse ▶ Requests ─ MakePlan, with upstreams, policy and lock ▶ Plan ─ Fetch ▶ folder and lock
//	galbuild.lock ─ Fetch ▶ the same folder
//
// A plan is complete: it has the dependencies of every package, with versions that fit, and for
// what cannot be had the chain of extensions that wants it. Nothing is downloaded before the plan
// is made. Package lock has the format of the lock, package upstream what is asked of an upstream.
package collect
