package index

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"galbuild/index/query"
)

// wellKnown are extensions that people look for: id, title, publisher's title,
// thousands of installs, description.
var wellKnown = []struct {
	id, title, publisher string
	thousands            int64
	description          string
}{
	{"ms-python.python", "Python", "Microsoft", 79300, "Linting, debugging, notebooks, formatting, refactoring and unit tests"},
	{"ms-python.vscode-pylance", "Pylance", "Microsoft", 52200, "A fast language server for Python"},
	{"ms-python.black-formatter", "Black Formatter", "Microsoft", 5100, "Formatting for Python files with black"},
	{"ms-toolsai.jupyter", "Jupyter", "Microsoft", 58000, "Notebook support, interactive programming and computing"},
	{"ms-toolsai.jupyter-keymap", "Jupyter Keymap", "Microsoft", 42400, "Jupyter keymaps for notebooks"},
	{"ms-vscode.cpptools", "C/C++", "Microsoft", 45000, "IntelliSense, debugging and code browsing"},
	{"ms-vscode.cpptools-extension-pack", "C/C++ Extension Pack", "Microsoft", 15000, "Popular extensions for C++ development"},
	{"ms-vscode.cmake-tools", "CMake Tools", "Microsoft", 18000, "Extended CMake support"},
	{"twxs.cmake", "CMake", "twxs", 16000, "CMake language support"},
	{"ms-dotnettools.csharp", "C#", "Microsoft", 21000, "Base language support"},
	{"ms-dotnettools.csdevkit", "C# Dev Kit", "Microsoft", 5000, "Official extension from Microsoft"},
	{"ms-dotnettools.vscode-dotnet-runtime", ".NET Install Tool", "Microsoft", 20000, "Installs local versions of the runtime"},
	{"ritwickdey.LiveServer", "Live Server", "Ritwick Dey", 31900, "A local server with live reload for static and dynamic pages"},
	{"ms-vscode.live-server", "Live Preview", "Microsoft", 3600, "Hosts a local server in your workspace to preview pages"},
	{"ms-vsliveshare.vsliveshare", "Live Share", "Microsoft", 13700, "Real-time collaborative development"},
	{"esbenp.prettier-vscode", "Prettier - Code formatter", "Prettier", 29700, "Code formatter using prettier"},
	{"dbaeumer.vscode-eslint", "ESLint", "Microsoft", 25300, "Integrates ESLint JavaScript"},
	{"eamodio.gitlens", "GitLens — Git supercharged", "GitKraken", 21800, "Supercharge Git with blame annotations and history"},
	{"mhutchie.git-graph", "Git Graph", "mhutchie", 6000, "View a graph of your repository"},
	{"donjayamanne.githistory", "Git History", "Don Jayamanne", 9100, "View git log, file history, compare branches or commits"},
	{"waderyan.gitblame", "Git Blame", "Wade Anderson", 1100, "See blame information in the status bar"},
	{"github.copilot", "GitHub Copilot", "GitHub", 12000, "Your AI pair programmer"},
	{"github.copilot-chat", "GitHub Copilot Chat", "GitHub", 9000, "AI chat features"},
	{"github.vscode-pull-request-github", "GitHub Pull Requests", "GitHub", 14000, "Review pull requests and issues"},
	{"github.github-vscode-theme", "GitHub Theme", "GitHub", 9900, "The theme of the web site"},
	{"redhat.java", "Language Support for Java(TM) by Red Hat", "Red Hat", 21000, "Java linting, formatting, refactoring, Maven and Gradle"},
	{"vscjava.vscode-java-pack", "Extension Pack for Java", "Microsoft", 17000, "Popular extensions for Java development"},
	{"vscjava.vscode-java-debug", "Debugger for Java", "Microsoft", 18500, "A lightweight Java debugger"},
	{"redhat.vscode-yaml", "YAML", "Red Hat", 12500, "YAML language support with Kubernetes syntax"},
	{"redhat.vscode-xml", "XML", "Red Hat", 4300, "XML language support"},
	{"golang.go", "Go", "Go Team at Google", 10000, "Rich Go language support"},
	{"rust-lang.rust-analyzer", "rust-analyzer", "The Rust Programming Language", 2400, "Rust language support"},
	{"ms-azuretools.vscode-docker", "Docker", "Microsoft", 20600, "Create, manage and debug containerized applications"},
	{"ms-kubernetes-tools.vscode-kubernetes-tools", "Kubernetes", "Microsoft", 3200, "Develop, deploy and debug Kubernetes applications"},
	{"ms-vscode-remote.remote-ssh", "Remote - SSH", "Microsoft", 14500, "Open any folder on a remote machine"},
	{"ms-vscode-remote.remote-wsl", "WSL", "Microsoft", 19300, "Open any folder in the Windows Subsystem for Linux"},
	{"ms-vscode-remote.remote-containers", "Dev Containers", "Microsoft", 17200, "Open any folder in a Docker container"},
	{"ms-vscode.powershell", "PowerShell", "Microsoft", 7400, "Develop PowerShell modules, commands and scripts"},
	{"vue.volar", "Vue Language Features (Volar)", "Vue", 3500, "Language support for Vue 3"},
	{"octref.vetur", "Vetur", "Pine Wu", 13000, "Vue tooling"},
	{"angular.ng-template", "Angular Language Service", "Angular", 6700, "Editor services for Angular templates"},
	{"svelte.svelte-vscode", "Svelte for VS Code", "Svelte", 1400, "Svelte language support"},
	{"bradlc.vscode-tailwindcss", "Tailwind CSS IntelliSense", "Tailwind Labs", 4700, "Intelligent Tailwind CSS tooling"},
	{"dsznajder.es7-react-js-snippets", "ES7+ React/Redux/React-Native snippets", "dsznajder", 9300, "Extensions for React, Redux and GraphQL in ES7+"},
	{"xabikos.javascriptsnippets", "JavaScript (ES6) code snippets", "charalampos karypidis", 11500, "Code snippets for JavaScript in ES6 syntax"},
	{"christian-kohler.path-intellisense", "Path Intellisense", "Christian Kohler", 9900, "Autocompletes filenames"},
	{"formulahendry.auto-rename-tag", "Auto Rename Tag", "Jun Han", 13800, "Rename paired tags automatically"},
	{"formulahendry.auto-close-tag", "Auto Close Tag", "Jun Han", 10600, "Add closing tags automatically"},
	{"formulahendry.code-runner", "Code Runner", "Jun Han", 18600, "Run code snippets of many languages"},
	{"streetsidesoftware.code-spell-checker", "Code Spell Checker", "Street Side Software", 8000, "Spelling checker for source code"},
	{"yzhang.markdown-all-in-one", "Markdown All in One", "Yu Zhang", 6600, "Keyboard shortcuts, table of contents, auto preview"},
	{"davidanson.vscode-markdownlint", "markdownlint", "David Anson", 5200, "Markdown linting and style checking"},
	{"pkief.material-icon-theme", "Material Icon Theme", "Philipp Kief", 16300, "Material design icons"},
	{"vscode-icons-team.vscode-icons", "vscode-icons", "VSCode Icons Team", 14500, "Icons for files and folders"},
	{"zhuangtongfa.material-theme", "One Dark Pro", "binaryify", 7500, "Atom's iconic theme"},
	{"dracula-theme.theme-dracula", "Dracula Official", "Dracula Theme", 5700, "A dark theme for many editors"},
	{"vscodevim.vim", "Vim", "vscodevim", 4800, "Vim emulation"},
	{"editorconfig.editorconfig", "EditorConfig for VS Code", "EditorConfig", 8200, "EditorConfig support"},
	{"mechatroner.rainbow-csv", "Rainbow CSV", "mechatroner", 3300, "Highlight CSV and TSV files"},
	{"usernamehw.errorlens", "Error Lens", "Alexander", 3200, "Improve highlighting of errors and warnings"},
	{"gruntfuggly.todo-tree", "Todo Tree", "Gruntfuggly", 3700, "Show TODO and FIXME comments in a tree view"},
	{"ms-ceintl.vscode-language-pack-zh-hans", "Chinese (Simplified) (简体中文) Language Pack", "Microsoft", 19000, "Language pack extension for Chinese (Simplified)"},
	{"ms-ceintl.vscode-language-pack-pt-br", "Portuguese (Brazil) Language Pack", "Microsoft", 1500, "Language pack for Português (Brasil)"},
}

func wellKnownDocuments() []Document {
	var docs []Document
	for _, k := range wellKnown {
		publisher, name, _ := strings.Cut(k.id, ".")
		docs = append(docs, Document{ID: k.id, Name: name, Publisher: publisher, PublisherTitle: k.publisher,
			Title: k.title, Description: k.description, Categories: []string{"Other"}, Installs: 1000 * k.thousands})
	}
	return docs
}

// The reciprocal of the rank of the extension that is meant, averaged over all,
// must not fall below these.
func TestRelevance(t *testing.T) {
	ix := open(t, wellKnownDocuments(), nil)
	plainWord := regexp.MustCompile(`[A-Za-z0-9#+]+`)
	for class, c := range map[string]struct {
		floor float64
		typed func(id, title string) string
	}{
		"name":  {1, func(_, title string) string { return title }},
		"id":    {1, func(id, _ string) string { return id }},
		"short": {0.99, func(id, _ string) string { _, name, _ := strings.Cut(id, "."); return name }},
		"prefix": {0.96, func(_, title string) string {
			r := []rune(title)
			return string(r[:min(len(r), max(4, 2*len(r)/3))])
		}},
		"swapped": {0.97, func(_, title string) string {
			w := plainWord.FindAllString(title, -1)
			if len(w) < 2 {
				return title
			}
			return w[1] + " " + w[0]
		}},
		"typo": {0.97, mistype},
	} {
		sum := 0.0
		for _, k := range wellKnown {
			text := c.typed(k.id, k.title)
			want, _ := ix.Find(k.id)
			at := slices.Index(ix.Search(&query.Filter{Text: []string{text}, Size: 10}).Hits, want)
			if at >= 0 {
				sum += 1 / float64(at+1)
			}
			if at != 0 {
				t.Logf("%s: %q finds %s at %d", class, text, k.id, at)
			}
		}
		if got := sum / float64(len(wellKnown)); got < c.floor {
			t.Errorf("%s: got a mean reciprocal rank of %.3f, want %.3f", class, got, c.floor)
		}
	}
}

// mistype makes one mistake in the longest word, if it has five letters.
func mistype(id, title string) string {
	all := regexp.MustCompile(`[A-Za-z]{5,}`).FindAllString(title, -1)
	if len(all) == 0 {
		return title
	}
	w := slices.MaxFunc(all, func(a, b string) int { return len(a) - len(b) })
	r := rand.New(rand.NewPCG(uint64(len(id)), uint64(w[0])))
	i := 1 + r.IntN(len(w)-2)
	wrong := []string{w[:i] + w[i+1:], w[:i] + w[i:i+1] + w[i:], w[:i] + w[i+1:i+2] + w[i:i+1] + w[i+2:], w[:i] + "q" + w[i+1:]}
	return strings.Replace(title, w, wrong[r.IntN(4)], 1)
}

func TestSpellings(t *testing.T) {
	ix := open(t, wellKnownDocuments(), nil)
	for text, id := range map[string]string{
		"c++": "ms-vscode.cpptools", "C#": "ms-dotnettools.csharp", ".net": "ms-dotnettools.vscode-dotnet-runtime",
		"liveserver": "ritwickdey.liveserver", "live-server": "ritwickdey.liveserver", "LIVE SERV": "ritwickdey.liveserver",
		"git lens": "eamodio.gitlens", "gitlens": "eamodio.gitlens", "中文": "ms-ceintl.vscode-language-pack-zh-hans",
		"portugues": "ms-ceintl.vscode-language-pack-pt-br", "PORTUGUÊS": "ms-ceintl.vscode-language-pack-pt-br",
		"ｐｙｌａｎｃｅ": "ms-python.vscode-pylance", "java script snippets": "xabikos.javascriptsnippets",
		`publisher:"Red Hat" yaml`: "redhat.vscode-yaml", `publisher:redhat`: "redhat.java", `"dev kit"`: "ms-dotnettools.csdevkit",
		"kubernets": "ms-kubernetes-tools.vscode-kubernetes-tools", "kubrenetse": "ms-kubernetes-tools.vscode-kubernetes-tools",
		"python formatter xyzzy": "ms-python.black-formatter", "es7 react": "dsznajder.es7-react-js-snippets",
	} {
		r := ix.Search(&query.Filter{Text: []string{text}})
		want, ok := ix.Find(id)
		if !ok || len(r.Hits) == 0 || r.Hits[0] != want {
			t.Errorf("%q: got %v, want %s (%d) first", text, r.Hits, id, want)
		}
	}
	for _, text := range []string{"!!!", `publisher:nobody`, `"kit dev"`, "publisher:redhat docker", "中国"} {
		if r := ix.Search(&query.Filter{Text: []string{text}}); r.Total != 0 {
			t.Errorf("%q: got %v, want nothing", text, r)
		}
	}
}

// A word of four documents is suspected to be a mistake for another, a word of
// five is not.
func TestRareWordsAreDoubted(t *testing.T) {
	for n, want := range map[int]int{4: 5, 5: 5, 6: 6} {
		docs := []Document{{ID: "a.server", Name: "server", Installs: 9}}
		for i := range n {
			docs = append(docs, Document{ID: fmt.Sprintf("b.x%d", i), Title: "My servr"})
		}
		r := open(t, docs, nil).Search(&query.Filter{Text: []string{"servr"}})
		if r.Total != want {
			t.Errorf("%d documents with the word: got %d matches, want %d", n, r.Total, want)
		}
	}
}
