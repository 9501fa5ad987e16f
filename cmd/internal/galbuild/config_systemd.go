package galbuild

import (
	"strings"

	"galbuild/render/deploy"
)

type systemdCmd struct {
	Site    string `arg:"" default:"/srv/gallery" type:"path" help:"Folder of the site on the machine with the units."`
	Output  string `short:"o" required:"" type:"newfile" placeholder:"DIR" help:"New or empty folder for the units."`
	Listen  string `default:"127.0.0.1:8080" placeholder:"ADDRESS" help:"Where systemd opens the socket of galshim: HOST:PORT, a port, or the path of a socket."`
	BaseURL string `placeholder:"URL" help:"Address at which editors reach the gallery, with an optional path."`
	Bin     string `default:"/usr/local/bin" placeholder:"DIR" help:"Folder of galbuild and galshim."`
	Sync    string `type:"path" placeholder:"FILE" help:"Also write units that run galbuild sync with this file every night."`
	Pull    string `placeholder:"TARGET" help:"Also write a unit that keeps the site a copy of a target, such as s3://vsix/gallery."`
}

// Run writes the units.
func (c *systemdCmd) Run(e *env) error {
	files, err := deploy.Systemd{
		Site: c.Site, Bin: c.Bin, Listen: c.Listen, BaseURL: strings.TrimRight(c.BaseURL, "/"), Sync: c.Sync, Pull: c.Pull,
	}.Files()
	if err != nil {
		return err
	}
	return writeFolder(e, c.Output, files)
}
