// Package cmd has the programs galbuild and galshim, and tests of the whole repository: scripts in
// testdata/script that run both programs, the rules for imports and comments, and the transcripts,
// commands and links of documents.
package cmd
