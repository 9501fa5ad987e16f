package modules

import (
	"io/fs"
	"testing"
	"testing/fstest"
)

func TestChoose(t *testing.T) {
	npmOrPnpm := `{"devEngines":{"packageManager":[{"name":"pnpm"},{"name":"npm"}]}}`
	for _, c := range []struct {
		name  string
		files map[string]string // the extension is in ws/packages/ext
		want  Choice
	}{
		{"nothing", nil, Choice{Manager: NPM}},
		{"npm", map[string]string{"ws/packages/ext/package-lock.json": ""}, Choice{Manager: NPM}},
		{"yarn.lock", map[string]string{"ws/packages/ext/yarn.lock": ""}, Choice{Manager: Yarn}},
		{".yarnrc", map[string]string{"ws/packages/ext/.yarnrc": ""}, Choice{Manager: Yarn}},
		{".yarnrc.yaml", map[string]string{"ws/packages/ext/.yarnrc.yaml": ""}, Choice{Manager: Yarn}},
		{".yarnrc.yml, as in vsce", map[string]string{"ws/packages/ext/.yarnrc.yml": ""}, Choice{Manager: NPM}},
		{".pnp.cjs", map[string]string{"ws/packages/ext/.pnp.cjs": ""}, Choice{Manager: Yarn}},
		{".yarn", map[string]string{"ws/packages/ext/.yarn/releases/yarn.cjs": ""}, Choice{Manager: Yarn}},
		{"in a subfolder", map[string]string{"ws/packages/ext/sub/yarn.lock": ""}, Choice{Manager: NPM}},
		{"pnpm", map[string]string{"ws/packages/ext/pnpm-lock.yaml": ""}, Choice{Manager: Pnpm}},
		{"bun", map[string]string{"ws/packages/ext/bun.lock": ""}, Choice{Manager: Bun}},
		{"bun, binary", map[string]string{"ws/packages/ext/bun.lockb": ""}, Choice{Manager: Bun}},
		{"pnpm deploy", map[string]string{"ws/packages/ext/node_modules/.modules.yaml": ""}, Choice{Manager: Pnpm}},
		{"npm and pnpm, as in vsce", map[string]string{"ws/packages/ext/package-lock.json": "", "ws/packages/ext/pnpm-lock.yaml": ""}, Choice{Manager: NPM}},
		{"yarn and pnpm, as in vsce", map[string]string{"ws/packages/ext/yarn.lock": "", "ws/packages/ext/pnpm-lock.yaml": ""}, Choice{Manager: Yarn}},
		{"packageManager", map[string]string{"ws/packages/ext/package.json": `{"packageManager":"pnpm@9.12.1+sha512.0"}`, "ws/packages/ext/yarn.lock": ""}, Choice{Manager: Pnpm}},
		{"packageManager, unknown", map[string]string{"ws/packages/ext/package.json": `{"packageManager":"other@1"}`}, Choice{Manager: NPM}},
		{"required", map[string]string{"ws/packages/ext/package.json": `{"packageManager":"pnpm@9","devEngines":{"packageManager":{"name":"pnpm","onFail":"error"}}}`}, Choice{Pnpm, true}},
		{"required without onFail", map[string]string{"ws/packages/ext/package.json": `{"devEngines":{"packageManager":{"name":"bun"}}}`}, Choice{Bun, true}},
		{"preferred", map[string]string{"ws/packages/ext/package.json": `{"devEngines":{"packageManager":{"name":"yarn","onFail":"warn"}}}`}, Choice{Manager: Yarn}},
		{"one of two", map[string]string{"ws/packages/ext/package.json": npmOrPnpm}, Choice{Manager: Pnpm}},
		{"packageManager, wrong type", map[string]string{"ws/packages/ext/package.json": `{"packageManager":5,"devEngines":[]}`}, Choice{Manager: NPM}},
		{"npm's workspace", map[string]string{"ws/package.json": `{"workspaces":["packages/*"]}`, "ws/package-lock.json": ""}, Choice{Manager: NPM}},
		{"yarn's workspace", map[string]string{"ws/package.json": `{"workspaces":{"packages":["packages/**"]}}`, "ws/yarn.lock": ""}, Choice{Manager: Yarn}},
		{"bun's workspace", map[string]string{"ws/package.json": `{"workspaces":["./packages/ext"]}`, "ws/bun.lock": ""}, Choice{Manager: Bun}},
		{"pnpm's workspace", map[string]string{"ws/pnpm-workspace.yaml": "packages: ['packages/*']"}, Choice{Manager: Pnpm}},
		{"nested workspaces", map[string]string{"package.json": `{"workspaces":["ws"]}`, "ws/package.json": `{"workspaces":["packages/*"]}`, "yarn.lock": ""}, Choice{Manager: Yarn}},
		{"the workspace's packageManager", map[string]string{"ws/package.json": `{"workspaces":["packages/*"],"packageManager":"bun@1.2"}`}, Choice{Manager: Bun}},
		{"excluded from the workspace", map[string]string{"ws/package.json": `{"workspaces":["apps/*","packages/*","!packages/ext"]}`, "ws/yarn.lock": ""}, Choice{Manager: NPM}},
		{"not a workspace", map[string]string{"ws/package.json": `{}`, "ws/yarn.lock": ""}, Choice{Manager: NPM}},
	} {
		files := fstest.MapFS{"ws/packages/ext/README.md": {}}
		for name, text := range c.files {
			files[name] = &fstest.MapFile{Data: []byte(text)}
		}
		checkChoice(t, c.name, files, c.want)
	}
}

// TestChooseByLinks has links in node_modules and no lock file.
func TestChooseByLinks(t *testing.T) {
	for folder, want := range map[string]Manager{".pnpm": Pnpm, ".bun": Bun, ".store": NPM} {
		files := fstest.MapFS{
			"common/node_modules/" + folder + "/a@1/node_modules/a/package.json": {},
			"ws/packages/ext/node_modules/a": {
				Data: []byte("../../../../common/node_modules/" + folder + "/a@1/node_modules/a"), Mode: fs.ModeSymlink,
			},
		}
		checkChoice(t, folder, files, Choice{Manager: want})
	}
}

func checkChoice(t *testing.T, name string, files fstest.MapFS, want Choice) {
	t.Helper()
	d := Dir{FS: files, Path: "ws/packages/ext"}
	if got := Choose(d, nil); got != want {
		t.Errorf("%s: got %+v, want %+v", name, got, want)
	}
	yes, no := true, false
	if got := [2]Choice{Choose(d, &yes), Choose(d, &no)}; got != [2]Choice{{Yarn, true}, {NPM, true}} {
		t.Errorf("%s, with the flag: got %+v", name, got)
	}
}
