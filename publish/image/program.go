package image

import (
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"runtime/debug"

	"galbuild/build/regularfile"
)

// A Program is galshim or galbuild for one architecture of Linux.
type Program struct {
	File         string
	Name         string           // galshim or galbuild
	Architecture string           // in Go's words, such as amd64
	Build        *debug.BuildInfo // what the go command wrote into it
}

// architectures are those that Linux runs Go programs on, by the machine in the ELF header.
var architectures = map[elf.Machine]string{
	elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64", elf.EM_386: "386", elf.EM_ARM: "arm",
	elf.EM_PPC64: "ppc64le", elf.EM_S390: "s390x", elf.EM_RISCV: "riscv64", elf.EM_LOONGARCH: "loong64",
}

// programPath is the folder of the programs' packages.
const programPath = "galbuild/cmd/"

// ErrLinked is wrapped by the error of [ReadProgram] for a program that needs libraries, which an
// image from scratch does not have.
var ErrLinked = errors.New("is linked dynamically")

// ReadProgram reads the architecture of a program from its ELF header, and checks that it is the
// named one, galshim or galbuild, and linked statically.
func ReadProgram(file, name string) (Program, error) {
	f, err := regularfile.Open(file)
	if err != nil {
		return Program{}, err
	}
	defer f.Close()
	program, err := elf.NewFile(f)
	if err != nil {
		return Program{}, fmt.Errorf("%s: is not a program for Linux: %w", file, err)
	}
	info, err := buildinfo.Read(f)
	switch {
	case err != nil:
		return Program{}, fmt.Errorf("%s: is not %s: %w", file, name, err)
	case info.Path != programPath+name:
		return Program{}, fmt.Errorf("%s: is not %s, but %s", file, name, info.Path)
	}
	p := Program{File: file, Name: name, Architecture: architectures[program.Machine], Build: info}
	if p.Architecture == "" {
		return p, fmt.Errorf("%s: is a program for %s, which images of galshim are not made for", file, program.Machine)
	}
	for _, s := range program.Progs {
		if s.Type == elf.PT_INTERP {
			return p, fmt.Errorf("%s: %w", file, ErrLinked)
		}
	}
	return p, nil
}
