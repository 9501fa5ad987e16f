package galbuild

type configCmd struct {
	Nginx   nginxCmd   `cmd:"" group:"Servers:" help:"Print an nginx server block that serves a site and passes queries to galshim."`
	Caddy   caddyCmd   `cmd:"" group:"Servers:" help:"Print a site of a Caddyfile that serves a site and passes queries to galshim."`
	Systemd systemdCmd `cmd:"" group:"Servers:" help:"Write systemd units for galshim, and for galbuild sync or pull, to a folder."`
	Helm    helmCmd    `cmd:"" group:"Servers:" help:"Write the Helm chart, with which Kubernetes runs a gallery, to a folder."`

	VSCode       vscodeCmd       `cmd:"" group:"Editors:" name:"vscode" help:"Print the settings of VS Code for the gallery."`
	VSCodePolicy vscodePolicyCmd `cmd:"" group:"Editors:" name:"vscode-policy" help:"Print the setting of VS Code with the extensions that a policy allows."`
	CodeServer   codeServerCmd   `cmd:"" group:"Editors:" help:"Print the settings of code-server for the gallery."`
	VSCodium     vscodiumCmd     `cmd:"" group:"Editors:" name:"vscodium" help:"Print the settings of VSCodium for the gallery."`
	Cursor       cursorCmd       `cmd:"" group:"Editors:" help:"Print the settings of Cursor for the gallery."`
	Windsurf     windsurfCmd     `cmd:"" group:"Editors:" help:"Print the settings of Windsurf for the gallery."`
	Antigravity  antigravityCmd  `cmd:"" group:"Editors:" help:"Print the settings of Antigravity for the gallery."`
	Positron     positronCmd     `cmd:"" group:"Editors:" help:"Print the settings of Positron for the gallery."`
	GitLab       gitLabCmd       `cmd:"" group:"Editors:" name:"gitlab" help:"Print the settings of GitLab's Web IDE and workspaces for the gallery."`

	S3CORS   s3CORSCmd   `cmd:"" group:"Buckets:" name:"s3-cors" help:"Print the CORS policy that lets editors in a browser read a bucket."`
	S3Policy s3PolicyCmd `cmd:"" group:"Buckets:" name:"s3-policy" help:"Print the policy that lets everyone read a bucket, but not who decided what and why."`

	Prometheus prometheusCmd `cmd:"" group:"Monitoring:" help:"Print the recording rules and alerts of galshim for Prometheus, or write them to a folder with what to scrape."`
	Grafana    grafanaCmd    `cmd:"" group:"Monitoring:" help:"Print a dashboard of galshim for Grafana."`
}
