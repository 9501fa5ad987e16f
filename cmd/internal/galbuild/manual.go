package galbuild

import (
	"io"

	"github.com/alecthomas/kong"

	"galbuild/cmd/internal/completion"
	"galbuild/cmd/internal/help"
	"galbuild/cmd/internal/version"
)

const description = `Makes a gallery of VS Code extensions, a tree of plain files, out of .vsix files.

    galbuild vsixs -o site         build a site from a folder of packages
    galshim --index site           serve it
    galbuild config code-server    print the settings for an editor`

// manual returns the parts of the help that are not in the tags of commands, arguments and flags.
func manual() help.Program {
	return help.Program{
		Summary:  "make and publish galleries of VS Code extensions",
		Footer:   "galbuild help COMMAND prints the arguments and flags of a command, and examples.",
		Exit:     []string{"0", "Everything was done.", "1", "Something failed, or a package was refused.", "80", "The command line is wrong."},
		SeeAlso:  "galshim(1)",
		Last:     "S3",
		Examples: examples(),
	}
}

// examples returns two examples for each command.
func examples() map[string][]help.Example {
	return map[string][]help.Example{
		"build": {
			{Does: "Build from a folder and a list of sources, for editors at this address.", Line: "galbuild vsixs @list.txt -o site --base-url https://tools.example/gallery"},
			{Does: "Keep the old generation if any package is refused.", Line: "galbuild build vsixs -o site --strict"},
		},
		"add": {
			{Does: "Add a package to a site.", Line: "galbuild add hello.vsix -o site"},
			{Does: "Print what would be added to a bucket.", Line: "galbuild add vsixs --s3 vsix/gallery --dry-run"},
		},
		"accept": {
			{Does: "Accept what authors have submitted to the inbox of a bucket.", Line: "galbuild accept s3://vsix/gallery --sign-key builder.minisign"},
			{Does: "Print what would become of the submissions in another bucket.", Line: "galbuild accept site --from s3://drop --dry-run"},
		},
		"inbox": {
			{Does: "List what the authors of a publisher have submitted, and what became of it.", Line: "galbuild inbox acme s3://vsix/gallery"},
			{Does: "Print what became of a package.", Line: "galbuild inbox hello.vsix s3://vsix/gallery"},
		},
		"remove": {
			{Does: "Remove a version.", Line: "galbuild remove acme.hello@1.1.0 -o site"},
			{Does: "Remove all versions of an extension from a bucket, with all their files.", Line: "galbuild remove acme.hello --all --purge --s3 vsix/gallery"},
		},
		"collect": {
			{Does: "Collect extensions and what they need from Open VSX, for an editor.", Line: "galbuild collect redhat.java @list.txt --engine 1.96 --platform linux-x64"},
			{Does: "Collect exactly what a lock has, on another machine.", Line: "galbuild collect galbuild.lock --locked -o vsixs"},
		},
		"lock outdated": {
			{Does: "List the packages of which there are newer ones.", Line: "galbuild lock outdated vsixs"},
			{Does: "List what a policy will hold back, too.", Line: "galbuild lock outdated --policy policy.json"},
		},
		"lock update": {
			{Does: "Update one extension and what it needs.", Line: "galbuild lock update redhat.java vsixs"},
			{Does: "Print what an update of all would change.", Line: "galbuild lock update --dry-run"},
		},
		"lock why": {
			{Does: "Print why an extension is in the folder vsixs.", Line: "galbuild lock why redhat.java"},
			{Does: "Print it for another folder, as JSON.", Line: "galbuild lock why redhat.java packages --json"},
		},
		"block": {
			{Does: "Keep an extension out of a bucket, and take it out of all editors.", Line: "galbuild block acme.evil s3://vsix/gallery --malicious --reason stolen"},
			{Does: "Keep a version out of a site.", Line: "galbuild block acme.hello@1.1.0 --reason CVE-2026-1 -o site"},
		},
		"unblock": {
			{Does: "Let an extension be published again.", Line: "galbuild unblock acme.hello s3://vsix/gallery --reason checked"},
			{Does: "Unblock one version.", Line: "galbuild unblock acme.hello@1.1.0 -o site"},
		},
		"restore": {
			{Does: "Let a removed version be published again.", Line: "galbuild restore acme.hello@1.1.0 -o site"},
			{Does: "Let all removed versions of an extension be published again.", Line: "galbuild restore acme.hello s3://vsix/gallery"},
		},
		"approve": {
			{Does: "Let a version into a site whose policy has kept it out.", Line: "galbuild approve acme.hello@1.1.0 -o site --key key.minisign --reason reviewed"},
			{Does: "Approve a package before it is in a gallery.", Line: "galbuild approve acme.hello@1.1.0 vsixs --key key.minisign"},
		},
		"deprecate": {
			{Does: "Offer another extension instead of an old one.", Line: "galbuild deprecate acme.hello --use acme.greeter -o site"},
			{Does: "Only mark it.", Line: "galbuild deprecate acme.hello s3://vsix/gallery"},
		},
		"config nginx": {
			{Does: "Print a server for a site on this machine.", Line: "galbuild config nginx site --base-url http://gallery.example"},
			{Does: "Print a server with TLS for a site on another machine.", Line: "galbuild config nginx /srv/site --no-check --cert cert.pem --key key.pem"},
		},
		"token new": {
			{Does: "Make a token for a person, and keep it in a file for their editor.", Line: "galbuild token new alice --file tokens > alice.token"},
			{Does: "Make a token that works until the end of a day.", Line: "galbuild token new build-box --file tokens --until 2999-01-31"},
		},
		"token list": {
			{Does: "List the tokens.", Line: "galbuild token list --file tokens"},
			{Does: "Print them as JSON, for a script that reports those that have expired.", Line: "galbuild token list --file tokens --json"},
		},
		"token revoke": {
			{Does: "Revoke a token.", Line: "galbuild token revoke alice --file tokens"},
			{Does: "Revoke a token in a file that galshim reads.", Line: "galbuild token revoke alice --file /etc/galshim/tokens"},
		},
		"config helm": {
			{Does: "Write the chart to a new folder.", Line: "galbuild config helm -o chart"},
			{Does: "Write it to a folder of a repository that a cluster follows.", Line: "galbuild config helm -o deploy/gallery"},
		},
		"config caddy": {
			{Does: "Print a site of a Caddyfile, for which Caddy gets a certificate.", Line: "galbuild config caddy --base-url https://gallery.example"},
			{Does: "Print one behind a server that terminates TLS.", Line: "galbuild config caddy --listen :8081 --base-url https://h.example"},
		},
		"config systemd": {
			{Does: "Write units that serve a site to a web server on this machine.", Line: "galbuild config systemd /srv/gallery -o units"},
			{Does: "Write units that also keep the site a copy of a target.", Line: "galbuild config systemd /srv/gallery -o units --pull s3://vsix/gallery"},
		},
		"config code-server": editorExamples("code-server"),
		"config vscodium":    editorExamples("vscodium"),
		"config vscode": {
			{Does: "Print a script that changes product.json, for VS Code's own program to run.", Line: "galbuild config vscode --base-url https://tools.example --format patch"},
			{Does: "Print a configuration profile for macOS.", Line: "galbuild config vscode --base-url https://tools.example --format profile"},
		},
		"config cursor":      addressExamples("cursor"),
		"config windsurf":    addressExamples("windsurf"),
		"config antigravity": addressExamples("antigravity"),
		"config positron":    addressExamples("positron"),
		"config gitlab":      editorExamples("gitlab"),
		"config s3-cors": {
			{Does: "Print the policy for the command aws s3api put-bucket-cors.", Line: "galbuild config s3-cors > cors.json"},
			{Does: "Print the policy in the XML of the S3 protocol.", Line: "galbuild config s3-cors --xml"},
		},
		"config s3-policy": {
			{Does: "Print the policy for a site in a bucket.", Line: "galbuild config s3-policy vsix/gallery > policy.json"},
			{Does: "Print the policy for a site that has a bucket of its own.", Line: "galbuild config s3-policy vsix"},
		},
		"config prometheus": {
			{Does: "Write a configuration for two galshims, with alerts.", Line: "galbuild config prometheus --target 10.0.0.7:9464,10.0.0.8:9464 -o monitoring"},
			{Does: "Print the recording rules and alerts only.", Line: "galbuild config prometheus > galshim.rules.yml"},
		},
		"config grafana": {
			{Does: "Print the dashboard, to be imported into Grafana.", Line: "galbuild config grafana > galshim.json"},
			{Does: "Put it where Grafana reads dashboards when it starts.", Line: "galbuild config grafana > /var/lib/grafana/dashboards/galshim.json"},
		},
		"config vscode-policy": {
			{Does: "Print the setting for a policy.", Line: "galbuild config vscode-policy --policy policy.json"},
			{Does: "Print the setting for the policy of a site.", Line: "galbuild config vscode-policy --policy site"},
		},
		"policy check": {
			{Does: "Print what a policy would keep out of a folder of packages.", Line: "galbuild policy check vsixs --policy policy.json"},
			{Does: "Print what the policy of a site keeps out of it today.", Line: "galbuild policy check site"},
		},
		"vet": {
			{Does: "Vet a folder of packages, each compared with the version before it.", Line: "galbuild vet vsixs"},
			{Does: "Compare a package with a site, and let a virus scanner read it too.", Line: "galbuild vet hello.vsix --against site --scanner clamscan"},
		},
		"policy show": {
			{Does: "Print the policy of a bucket.", Line: "galbuild policy show s3://vsix/gallery"},
			{Does: "Save the policy of a site to a file.", Line: "galbuild policy show site > policy.json"},
		},
		"stats add": {
			{Does: "Count yesterday's log, and what was added to today's.", Line: "galbuild stats add access.log.1 access.log -o counts"},
			{Does: "Count a log on standard input, for instance of another machine.", Line: "galbuild stats add - -o counts"},
		},
		"stats fold": {
			{Does: "Add what was counted to a site, before it is published.", Line: "galbuild stats fold counts site"},
			{Does: "Add the counts of two galshims to a bucket.", Line: "galbuild stats fold shim1/counts shim2/counts s3://vsix/gallery"},
		},
		"stats show": {
			{Does: "Print the statistics of a site.", Line: "galbuild stats show site"},
			{Does: "Print those of a bucket, with their sources, as JSON.", Line: "galbuild stats show s3://vsix/gallery --json"},
		},
		"view": {
			{Does: "Make a view of a site for a team, which galshim --view team-a=team-a serves.", Line: "galbuild view site -o team-a --policy team-a.json"},
			{Does: "Make it again from a bucket, with the policy that it has.", Line: "galbuild view s3://vsix/gallery -o team-a"},
		},
		"publish": {
			{Does: "Publish a site to a bucket.", Line: "galbuild publish site --s3 vsix/gallery"},
			{Does: "Raise the minor version of an extension, package and publish it.", Line: "galbuild publish ext minor --s3 vsix/gallery"},
		},
		"pull": {
			{Does: "Copy a site from a bucket.", Line: "galbuild pull s3://vsix/gallery -o site"},
			{Does: "Keep a copy of the index current, for galshim --no-files.", Line: "galbuild pull s3://vsix/gallery -o shim --index-only --follow 30s"},
		},
		"history": {
			{Does: "List who made which generation of a bucket current, when and why.", Line: "galbuild history s3://vsix/gallery"},
			{Does: "Print the versions that the last change of a site has added and removed.", Line: "galbuild history site -n 1 -v"},
		},
		"rollback": {
			{Does: "Switch a site back to the previous generation.", Line: "galbuild rollback site"},
			{Does: "Print what a bucket would serve if it had number 12 of its history again.", Line: "galbuild rollback s3://vsix/gallery --to 12 --dry-run"},
		},
		"prune": {
			{Does: "Remove objects that no generation needs and that are older than a week.", Line: "galbuild prune s3://vsix/gallery --grace 7d"},
			{Does: "Print what would be removed from a site.", Line: "galbuild prune site --dry-run"},
		},
		"export": {
			{Does: "Write a signed tarball.", Line: "galbuild export site -o gallery.tar.zst --sign-key key.minisign"},
			{Does: "Write what is new since an earlier tarball, in parts.", Line: "galbuild export site -o new.tar.zst --since gallery.tar.zst --split 4GiB"},
		},
		"image": {
			{Does: "Write an image for the Helm chart, with both programs.", Line: "galbuild image -o gallery.tar --galshim galshim --galbuild galbuild"},
			{Does: "Write an image of galshim with a site.", Line: "galbuild image site -o gallery.tar --name registry.example/gallery:1"},
		},
		"sync": {
			{Does: "Make the delivery that a file describes, for instance each night.", Line: "galbuild sync /srv/gallery/galbuild.json --progress plain"},
			{Does: "Note that a tarball has arrived: the next one has what is new since.", Line: "galbuild sync --arrived gallery-2026-11-29.tar.zst"},
		},
		"import": {
			{Does: "Import a tarball that is signed with this key.", Line: "galbuild import gallery.tar.zst -o site --trust key.pub"},
			{Does: "Import an unsigned tarball whose checksums came another way.", Line: "galbuild import gallery.tar.zst -o site --sums SHA256SUMS"},
		},
		"package": {
			{Does: "Package an extension into a folder.", Line: "galbuild package ext -o vsixs"},
			{Does: "Raise the minor version, and package a pre-release for a platform.", Line: "galbuild package ext minor --target linux-x64 --pre-release"},
		},
		"ls": {
			{Does: "List the files that would be packaged.", Line: "galbuild ls ext"},
			{Does: "Print them as a tree, with sizes.", Line: "galbuild ls ext --tree"},
		},
		"ls-remote": {
			{Does: "List the extensions of a site.", Line: "galbuild ls-remote site"},
			{Does: "Print only the ids of those in a bucket.", Line: "galbuild ls-remote s3://vsix/gallery --ids"},
		},
		"show": {
			{Does: "Show an extension of a site.", Line: "galbuild show acme.hello -o site"},
			{Does: "Show a version in a served gallery, with its readme.", Line: "galbuild show acme.hello@1.1.0 https://tools.example/gallery --readme"},
		},
		"inspect": {
			{Does: "Print the extensions and the sections of the index.", Line: "galbuild inspect site"},
			{Does: "Print an extension with all its versions and files.", Line: "galbuild inspect site acme.hello"},
		},
		"diff": {
			{Does: "See what a tarball would change, before it is imported.", Line: "galbuild diff site gallery.tar.zst"},
			{Does: "Compare a site with what a bucket serves.", Line: "galbuild diff s3://vsix/gallery site"},
		},
		"audit": {
			{Does: "List every version and every decision of a bucket.", Line: "galbuild audit s3://vsix/gallery"},
			{Does: "Write a bill of materials of a site.", Line: "galbuild audit site --format cyclonedx > gallery.cdx.json"},
		},
		"verify": {
			{Does: "Verify a site.", Line: "galbuild verify site"},
			{Does: "Download what a bucket serves, and verify it.", Line: "galbuild verify s3://vsix/gallery"},
		},
		"doctor": {
			{Does: "Look at a gallery whose certificate is from the company's own authority.", Line: "galbuild doctor https://tools.example/gallery --ca ca.pem"},
			{Does: "Look at the gallery in the settings of an editor, and write a report.", Line: "galbuild doctor --settings product.json --json > report.json"},
		},
		"help": {
			{Does: "Print the help of a command.", Line: "galbuild help publish"},
			{Does: "Print the help of a subcommand.", Line: "galbuild help config nginx"},
		},
		"completion": {
			{Does: "Complete command lines in this session of bash.", Line: "source <(galbuild completion bash)"},
			{Does: "Complete command lines in all later sessions of fish.", Line: "galbuild completion fish > ~/.config/fish/completions/galbuild.fish"},
		},
		"man": {
			{Does: "Read the manual page.", Line: "galbuild man | man -l -"},
			{Does: "Install it.", Line: "galbuild man > /usr/local/share/man/man1/galbuild.1"},
		},
	}
}

func editorExamples(editor string) []help.Example {
	return []help.Example{
		{Does: "Print the settings for a gallery at this address.", Line: "galbuild config " + editor + " --base-url https://tools.example/gallery"},
		{Does: "Print them for a gallery whose files have a host of their own.", Line: "galbuild config " + editor + " --content-url https://files.example"},
	}
}

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"The shell: bash, zsh or fish."`
}

// Run prints a script for the shell.
func (c *completionCmd) Run(e *env, k *kong.Kong) error {
	_, err := io.WriteString(e.stdout, completion.Script(c.Shell, k.Model.Name))
	return err
}

type manCmd struct{}

// Run prints the manual page.
func (manCmd) Run(e *env, k *kong.Kong) error {
	_, err := io.WriteString(e.stdout, manual().Manual(k.Model, version.String()))
	return err
}

// addressExamples are for an editor that needs only the address of the gallery.
func addressExamples(editor string) []help.Example {
	return []help.Example{
		editorExamples(editor)[0],
		{Does: "Print them for a gallery on this machine.", Line: "galbuild config " + editor + " --base-url http://127.0.0.1:8080"},
	}
}
