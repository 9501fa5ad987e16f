//go:build !linux

package cmd_test

import "testing"

func usageOf(testing.TB, int) usage { return usage{} }
