package galshim

import (
	"context"
	"net/http"
	"path"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/headers"
	"galbuild/index"
	"galbuild/publish/target"
)

// redirectExpiry is how long an address that --redirect sends is valid. Clients follow a redirect
// at once, and a download that has begun is not cut off.
const redirectExpiry = 5 * time.Minute

// mayRedirect reports whether a request for a file can be answered with a redirect to the bucket.
// Only packages are redirected: browsers load other files from the gallery's own origin. An address
// is for GET only, and a bucket refuses a request that has both a signature in its address and an
// Authorization header, which clients send to the new address too.
func mayRedirect(r *http.Request, f index.File) bool {
	return r.Method == http.MethodGet && path.Base(f.Path) == catalog.PackageAsset && r.Header.Get("Authorization") == ""
}

// redirectToBucket responds with the address of a blob. The bucket sends it with the headers of the
// response that galshim would have sent.
func redirectToBucket(ctx context.Context, w http.ResponseWriter, to target.Presigner, f index.File) error {
	h := w.Header()
	address, err := to.Presign(ctx, blob.Ref(f.SHA256).Path(), target.Presign{
		Expires: redirectExpiry, MediaType: h.Get("Content-Type"), Disposition: h.Get("Content-Disposition"), CacheControl: headers.Private,
	})
	if err != nil {
		return &failure{http.StatusBadGateway, "the published site did not return the file", err}
	}
	for _, name := range []string{"Content-Type", "Content-Disposition", "ETag", "Last-Modified"} {
		h.Del(name)
	}
	h.Set("Cache-Control", headers.NoStore)
	h.Set("Location", address)
	w.WriteHeader(http.StatusFound)
	return nil
}
