package galshim

import (
	"reflect"
	"slices"
	"testing"

	"galbuild/build/catalog"
	"galbuild/build/upstream"
	"galbuild/build/upstream/gallery"
	"galbuild/build/upstream/upstreamtest"
)

// TestUpstream asks galshim as galbuild asks an upstream, at each address that users give.
func TestUpstream(t *testing.T) {
	dir := t.TempDir()
	sample{more: 150, full: true, pages: defaultPages()}.write(t, dir)
	requests := upstreamtest.Requests(t, upstreamtest.Hosts{"http://gal.example": open(t, dir, folder{dir})})
	for _, path := range append([]string{"", "/manifest.json"}, apis...) {
		checkUpstream(t, gallery.New("http://gal.example"+path, requests), requests)
	}
}

func checkUpstream(t *testing.T, g *gallery.Client, requests upstream.Requests) {
	t.Helper()
	got, err := g.Extension(t.Context(), "acme.HELLO")
	if err != nil {
		t.Fatal(err)
	}
	release := func(version, platform string, preRelease bool) upstream.Release {
		address := "http://gal.example/" + catalog.AssetsDir + catalog.VersionDir("acme", "hello", version, platform) + "/" + catalog.PackageAsset
		return upstream.Release{Version: version, Platform: platform, PreRelease: preRelease, Published: testTime, Package: upstream.File{URL: address, Size: -1}}
	}
	want := &upstream.Extension{
		ID: "Acme.Hello", UUID: "00000000-0000-4000-8000-000000000001", Released: testTime,
		Publisher: catalog.SidecarPublisher{DisplayName: "Acme Inc"},
		Releases:  []upstream.Release{release("1.3.0", "", true), release("1.2.3", "linux-x64", false), release("1.2.3", "", false)},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v\nwant %+v", g.Name(), got, want)
	}
	if err := g.Complete(t.Context(), got, &got.Releases[1]); err != nil || got.Releases[1].Package.Size != packageSize(t, requests, got.Releases[1]) {
		t.Errorf("%s: size %d, %v", g.Name(), got.Releases[1].Package.Size, err)
	}
	for _, x := range []struct {
		listing upstream.Listing
		want    int
	}{
		{upstream.Listing{}, 151}, {upstream.Listing{Top: 120}, 120}, {upstream.Listing{Publisher: "Many"}, 150},
		{upstream.Listing{Category: "themes"}, 13}, {upstream.Listing{Search: "kotlin"}, 15},
		{upstream.Listing{Search: "kotlin", Category: "debuggers"}, 3}, {upstream.Listing{Search: "kotlin", Publisher: "acme"}, 0},
	} {
		ids, err := g.List(t.Context(), x.listing)
		if slices.Sort(ids); err != nil || len(slices.Compact(ids)) != x.want {
			t.Errorf("%s: %+v: %d ids, %v, want %d", g.Name(), x.listing, len(ids), err, x.want)
		}
	}
}

// packageSize downloads a package and returns its size.
func packageSize(t *testing.T, requests upstream.Requests, r upstream.Release) int64 {
	t.Helper()
	body, err := requests.Get(t.Context(), r.Package.URL)
	if err != nil || len(body) == 0 {
		t.Fatal(err)
	}
	return int64(len(body))
}
