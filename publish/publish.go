// Package publish brings a site to where a company keeps files, and reads it there.
//
//	site ─ render.Tree ▶ entries ─ NewPlan ▶ Plan ─ Run ▶ Target: S3 · Artifactory · OSS · Dropbox · folder
//	Target ─ Read ▶ State ─ add, remove, show, pull, verify
//
// A published site is the same tree as on disk, object by object. What a place has
// is known from the catalogue of its generation, not from lists: publishing costs
// what changed. Content goes first, then pages and answers, then the files of the
// generation, and CURRENT last, in one conditional step: a reader never sees half a
// state, and of two publishers at a time one reads again, merges and goes on.
//
// Sub-packages are the places ([s3], [artifactory], [dropbox], [folder]), what all of
// them must do ([publishtest]), a site at an address, which can only be read ([website]), tarballs that cross a gap ([bundle]), and the layout of
// another tool ([dbem]).
package publish
