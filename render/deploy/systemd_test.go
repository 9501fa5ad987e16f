package deploy

import (
	"io"
	"strings"
	"testing"
)

func TestSystemd(t *testing.T) {
	for folder, s := range map[string]Systemd{
		"systemd-sync": {Site: "/srv/gallery", BaseURL: "https://gallery.example", Sync: "/srv/delivery/galbuild.json"},
		"systemd-pull": {Site: `/srv/a "gallery" of $5 and 10%`, Bin: "/opt/galbuild", Listen: "/run/galshim.sock", Pull: "s3://vsix/gallery"},
	} {
		files, err := s.Files()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			golden(t, folder+"/"+f.Name, func(w io.Writer) error {
				_, err := io.WriteString(w, f.Text)
				return err
			})
		}
	}
	files, err := (Systemd{Site: "/srv/gallery"}).Files()
	if err != nil || len(files) != 2 {
		t.Errorf("galshim alone has the files %v, %v", files, err)
	}
}

func TestSystemdRefuses(t *testing.T) {
	for want, s := range map[string]Systemd{
		`site "site": want an absolute path`:                   {Site: "site"},
		`site "/home/ann/site": the units cannot see files`:    {Site: "/home/ann/site"},
		`file of sync "/tmp/x": the units cannot see`:          {Site: "/s", Sync: "/tmp/x"},
		`folder of the programs "/my bin": want a path`:        {Site: "/s", Bin: "/my bin"},
		`folder of the programs "/root": the units cannot see`: {Site: "/s", Bin: "/root"},
		`listen "8080\nExecStart=": want host:port`:            {Site: "/s", Listen: "8080\nExecStart="},
		`target "gallery": want an address such as s3://`:      {Site: "/s", Pull: "gallery"},
		"target \"x\\nExecStart=\": want no control":           {Site: "/s", Pull: "x\nExecStart="},
		"sync and pull: a site is either":                      {Site: "/s", Pull: "s3://x", Sync: "/d/galbuild.json"},
		`base URL "gallery": want http:// or https://`:         {Site: "/s", BaseURL: "gallery"},
	} {
		if _, err := s.Files(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
