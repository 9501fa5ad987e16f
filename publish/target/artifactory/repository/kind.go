package repository

import (
	"path"
	"strings"

	"galbuild/publish/target"
)

// Kind returns the kind of target that is a folder of a repository.
func Kind() target.Kind {
	return target.Kind{
		Name: "artifactory", Form: "artifactory:URL/REPO/PREFIX", Schemes: []string{"artifactory", "artifactory+https", "artifactory+http"},
		Flag:  &target.Flag{Name: "artifactory", Placeholder: "URL", Help: "An Artifactory server, with the token in ARTIFACTORY_TOKEN."},
		Parse: parse,
		Keys: []target.Key{
			{Name: "url", Required: true},
			{Name: "repo", Required: true, Flag: &target.Flag{Name: "repo", Placeholder: "REPO[/PREFIX]", Help: "The generic repository on the Artifactory server."}},
			{Name: "path", Aliases: []string{"prefix"}},
			{Name: "token", Type: target.Secret},
			target.CA,
		},
		OpenReader: func(s target.Settings, e target.Env) (target.Reader, error) {
			c := FromSettings(s, e)
			c.Once, c.Stall, c.Agent = e.Once, e.Stall, e.Agent
			return target.OpenedReader(New(c))
		},
	}
}

// parse splits https://HOST/artifactory/REPO/PREFIX. The repository may be missing, because a flag
// can name it.
func parse(scheme, rest string) target.Settings {
	if _, web, ok := strings.Cut(scheme, "+"); ok {
		rest = web + ":" + rest
	}
	const service = "/artifactory"
	server, repo, found := strings.Cut(rest, service+"/")
	if !found {
		return target.Settings{"url": rest}
	}
	s := target.Settings{"url": server + service}
	if repo != "" {
		s["repo"] = repo
	}
	return s
}

// FromSettings returns the configuration that settings stand for.
func FromSettings(s target.Settings, e target.Env) Config {
	repo, prefix, _ := strings.Cut(s["repo"], "/")
	return Config{URL: s["url"], Repo: repo, Prefix: path.Join(prefix, s["path"]), Token: s["token"], CA: s["ca"], Transport: e.Transport}
}
