package markdown

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"io/fs"
	"strings"
	"sync"

	"github.com/alecthomas/chroma/v2"
)

// lexersZip has the rules of the lexers of chroma for languages, as XML. It is not chroma's own
// package of lexers, because that reads the rules of 290 languages whenever a program starts, and
// galbuild needs them in few of its commands. TestLexers writes the file. Its licence is
// next to it.
//
//go:embed lexers.zip
var lexersZip []byte

// openLexers returns the rules.
func openLexers() (fs.FS, error) {
	return zip.NewReader(bytes.NewReader(lexersZip), int64(len(lexersZip)))
}

// byName returns the lexers by the names of their languages: those of chroma in lower case, and the
// extensions of file names. The expressions of a lexer are compiled when it is first used.
var byName = sync.OnceValue(func() map[string]chroma.Lexer {
	names, registry := map[string]chroma.Lexer{}, chroma.NewLexerRegistry()
	rules, err := openLexers()
	if err != nil {
		panic(err) // the file is part of the program
	}
	for _, language := range languages {
		lexer := registry.Register(patient(chroma.MustNewXMLLexer(rules, language+".xml")))
		config := lexer.Config()
		for _, name := range config.Filenames {
			if extension, ok := strings.CutPrefix(name, "*."); ok && names[extension] == nil {
				names[extension] = lexer
			}
		}
		for _, name := range append(config.Aliases, config.Name) {
			names[strings.ToLower(name)] = lexer
		}
	}
	for name, usual := range otherNames {
		names[name] = names[usual]
	}
	return names
})
