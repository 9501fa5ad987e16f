package image

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"debug/elf"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/klauspost/compress/gzip"

	"galbuild/build/blob"
	"galbuild/build/site"
	"galbuild/publish/bundle"
	"galbuild/publish/image/imagetest"
)

// program returns a galshim for a machine.
func program(t *testing.T, machine elf.Machine) Program {
	t.Helper()
	return programOf(t, "galshim", machine)
}

func programOf(t *testing.T, name string, machine elf.Machine) Program {
	t.Helper()
	p, err := ReadProgram(writeProgram(t, imagetest.Program{Machine: machine, Package: programPath + name, Version: "v1.2.0"}), name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func writeProgram(t *testing.T, p imagetest.Program) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "galshim")
	if err := os.WriteFile(file, p.Bytes(), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestReadProgram(t *testing.T) {
	for name, tt := range map[string]struct {
		program imagetest.Program
		want    string // the architecture, or the error without the name of the file
	}{
		"x86-64":          {imagetest.Program{Machine: elf.EM_X86_64, Package: programPath + programFile}, "amd64"},
		"ARM":             {imagetest.Program{Machine: elf.EM_AARCH64, Package: programPath + programFile}, "arm64"},
		"RISC-V":          {imagetest.Program{Machine: elf.EM_RISCV, Package: programPath + programFile}, "riscv64"},
		"another machine": {imagetest.Program{Machine: elf.EM_SPARCV9, Package: programPath + programFile}, "is a program for EM_SPARCV9, which images of galshim are not made for"},
		"another program": {imagetest.Program{Machine: elf.EM_X86_64, Package: "galbuild/cmd/galbuild"}, "is not galshim, but galbuild/cmd/galbuild"},
		"with libraries":  {imagetest.Program{Machine: elf.EM_X86_64, Package: programPath + programFile, Dynamic: true}, "is linked dynamically"},
	} {
		file := writeProgram(t, tt.program)
		p, err := ReadProgram(file, programFile)
		if got := p.Architecture; err != nil && err.Error() != file+": "+tt.want || err == nil && got != tt.want {
			t.Errorf("%s: got %q, %v, want %s", name, got, err, tt.want)
		}
	}
	script := filepath.Join(t.TempDir(), "galshim")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nexec galshim\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadProgram(script, programFile); err == nil || !strings.Contains(err.Error(), "is not a program for Linux") {
		t.Errorf("a script: got %v", err)
	}
}

// switched is when the generation of a made-up site became current.
var switched = time.Unix(1767225600, 0)

// writeSite writes a site: files whose names begin with a slash are links to blobs.
func writeSite(t *testing.T, files map[string]string) (string, *bundle.Public) {
	t.Helper()
	root := t.TempDir()
	all := &bundle.Public{Current: site.MakeCurrent(blob.Sum([]byte("c")), blob.Sum([]byte("i")), blob.Ref{}), When: switched}
	has := make(map[string]bool)
	add := func(f bundle.PublicFile, text string) {
		file := filepath.Join(root, filepath.FromSlash(f.Path))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
		if !has[f.Path] {
			has[f.Path] = true
			f.SHA256, f.Size = blob.Sum([]byte(text)), int64(len(text))
			all.Files = append(all.Files, f)
		}
	}
	for name, text := range files {
		if path, link := strings.CutPrefix(name, "/"); link {
			ref := blob.Sum([]byte(text)).Path()
			add(bundle.PublicFile{Path: ref}, text)
			add(bundle.PublicFile{Path: path, Link: ref}, text)
		} else {
			add(bundle.PublicFile{Path: name}, text)
		}
	}
	slices.SortFunc(all.Files, func(a, b bundle.PublicFile) int { return strings.Compare(a.Path, b.Path) })
	return root, all
}

// sample is a small site. Extensions one and two have the same licence.
var sample = map[string]string{
	"/assets/acme/one/1.0.0/package":          "package of one",
	"/assets/acme/one/1.0.0/license":          "licence",
	"/files/acme/one/1.0.0/extension/LICENSE": "licence",
	"/assets/acme/two/1.0.0/license":          "licence",
	"/index.html":                             "a page",
	"api/vscode/acme/one/latest":              "{}",
	"index/CURRENT":                           "current",
	"index/chunks/ab/abcd.idx":                "chunk",
}

// unpack extracts the tarball, and returns the index of images in it.
func unpack(t *testing.T, file string) (string, v1.ImageIndex) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dir := t.TempDir()
	for name, text := range entries(t, f, nil) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	all, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	m, err := all.IndexManifest()
	if err != nil || len(m.Manifests) != 1 {
		t.Fatalf("index.json: %+v, %v", m, err)
	}
	index, err := all.ImageIndex(m.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return dir, index
}

// entries returns the files of a tarball by name, and appends their headers to list. A hard link
// has the content of its file, which precedes it.
func entries(t *testing.T, r io.Reader, list *[]*tar.Header) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for in := tar.NewReader(r); ; {
		h, err := in.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if list != nil {
			*list = append(*list, h)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		switch h.Typeflag {
		case tar.TypeReg:
			all[h.Name] = string(text)
		case tar.TypeLink:
			content, ok := all[h.Linkname]
			if !ok {
				t.Errorf("%s is a link to %s, which is not in the same layer", h.Name, h.Linkname)
			}
			all[h.Name] = content
		}
	}
}

// flatten returns the files of an image and their headers.
func flatten(t *testing.T, image v1.Image) (map[string]string, []*tar.Header) {
	t.Helper()
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	var headers []*tar.Header
	for _, l := range layers {
		content, err := l.Compressed()
		if err != nil {
			t.Fatal(err)
		}
		plain, err := gzip.NewReader(content)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(all, entries(t, plain, &headers))
		content.Close()
	}
	return all, headers
}

func imageOf(t *testing.T, index v1.ImageIndex, architecture string) v1.Image {
	t.Helper()
	m, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range m.Manifests {
		if d.Platform.OS == "linux" && d.Platform.Architecture == architecture {
			image, err := index.Image(d.Digest)
			if err != nil {
				t.Fatal(err)
			}
			return image
		}
	}
	t.Fatalf("no image for %s in %+v", architecture, m.Manifests)
	return nil
}

func TestWrite(t *testing.T) {
	root, public := writeSite(t, sample)
	arm, amd := program(t, elf.EM_AARCH64), program(t, elf.EM_X86_64)
	out := filepath.Join(t.TempDir(), "oci.tar")
	cfg := Config{Programs: []Program{amd, arm}, Version: "v1.2.0", Site: root, Output: out, CA: writeCA(t)}
	report, err := write(t.Context(), cfg, public)
	if err != nil {
		t.Fatal(err)
	}
	dir, index := unpack(t, out)
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	if digest, err := index.Digest(); err != nil || digest.String() != report.Digest || report.Generation != public.Current.Generation || report.Layers != 7 {
		t.Errorf("%+v: the digest is %s, %v", report, digest, err)
	}
	for _, p := range cfg.Programs {
		image := imageOf(t, index, p.Architecture)
		checkConfig(t, image, public.Current.Generation)
		checkFiles(t, image, p)
	}
	docker, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil || !strings.Contains(string(docker), `"RepoTags":["gallery:`+report.Generation+`-arm64"]`) {
		t.Errorf("manifest.json: %s, %v", docker, err)
	}
	left, err := os.ReadDir(filepath.Dir(out))
	if err != nil || len(left) != 1 {
		t.Errorf("next to the image: %v, %v", left, err)
	}
}

func checkConfig(t *testing.T, image v1.Image, generation string) {
	t.Helper()
	c, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	m, err := image.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	if c.Config.User != "65532:65532" || !slices.Equal(c.Config.Entrypoint, []string{"/galshim"}) || c.Created.Unix() != 0 ||
		c.Config.Labels["org.opencontainers.image.version"] != "v1.2.0" || m.Annotations["galbuild.generation"] != generation {
		t.Errorf("%+v, annotations %v", c, m.Annotations)
	}
}

// checkFiles checks the files of an image, and that nobody can write to them.
func checkFiles(t *testing.T, image v1.Image, p Program) {
	t.Helper()
	files, headers := flatten(t, image)
	want := make(map[string]string)
	for name, text := range sample {
		path, link := strings.CutPrefix(name, "/")
		want["site/"+path] = text
		if link {
			want["site/"+blob.Sum([]byte(text)).Path()] = text
		}
	}
	galshim, err := os.ReadFile(p.File)
	if err != nil {
		t.Fatal(err)
	}
	want["galshim"], want[caFile], want["site/"+site.PublicOnlyPath] = string(galshim), files[caFile], ""
	if !maps.Equal(files, want) {
		t.Errorf("the files are %q, want %q", slices.Sorted(maps.Keys(files)), slices.Sorted(maps.Keys(want)))
	}
	if ca := files[caFile]; strings.Count(ca, "BEGIN CERTIFICATE") != 1 || strings.Contains(ca, "PRIVATE") {
		t.Errorf("certificates: %s", ca)
	}
	for _, h := range headers {
		changes := h.Name == "site/index.html" || h.Name == "site/index/CURRENT"
		if h.Mode&0o222 != 0 && h.Name != "cache/" || h.Uid != 0 && h.Name != "cache/" || h.ModTime.Unix() != 0 && !changes && !strings.HasPrefix(h.Name, "site/") {
			t.Errorf("%s: mode %o, owner %d, time %s", h.Name, h.Mode, h.Uid, h.ModTime)
		}
		if changes && !h.ModTime.Equal(switched) {
			t.Errorf("%s: time %s: nginx would give all its versions of one size the same entity tag", h.Name, h.ModTime)
		}
		if h.Name == "galshim" && h.Mode != 0o555 || h.Name == "cache/" && (h.Uid != user || h.Mode != 0o755) {
			t.Errorf("%s: mode %o, owner %d", h.Name, h.Mode, h.Uid)
		}
	}
}

// writeCA writes a certificate with its private key.
func writeCA(t *testing.T) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true}
	certificate, err := x509.CreateCertificate(nil, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := slices.Concat([]byte("# our authority\n"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestReproducible(t *testing.T) {
	root, public := writeSite(t, sample)
	var first []byte
	for range 2 {
		cfg := Config{Programs: []Program{program(t, elf.EM_X86_64)}, Version: "v1.2.0", Site: root, Output: filepath.Join(t.TempDir(), "oci.tar")}
		if _, err := write(t.Context(), cfg, public); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(cfg.Output)
		if err != nil {
			t.Fatal(err)
		}
		if first != nil && !bytes.Equal(text, first) {
			t.Error("the second image of the same site differs")
		}
		first = text
		now := time.Now()
		for _, f := range public.Files { // the times of the site's files do not matter
			if err := os.Chtimes(filepath.Join(root, f.Path), now, now); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestUpdate adds an extension to a site with many, and one chunk. Nearly all layers stay.
func TestUpdate(t *testing.T) {
	public := &bundle.Public{When: switched}
	add := func(path string, size int64) {
		public.Files = append(public.Files, bundle.PublicFile{Path: path, Size: size})
	}
	for i := range 500 {
		add(fmt.Sprintf("blobs/sha256/%d", i), 1<<20)
		add(fmt.Sprintf("assets/acme/x%d/1.0.0/package", i), 1<<20)
		add(fmt.Sprintf("index/chunks/ab/%d.idx", i), 100<<10)
	}
	before := groups(public)
	add("blobs/sha256/new", 1<<20)
	add("assets/acme/new/1.0.0/package", 1<<20)
	add("files/acme/new/1.0.0/extension/x.js", 1<<20)
	add("index/chunks/ab/new.idx", 100<<10)
	add("index.html", 1)
	after := groups(public)
	var changed []string
	for i := range after {
		if len(before) != len(after) || len(before[i].files) != len(after[i].files) {
			changed = append(changed, after[i].what)
		}
	}
	if len(after) != 64+8+1 || len(changed) != 3 {
		t.Errorf("of %d layers, these change: %q", len(after), changed)
	}
	for _, g := range after[:72] {
		if len(g.files) == 0 || len(g.files) > 120 {
			t.Errorf("%s has %d files", g.what, len(g.files))
		}
	}
}

func TestRefuses(t *testing.T) {
	root, public := writeSite(t, sample)
	damaged := filepath.Join(root, "assets/acme/one/1.0.0/package")
	if err := os.WriteFile(damaged, []byte("PACKAGE OF ONE"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		ctx  context.Context
		cfg  Config
		site *bundle.Public
		want string
	}{
		"damaged":        {t.Context(), Config{Site: root}, public, damaged + ": SHA-256 is"},
		"interrupted":    {ended, Config{Site: root}, public, "context canceled"},
		"no certificate": {t.Context(), Config{CA: empty}, nil, empty + ": has no certificate (PEM)"},
		"name":           {t.Context(), Config{Name: "Not A Name"}, nil, `name "Not A Name": must be NAME or NAME:TAG`},
	} {
		dir := t.TempDir()
		tt.cfg.Version, tt.cfg.Programs, tt.cfg.Output = "v1.2.0", []Program{program(t, elf.EM_X86_64)}, filepath.Join(dir, "oci.tar")
		if _, err := write(tt.ctx, tt.cfg, tt.site); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", name, err, tt.want)
		}
		if left, err := fs.Glob(os.DirFS(dir), "*"); err != nil || len(left) > 0 {
			t.Errorf("%s: %q is left, %v", name, left, err)
		}
	}
}

func TestTag(t *testing.T) {
	for version, want := range map[string]string{"v1.2.0": "v1.2.0", "v1.2.1-0.2026+dirty": "v1.2.1-0.2026_dirty", strings.Repeat("x", 200): strings.Repeat("x", 128)} {
		tag, err := (&Config{Version: version}).tag(nil)
		if err != nil || tag.String() != "galshim:"+want {
			t.Errorf("%s: got %v, %v", version, tag, err)
		}
	}
	tag, err := (&Config{Name: "registry.example:5000/tools/gallery:7"}).tag(nil)
	if err != nil || fullName(tag) != "registry.example:5000/tools/gallery:7" {
		t.Errorf("got %q, %v", fullName(tag), err)
	}
}
