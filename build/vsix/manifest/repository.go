package manifest

import (
	"fmt"
	"regexp"
)

// repository is where the source is, and what follows from it.
type repository struct{ url, issues, readme string }

// Forms of addresses on hosts whose issues and documentation are found by rule.
// Source: https://github.com/npm/hosted-git-info, version 4. Gists, sourcehut and
// all else is kept as written.
var (
	repositoryShort = regexp.MustCompile(`^(?:(github|gitlab|bitbucket):)?([\w.-]+)/([\w.-]+?)(?:\.git)?(?:#(.+))?$`)
	repositorySCP   = regexp.MustCompile(`^(?:git\+ssh://|ssh://)?[\w.-]+@(github\.com|gitlab\.com|bitbucket\.org)[:/]([\w.-]+)/([\w.-]+?)(?:\.git)?(?:#(.+))?$`)
	repositoryURL   = regexp.MustCompile(`^(?:git\+)?(?:https?|git)://([^/@\s]+@)?(?:www\.)?(github\.com|gitlab\.com|bitbucket\.org)/([\w.-]+)/([\w.-]+?)(?:\.git)?/?(?:/tree/([^/#]+)[^#]*)?(?:#(.+))?$`)

	shortHosts = map[string]string{"": "github.com", "github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
)

func parseRepository(s string) repository {
	if m := repositoryShort.FindStringSubmatch(s); m != nil {
		return hosted("", shortHosts[m[1]], m[2], m[3], m[4])
	}
	if m := repositorySCP.FindStringSubmatch(s); m != nil {
		return hosted("", m[1], m[2], m[3], m[4])
	}
	if m := repositoryURL.FindStringSubmatch(s); m != nil {
		return hosted(m[1], m[2], m[3], m[4], first(m[5], m[6]))
	}
	return repository{url: s}
}

func hosted(user, host, owner, name, branch string) repository {
	page := fmt.Sprintf("https://%s/%s/%s", host, owner, name)
	r := repository{
		url:    fmt.Sprintf("https://%s%s/%s/%s.git", user, host, owner, name),
		issues: page + "/issues",
		readme: page + "#readme",
	}
	if branch != "" {
		r.url += "#" + branch
		r.readme = page + "/tree/" + branch + "#readme"
	}
	return r
}
