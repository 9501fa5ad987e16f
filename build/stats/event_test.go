package stats

import (
	"strings"
	"testing"
)

// TestNewEvent has requests that count, below a prefix and without one, and requests that do not.
func TestNewEvent(t *testing.T) {
	const vsix = "/Microsoft.VisualStudio.Services.VSIXPackage"
	for _, tt := range []struct {
		method, address string
		status          int
		want            Event
	}{
		{"GET", "/assets/Acme/Hello/1.0.0" + vsix + "?redirect=true&install=true", 200, Event{"acme.hello", true, true, false}},
		{"GET", "/a/b/assets/acme/hello/1.0.0@linux-x64" + vsix + "?update=true", 200, Event{"acme.hello", true, false, false}},
		{"GET", "/vscode/asset/acme/hello/1.0.0" + vsix, 200, Event{"acme.hello", true, false, false}},
		{"GET", "/api/publishers/acme/vsextensions/hello/latest/vspackage?targetPlatform=web&install=true", 200, Event{"acme.hello", true, true, false}},
		{"GET", "/publishers/acme/vsextensions/he%6Clo/1.0.0/vspackage/", 200, Event{"acme.hello", true, false, false}},
		{"POST", "/api/publishers/acme/extensions/hello/1.0.0/stats?statType=install", 204, Event{"acme.hello", false, true, false}},
		{"POST", "/api/publishers/acme/extensions/hello/1.0.0/stats?statType=Uninstall", 200, Event{"acme.hello", false, false, true}},
		{"POST", "/x/itemName/acme.hello/version/1.0.0/statType/1/vscodewebextension", 204, Event{"acme.hello", false, true, false}},
		{"POST", "/itemName/acme.hello/version/1.0.0/statType/3/vscodewebextension", 204, Event{"acme.hello", false, false, true}},

		{"HEAD", "/assets/acme/hello/1.0.0" + vsix, 200, Event{}},
		{"GET", "/assets/acme/hello/1.0.0" + vsix, 206, Event{}},
		{"GET", "/assets/acme/hello/1.0.0" + vsix, 304, Event{}},
		{"GET", "/assets/acme/hello/1.0.0/Microsoft.VisualStudio.Code.Manifest", 200, Event{}},
		{"GET", "/files/acme/hello/1.0.0" + vsix, 200, Event{}},
		{"GET", "/assets/hello/1.0.0" + vsix, 200, Event{}},
		{"GET", "/assets/acme/hel lo/1.0.0" + vsix, 200, Event{}},
		{"GET", "/assets/acme/hel%2Flo/1.0.0" + vsix, 200, Event{}},
		{"GET", "/api/publishers/acme/extensions/hello/1.0.0/stats?statType=install", 200, Event{}},
		{"POST", "/api/publishers/acme/extensions/hello/1.0.0/stats?statType=install", 404, Event{}},
		{"POST", "/api/publishers/acme/extensions/hello/1.0.0/stats?statType=seen", 204, Event{}},
		{"POST", "/api/publishers/acme/extensions/hello/1.0.0/stats", 204, Event{}},
		{"POST", "/itemName/hello/version/1.0.0/statType/1/vscodewebextension", 204, Event{}},
		{"POST", "/itemName/" + strings.Repeat("a", 9000) + ".b/version/1.0.0/statType/1/vscodewebextension", 204, Event{}},
		{"POST", "/api/extensionquery", 200, Event{}},
		{"GET", "*", 200, Event{}},
		{"GET", "", 200, Event{}},
		{"GET", "/", 200, Event{}},
	} {
		got, counts := NewEvent(tt.method, tt.address, tt.status)
		if got != tt.want || counts != (tt.want != Event{}) {
			t.Errorf("%s %.200s %d: got %+v, %t, want %+v", tt.method, tt.address, tt.status, got, counts, tt.want)
		}
	}
}
