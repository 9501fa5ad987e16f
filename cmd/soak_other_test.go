//go:build !linux

package cmd_test

import "testing"

func usageOf(*testing.T, int) usage { return usage{} }
