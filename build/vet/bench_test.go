package vet

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"testing"

	"galbuild/build/vsix"
)

// BenchmarkVet compares the time to vet a package with the time to unpack it, which a build needs
// anyway.
func BenchmarkVet(b *testing.B) {
	content := bytes.Repeat([]byte(benchmarkCode), (1<<20)/len(benchmarkCode))
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.DefaultCompression)
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; i < len(content); i += 100 { // so that not everything repeats
		fmt.Fprintf(w, "%x%s", i*i*7919, content[i:min(len(content), i+100)])
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	unpack := func(b *testing.B) []byte {
		text, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed.Bytes())))
		if err != nil {
			b.Fatal(err)
		}
		return text
	}
	text := unpack(b)
	b.Run("of=unpack", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			unpack(b)
		}
	})
	b.Run("of=vet", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			s := newScanner(Options{})
			s.Add(vsix.Entry{Name: "extension/x.js", Size: int64(len(text))}, text)
			s.Result()
		}
	})
}

// BenchmarkLookAlikes compares an id with those of a large gallery.
func BenchmarkLookAlikes(b *testing.B) {
	var ids []string
	for i := range 10_000 {
		ids = append(ids, fmt.Sprintf("publisher%x.extension-%x", i*7919, i*104729))
	}
	names := NewNames(ids, Popular())
	for i := 0; b.Loop(); i++ {
		names.LookAlikes(ids[i%len(ids)], "")
	}
}
