// Package collect chooses the packages of a collection, and downloads them to a folder.
//
//	arguments ─ Parse ▶ Requests ─ MakePlan, with upstreams, policy, lock ▶ Plan
//	Plan ─ Fetch ▶ folder and lock
//	galbuild.lock ─ Fetch ▶ the same folder
//
// A plan is complete: it has the dependencies of every package, with versions that fit, and for
// what cannot be had the chain of extensions that wants it. Nothing is downloaded before the plan
// is complete. Package lock has the format of the lock, package upstream the contract of an
// upstream.
//
// # Which versions are chosen
//
// For each platform, and for each version of VS Code that is to run the packages, the newest
// version is chosen that the editor can run and the policy permits, as editors choose it: a
// release, or with @pre-release whatever is newer. Of a version, the package for the platform takes
// precedence over the universal one. A version that was requested by its number is chosen although
// no editor can run it, with a warning.
//
// The first upstream that has such a version is used for all platforms. If an upstream cannot be
// queried, the next ones are not used: there, the name may belong to somebody else.
//
// Dependencies are wanted for the platforms for which the package that needs them was chosen, and
// members of packs too, if they are to be collected. Extensions that are part of the editor are
// not.
//
// What an earlier lock has is not downloaded again, and not looked up again if the feed of the
// upstream says that nothing has changed. A package that no upstream offers any more stays, unless
// there is a newer one, and unless the policy excludes it now. The same requests, upstreams,
// settings and lock give the same plan.
package collect
