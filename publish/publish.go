// Package publish builds a site in a folder, copies a site to a target, such as a bucket, and reads
// and changes published sites.
//
//	sources ─ Build ▶ site ─ render.Content ▶ files ─ NewPlan ▶ Plan ─ Plan.Run ▶ target.Target
//	target.Target ─ Read ▶ State ─ Add, Change, Rollback, Prune, Pull, Verify
//
// A published site has the same tree as a site on disk, one object for each file. A target has the
// objects that the catalogue of its current generation lists. So a publisher reads the catalogue
// instead of listing the target, of which it lists only the chunks, and sends only what has
// changed: content first, then pages and static responses, then the chunks of the catalogue and the
// index that the target lacks, then the files of the generation, which list them. At the end it
// replaces index/CURRENT, on the condition that nobody else has replaced it. So readers never see
// half of a generation, and if two publishers run at the same time, the slower one reads the target
// again, merges and repeats its change. [Plan] describes the steps, and what a crash after each of
// them means.
//
// Package [galbuild/publish/target] defines what a target is; the packages below it implement
// S3, OSS, Artifactory, Dropbox, a directory and, for reading only, a website. Package
// [galbuild/publish/bundle] writes sites to tarballs for air-gapped transfer, and package
// [galbuild/publish/dbem] writes the layout of another tool.
package publish
