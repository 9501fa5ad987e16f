package doctor

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/tidwall/gjson"
)

func checkAssets(_ context.Context, x *examination) outcome {
	if x.asset == nil {
		return skip("the gallery has no extensions")
	}
	r, v := x.asset, x.sample.versions()[0]
	lines := mend("nginx: location "+splitPath(x.at.base())+"/assets/ { try_files $uri @galshim; }", "galshim: without --no-files, if no web server serves the files")
	if r.relative {
		return fail(mend("gallery: send absolute addresses in Location, or do not redirect"), "the manifest is redirected to a relative address, which editors do not follow")
	}
	if r.err != nil || r.status != http.StatusOK || r.isHTML() {
		return fail(lines, "%s %s", r.url, r.problem())
	}
	document, valid := r.document()
	if !valid {
		return fail(lines, "the manifest of %s is not JSON: it begins with %q", x.sample.id(), start(r))
	}
	id := document.Get("publisher").String() + "." + document.Get("name").String()
	if !strings.EqualFold(id, x.sample.id()) || document.Get("version").String() != v.number() {
		return fail(mend("gallery: serve the package.json of the version"), "the manifest of %s %s is that of %s %s, which editors refuse", x.sample.id(), v.number(), id, document.Get("version").String())
	}
	return ok("%s %s", x.sample.id(), v.number())
}

// assetTypes are the media types that browsers take for an asset.
var assetTypes = map[string]*regexp.Regexp{
	assetManifest:  regexp.MustCompile(`^(application|text)/(.+\+)?json$|^text/plain$`),
	assetIcon:      regexp.MustCompile(`^image/`),
	assetDetails:   regexp.MustCompile(`^text/(markdown|x-markdown|plain)$|^application/octet-stream$`),
	assetChangelog: regexp.MustCompile(`^text/(markdown|x-markdown|plain)$|^application/octet-stream$`),
}

func checkMediaTypes(ctx context.Context, x *examination) outcome {
	var seen []string
	for _, kind := range []string{assetManifest, assetIcon, assetDetails, assetChangelog} {
		e, v, found := x.withAsset(kind)
		if !found {
			continue
		}
		r := x.get(ctx, v.asset(kind))
		short := kind[strings.LastIndex(kind, ".")+1:]
		if r.err != nil || r.status != http.StatusOK {
			return fail(mend("gallery: serve all that is in files of a version"), "%s of %s %s", kind, e.id(), r.problem())
		}
		if !assetTypes[kind].MatchString(r.mediaType()) {
			return warnOrFail(r.mayGuess(), typeLines, "%s of %s has the media type %q, with nosniff %q: browsers refuse it",
				kind, e.id(), r.header.Get("Content-Type"), r.header.Get("X-Content-Type-Options"))
		}
		seen = append(seen, short+" "+r.mediaType())
	}
	return ok("%s", strings.Join(seen, ", "))
}

var typeLines = mend("nginx: types { application/json Manifest; text/markdown Details Changelog; image/png Default; } in location /assets/",
	"bucket: galbuild publish sets Content-Type; do not copy a site with other tools")

// withAsset returns a version with an asset: the sample's, or that of another in the list.
func (x *examination) withAsset(kind string) (extension, version, bool) {
	for _, e := range append([]extension{x.sample}, extensionsOf(x.list)...) {
		if v := e.versions()[0]; v.has(kind) {
			return e, v, true
		}
	}
	return extension{}, version{}, false
}

func checkHead(ctx context.Context, x *examination) outcome {
	if x.asset == nil {
		return skip("the gallery has no extensions")
	}
	r := x.client.follow(ctx, request{method: http.MethodHead, url: x.sample.versions()[0].archive()})
	switch {
	case r.err != nil:
		return warn(mend("proxy, firewall: allow HEAD"), "no response to HEAD: %s", r.err)
	case r.status != http.StatusOK:
		return warn(mend("proxy, firewall: allow HEAD"), "status %d for HEAD of a package", r.status)
	case r.header.Get("Content-Length") == "":
		return warn(mend("proxy: pass Content-Length on"), "HEAD of a package has no Content-Length, so downloads show no progress")
	}
	return ok("%s bytes", r.header.Get("Content-Length"))
}

func checkPackage(ctx context.Context, x *examination) outcome {
	if x.asset == nil {
		return skip("the gallery has no extensions")
	}
	v := x.sample.versions()[0]
	x.archive = x.client.follow(ctx, request{method: http.MethodGet, url: v.archive(), large: true})
	return x.judgePackage(x.archive, v)
}

// judgePackage returns the outcome for the package of a version of the sample.
func (x *examination) judgePackage(r *response, v version) outcome {
	cut := mend("nginx: proxy_max_temp_file_size 0; and look into error.log for a full disk", "proxy: raise its limit for the size or the time of downloads")
	switch {
	case r.relative:
		return fail(mend("gallery: send absolute addresses in Location, or do not redirect"), "the package is redirected to a relative address, which editors do not follow")
	case r.cut:
		return fail(cut, "the package ends after %s, before its Content-Length", humanize.Bytes(uint64(len(r.body))))
	case r.err != nil:
		return fail(cut, "the package cannot be downloaded: %s", r.err)
	case r.status != http.StatusOK || r.isHTML():
		return fail(mend("nginx: location /assets/ { try_files $uri @galshim; }"), "%s %s; editors then report a corrupt zip file", r.url, r.problem())
	}
	text, err := r.decoded()
	if err != nil {
		return fail(mend("nginx: no gzip for packages"), "the package cannot be decompressed: %s", err)
	}
	archive, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		return fail(cut, "the package (%s) is not a whole zip file: %s", humanize.Bytes(uint64(len(text))), err)
	}
	manifest, err := readEntry(archive, "extension/package.json")
	if err != nil {
		return fail(mend("gallery: serve the .vsix file as it is"), "the package: extension/package.json: %s", err)
	}
	document := gjson.ParseBytes(bytes.TrimPrefix(manifest, []byte("\ufeff")))
	id := document.Get("publisher").String() + "." + document.Get("name").String()
	if !strings.EqualFold(id, x.sample.id()) || document.Get("version").String() != v.number() {
		return fail(mend("gallery: serve the package of the version"), "the package of %s %s is that of %s %s, which editors refuse", x.sample.id(), v.number(), id, document.Get("version").String())
	}
	return ok("%s %s, %s", x.sample.id(), v.number(), humanize.Bytes(uint64(len(text))))
}

// maxEntry is the size of the largest file that is read from a package.
const maxEntry = 4 << 20

func readEntry(archive *zip.Reader, name string) ([]byte, error) {
	f, err := archive.Open(name)
	if err != nil {
		return nil, errors.New("not in the package")
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxEntry))
}

func checkPackageType(_ context.Context, x *examination) outcome {
	if x.archive == nil {
		return skip("the gallery has no extensions")
	}
	lines := mend("nginx: default_type application/vsix; in location /assets/, or types { application/vsix VSIXPackage; }", "bucket: Content-Type application/vsix")
	if kind := x.archive.mediaType(); strings.HasPrefix(kind, "text/") || kind == "" {
		return fail(lines, "the package has the media type %q, so proxies may convert it and browsers show it", x.archive.header.Get("Content-Type"))
	}
	return ok("%s", x.archive.mediaType())
}

func checkPackageContent(ctx context.Context, x *examination) outcome {
	if x.archive == nil {
		return skip("the gallery has no extensions")
	}
	text, err := x.archive.decoded()
	if err != nil {
		return skip("%s", err)
	}
	changed := mend("proxy: do not change files: no virus scanner that rewrites, no optimizer", "galbuild: galbuild verify SITE, which finds a damaged file")
	sum := hex.EncodeToString(sha256Of(text))
	if tag := strings.Trim(strings.TrimPrefix(x.archive.header.Get("ETag"), "W/"), `"`); x.galshim != "" && isSHA256(tag) && tag != sum {
		return fail(changed, "the SHA-256 of the package is %s, and its ETag says %s: it was changed or damaged", sum, tag)
	} else if tag == sum {
		return ok("SHA-256 %s, as its ETag", sum)
	}
	if err := checkSums(text); err != nil {
		return fail(changed, "the package is damaged: %s", err)
	}
	if x.galshim == "" {
		return ok("checksums in the package; not galshim, so its SHA-256 is not known")
	}
	blob := x.client.send(ctx, request{method: http.MethodHead, url: x.at.base() + "/blobs/sha256/" + sum[:2] + "/" + sum})
	if blob.status == http.StatusOK {
		return ok("SHA-256 %s, which is a file of the site", sum)
	}
	if current := x.get(ctx, x.at.base()+"/index/CURRENT"); current.status == http.StatusOK {
		return fail(changed, "no file of the site has the SHA-256 of the package, %s: it was changed on the way", sum)
	}
	return ok("checksums in the package")
}

func sha256Of(text []byte) []byte {
	sum := sha256.Sum256(text)
	return sum[:]
}

var sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)

func isSHA256(s string) bool { return sha256Hex.MatchString(s) }

// maxUnpacked is how many bytes of the files of a package are decompressed to check them.
const maxUnpacked = 512 << 20

// checkSums compares the files of a package with the checksums in it.
func checkSums(text []byte) error {
	archive, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		return err
	}
	left := int64(maxUnpacked)
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		n, err := io.Copy(io.Discard, io.LimitReader(r, left))
		r.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		if left -= n; left <= 0 {
			return nil
		}
	}
	return nil
}

func checkPackagePlatform(ctx context.Context, x *examination) outcome {
	if x.archive == nil {
		return skip("the gallery has no extensions")
	}
	e, v, found := x.forPlatform(func(extension, version) bool { return true })
	if !found {
		return skip("no extension in the list has a package for a platform")
	}
	r := x.client.follow(ctx, request{method: http.MethodGet, url: v.archive(), large: true})
	lines := mend("gallery: the platform belongs to the address: …/1.0.0@linux-x64/…, or read ?targetPlatform=", "CDN: the query belongs to the key of the cache")
	if r.err != nil || r.status != http.StatusOK {
		return fail(lines, "the package of %s for %s %s", e.id(), v.platform(), r.problem())
	}
	text, err := r.decoded()
	if err != nil {
		return skip("%s", err)
	}
	got, err := platformOf(text)
	switch {
	case err != nil:
		return skip("the manifest of %s for %s: %s", e.id(), v.platform(), err)
	case got != v.platform():
		return fail(lines, "the package of %s for %s is that for %s, which editors install unnoticed", e.id(), v.platform(), name(got, "all platforms"))
	}
	return ok("%s for %s", e.id(), v.platform())
}

// forPlatform returns a version for a platform that is suitable.
func (x *examination) forPlatform(suitable func(extension, version) bool) (extension, version, bool) {
	for _, e := range append([]extension{x.sample}, extensionsOf(x.list)...) {
		for _, v := range e.versions() {
			if v.platform() != "" && suitable(e, v) {
				return e, v, true
			}
		}
	}
	return extension{}, version{}, false
}

// platformOf returns the target platform in the manifest of a package, "" for all platforms.
func platformOf(text []byte) (string, error) {
	archive, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		return "", err
	}
	manifest, err := readEntry(archive, "extension.vsixmanifest")
	if err != nil {
		return "", err
	}
	var m struct {
		Metadata struct {
			Identity struct {
				TargetPlatform string `xml:"TargetPlatform,attr"`
			}
		}
	}
	if err := xml.Unmarshal(bytes.TrimPrefix(manifest, []byte("\ufeff")), &m); err != nil {
		return "", err
	}
	if p := m.Metadata.Identity.TargetPlatform; p != "universal" {
		return p, nil
	}
	return "", nil
}

func checkVSPackage(ctx context.Context, x *examination) outcome {
	if x.archive == nil {
		return skip("the gallery has no extensions")
	}
	v := x.sample.versions()[0]
	address := x.at.Service + "/publishers/" + x.sample.publisher() + "/vsextensions/" + x.sample.name() + "/" + v.number() + "/vspackage"
	if p := v.platform(); p != "" {
		address += "?targetPlatform=" + p
	}
	r := x.client.follow(ctx, request{method: http.MethodGet, url: address, large: true, header: map[string]string{"Range": "bytes=0-1"}})
	if served := r.status == http.StatusOK || r.status == http.StatusPartialContent; r.err != nil || !served || r.isHTML() {
		return warn(mend("nginx: location "+x.host.Path+"/publishers/ { try_files $uri @galshim; }"), "%s %s; scripts and older editors download packages there", address, r.problem())
	}
	return ok("%s", address)
}

// rangeBytes is the number of bytes that are requested of a package.
const rangeBytes = 100

func checkRange(ctx context.Context, x *examination) outcome {
	if x.archive == nil || len(x.archive.body) <= rangeBytes {
		return skip("the gallery has no extensions")
	}
	r := x.client.follow(ctx, request{
		method: http.MethodGet, url: x.archive.url, large: true, header: map[string]string{"Range": fmt.Sprintf("bytes=10-%d", 10+rangeBytes-1)},
	})
	lines := mend("proxy: pass Range and Content-Range on, or neither", "nginx: proxy_force_ranges off; and a slice only with proxy_set_header Range $slice_range;")
	whole := x.archive.body
	switch {
	case r.err != nil:
		return fail(lines, "no response to a range: %s", r.err)
	case r.status == http.StatusOK && bytes.Equal(r.body, whole):
		return ok("a request for a range gets the whole package")
	case r.status != http.StatusPartialContent:
		return fail(lines, "status %d for a range of a package", r.status)
	case !strings.HasPrefix(r.header.Get("Content-Range"), fmt.Sprintf("bytes 10-%d/", 10+rangeBytes-1)) || !bytes.Equal(r.body, whole[10:10+rangeBytes]):
		return fail(lines, "a range has status 206, but not the bytes that were requested: %d bytes, Content-Range %q; downloads that are continued are damaged",
			len(r.body), r.header.Get("Content-Range"))
	}
	return ok("status 206")
}
