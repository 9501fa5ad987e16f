package vsix

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"text/tabwriter"
)

var update = flag.Bool("update", false, "rewrite the table of limits in SECURITY.md")

// TestLimitTable compares the table with the struct, and SECURITY.md with the table.
func TestLimitTable(t *testing.T) {
	all := Limits{}.WithDefaults()
	if v := reflect.ValueOf(all); v.NumField() != len(LimitTable()) {
		t.Errorf("%d fields, %d rows", v.NumField(), len(LimitTable()))
	} else {
		for i := range v.NumField() {
			if v.Field(i).Int() == 0 {
				t.Errorf("%s is in no row", v.Type().Field(i).Name)
			}
		}
	}
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "limit\tdefault\texcess is\twhat is limited\n")
	for _, row := range LimitTable() {
		if row.Default < 1 || row.Default > row.Most {
			t.Errorf("%s: default %d, most %d", row.Name, row.Default, row.Most)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", row.Name, row.Format(row.Default), row.Excess, row.What)
	}
	table.Flush()
	checkSecurity(t, text.String())
}

func checkSecurity(t *testing.T, table string) {
	t.Helper()
	const name, fence = "../../SECURITY.md", "```\n"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), fence)
	got, after, ok := strings.Cut(rest, fence)
	switch {
	case !ok:
		t.Fatalf("%s has no table", name)
	case got == table:
	case !*update:
		t.Errorf("%s has\n%s\nwant\n%s", name, got, table)
	default:
		if err := os.WriteFile(name, []byte(before+fence+table+fence+after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSetLimit(t *testing.T) {
	var l Limits
	for in, want := range map[string]string{
		"entries=5": "", "package-bytes=4MiB": "", "ratio = 300": "", "description=9999": "",
		"entries": "want NAME=VALUE", "entries=0": "want a number from 1 to 10,000,000", "entries=-1": "want a number",
		"package-bytes=4x": "want a size", "entries=4MiB": "want a number", "entries=x": "want a number", "package-bytes=99999999PB": "want a size from 1 to 1 TiB, such as 500000, 10MB or 4GiB",
		"id-bytes=101": "want a size from 1 to 100 bytes", "Entries=5": `unknown limit "Entries"; the limits are package-bytes, entries,`,
	} {
		err := l.Set(in)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want %q", in, err, want)
		}
	}
	if want := (Limits{Entries: 5, PackageBytes: 4 << 20, Ratio: 300, Description: 9999}); l != want {
		t.Errorf("%+v, want %+v", l, want)
	}
}
