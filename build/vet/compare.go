package vet

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// A comparison collects what is new in a version.
type comparison struct {
	before, after *Profile
	findings      findings
	strong, weak  int // signs; several of them together are suspicious
}

// Compare returns what a version has that the one before it had not. If before is nil, it returns
// one finding that says so.
func Compare(before, after *Profile) []Finding {
	if before == nil {
		return []Finding{NotChecked("there is no version before it to compare with")}
	}
	c := comparison{before: before, after: after}
	if before.Cut || after.Cut || before.Rules != after.Rules {
		c.findings.add(NotChecked("lists of files, hosts and events are not compared with " + before.Version + ": they are too long, or were made by other rules"))
	} else {
		c.binaries()
		c.hosts()
		c.activation()
	}
	c.entryPoint()
	c.owner()
	c.size()
	c.judge()
	return c.findings.sorted()
}

func (c *comparison) add(rule string, severity Severity, evidence, format string, args ...any) {
	c.findings.add(Finding{Rule: rule, Severity: severity, Evidence: evidence,
		Detail: clip(fmt.Sprintf(format, args...) + ", compared with " + c.before.Version)})
}

// missing returns the texts that are not in before.
func missing(before, after []string) (all []string) {
	for _, s := range after {
		if _, known := slices.BinarySearch(before, s); !known {
			all = append(all, s)
		}
	}
	return all
}

// shownOf returns some of many texts.
func shownOf(all []string) string {
	const most = 5
	if len(all) > most {
		return strings.Join(all[:most], ", ") + fmt.Sprintf(" and %d more", len(all)-most)
	}
	return strings.Join(all, ", ")
}

// binaries compares native and WebAssembly files by name. One that has moved to another folder,
// or whose name has another version or hash in it, is not new.
func (c *comparison) binaries() {
	known := make(map[string]bool)
	for _, name := range c.before.Binaries {
		known[stem(name)] = true
	}
	var added []string
	for _, name := range c.after.Binaries {
		if !known[stem(name)] {
			added = append(added, name)
		}
	}
	if len(added) == 0 {
		return
	}
	c.strong++
	c.add(newBinary, Medium, evidence([]byte(shownOf(added))), "%s new", plural(len(added), "native or WebAssembly file is", "native or WebAssembly files are"))
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// stem returns the name of a file without its folder, digits and hashes.
func stem(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_' {
			return -1
		}
		return r
	}, strings.ToLower(path.Base(name)))
}

func (c *comparison) hosts() {
	added := missing(c.before.Hosts, c.after.Hosts)
	if len(added) == 0 {
		return
	}
	if c.hasNewHosts() {
		c.weak++
	}
	c.add(newHost, Medium, evidence([]byte(shownOf(added))), "the code names %s", plural(len(added), "new host", "new hosts"))
}

// hasNewHosts reports whether there are new hosts besides those of the extension's publisher and
// of services that most extensions link to.
func (c *comparison) hasNewHosts() bool {
	return slices.ContainsFunc(missing(c.before.Hosts, c.after.Hosts), func(host string) bool {
		label, _, _ := strings.Cut(host, ".")
		return !usualHosts[host] && label != squash(strings.ToLower(c.before.Publisher))
	})
}

// usualHosts are those that most extensions link to.
var usualHosts = map[string]bool{"github.com": true, "visualstudio.com": true, "microsoft.com": true, "w3.org": true, "json-schema.org": true,
	"mozilla.org": true, "npmjs.com": true, "npmjs.org": true, "nodejs.org": true, "example.com": true, "wikipedia.org": true, "stackoverflow.com": true, "aka.ms": true}

func (c *comparison) activation() {
	added := missing(c.before.Activation, c.after.Activation)
	if len(added) == 0 {
		return
	}
	severity := Low
	if started := slices.Contains(c.before.Activation, "*") || slices.Contains(c.before.Activation, "onStartupFinished"); !started {
		if slices.Contains(added, "*") || slices.Contains(added, "onStartupFinished") {
			severity = Medium
			c.strong++
		}
	}
	c.add(newActivation, severity, evidence([]byte(shownOf(added))), "the extension is activated by %s", plural(len(added), "new event", "new events"))
}

// entryPoint compares the files that start. An extension that had no code and now has some that
// can run programs or send data was perhaps made to be trusted first.
func (c *comparison) entryPoint() {
	before, after := c.before.Main+c.before.Browser, c.after.Main+c.after.Browser
	switch {
	case after == "" || before == after:
	case before == "":
		severity := Medium
		if uses := missing(c.before.Uses, c.after.Uses); len(uses) > 0 {
			severity = High
		}
		c.strong++
		c.add(newEntryPoint, severity, evidence([]byte(after)), "the extension has code that starts, and had none")
	case c.before.Main != c.after.Main && c.before.Main != "" && c.after.Main != "" && stemOf(c.before.Main) != stemOf(c.after.Main):
		c.weak++
		c.add(newEntryPoint, Medium, evidence([]byte(c.after.Main)), "another file starts: %s instead of %s", c.after.Main, c.before.Main)
	default:
		c.add(newEntryPoint, Low, evidence([]byte(after)), "the file that starts has moved")
	}
}

// stemOf returns the base name of the file that starts, without its extension. Those that
// bundlers use are the same.
func stemOf(name string) string {
	base := strings.TrimSuffix(path.Base(name), path.Ext(name))
	switch base {
	case "extension", "index", "main", "bundle", "client", "node", "extension.bundle", "desktop", "app":
		return ""
	}
	return base
}

// owner compares publisher and repository. A repository may move from a person to an
// organization, so that alone is not much.
func (c *comparison) owner() {
	if !strings.EqualFold(c.before.Publisher, c.after.Publisher) {
		c.strong++
		c.add(newOwner, Medium, evidence([]byte(c.after.Publisher)), "the publisher is %s instead of %s", c.after.Publisher, c.before.Publisher)
	}
	was, is := c.before.Repository, c.after.Repository
	switch {
	case was == is || was == "":
	case is == "":
		c.weak++
		c.add(newOwner, Low, "", "no repository is named, and was %s", was)
	case owner(was) != owner(is):
		if related(owner(was), owner(is)) {
			c.weak++
		} else {
			c.strong++
		}
		c.add(newOwner, Medium, evidence([]byte(is)), "the repository is %s instead of %s", is, was)
	}
}

// related reports whether an owner has a name that extends that of the other one, as when a
// repository moves from acme to acme-org on the same host.
func related(was, is string) bool {
	return strings.HasPrefix(is, was+"-") || strings.HasPrefix(was, is+"-")
}

// owner returns the host and the first part of the path of a repository.
func owner(repository string) string {
	parts := strings.SplitN(repository, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}

// A size is unusual if it is many times the size before it, and much larger.
const (
	sizeFactor = 4
	sizeMore   = 1 << 20
)

func (c *comparison) size() {
	if c.after.Size < c.before.Size*sizeFactor || c.after.Size-c.before.Size < sizeMore {
		return
	}
	if len(missing(c.before.Binaries, c.after.Binaries)) == 0 { // otherwise they explain the size
		c.weak++
	}
	c.add(newSize, Low, "", "the files have %d bytes instead of %d", c.after.Size, c.before.Size)
}

// newUses counts what code can do now and could not do before.
func (c *comparison) newUses() int {
	if c.before.Main+c.before.Browser == "" {
		return 0 // entryPoint has judged that
	}
	n := 0
	newHosts := c.hasNewHosts()
	for _, use := range missing(c.before.Uses, c.after.Uses) {
		if use != "files" && (use != "network" || !newHosts) { // a new host needs the network
			n++
		}
	}
	return n
}

// isPatch reports whether only the last number of the version is another one: such a version is
// expected to bring nothing new.
func (c *comparison) isPatch() bool {
	before, after := c.before.Version, c.after.Version
	i, j := strings.LastIndexByte(before, '.'), strings.LastIndexByte(after, '.')
	return i > 0 && j > 0 && before[:i] == after[:j]
}

// judge reports several unusual changes at once.
func (c *comparison) judge() {
	switch uses := c.newUses(); {
	case uses >= 2:
		c.strong++
	case uses == 1:
		c.weak++
	}
	if c.strong >= 2 || c.strong == 1 && c.weak >= 2 || c.strong == 1 && c.weak == 1 && c.isPatch() {
		c.add(changed, High, "", "%s at once", plural(c.strong+c.weak, "unusual change", "unusual changes"))
	}
}
