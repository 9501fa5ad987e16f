// Package cmd holds the commands, galbuild and galshim, and the tests that run
// both as their users do: scripts in testdata/script, and the rule of who may
// import whom.
package cmd
