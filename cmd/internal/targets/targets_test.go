package targets

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"galbuild/publish/target"
	"galbuild/publish/target/all"
)

// parseFlags parses a command line with the flags of targets.
func parseFlags(t *testing.T, args ...string) *Flags {
	t.Helper()
	var command struct {
		Flags
	}
	command.Declare(all.Kinds())
	parser, err := kong.New(&command, kong.DefaultEnvars("GALBUILD"), kong.Vars{"targets": "", "readable": ""})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Fatal(err)
	}
	return &command.Flags
}

// TestCheck checks that an address and flags can name the same target.
func TestCheck(t *testing.T) {
	bucket := target.Settings{"bucket": "vsix", "path": "gallery/a"}
	repository := target.Settings{"url": "https://host/artifactory", "repo": "vsix/gallery"}
	for args, want := range map[string]struct {
		kind     string
		settings target.Settings
	}{
		"":                        {"folder", target.Settings{"path": "site"}},
		"-o gallery":              {"folder", target.Settings{"path": "gallery"}},
		"-o s3://vsix/gallery/a":  {"s3", bucket},
		"-o S3:vsix/gallery/a/":   {"s3", bucket},
		"--s3 vsix/gallery/a":     {"s3", bucket},
		"-o oss://vsix/gallery/a": {"oss", bucket},
		"--oss vsix/gallery/a":    {"oss", bucket},
		"-o dropbox:/gallery":     {"dropbox", target.Settings{"path": "/gallery"}},
		"-o dropbox://gallery":    {"dropbox", target.Settings{"path": "/gallery"}},
		"--dropbox /gallery":      {"dropbox", target.Settings{"path": "/gallery"}},
		"-o https://host/gallery": {"website", target.Settings{"url": "https://host/gallery"}},
		"--s3 vsix --region r":    {"s3", target.Settings{"bucket": "vsix", "path": "", "region": "r"}},
		"-o s3://vsix --region r": {"s3", target.Settings{"bucket": "vsix", "path": "", "region": "r"}},
		"-o gallery --region r":   {"folder", target.Settings{"path": "gallery"}},
		"-o https://host --ca f":  {"website", target.Settings{"url": "https://host", "ca": "f"}},
		"--s3 b --s3-requester-pays=false --s3-force-path-style=false": {"s3",
			target.Settings{"bucket": "b", "path": "", "requester_pays": "false", "addressing_style": "virtual"}},
		"-o artifactory:https://host/artifactory/vsix/gallery":        {"artifactory", repository},
		"-o artifactory+https://host/artifactory/vsix/gallery":        {"artifactory", repository},
		"--artifactory https://host/artifactory --repo vsix/gallery":  {"artifactory", repository},
		"-o artifactory:https://host/artifactory --repo vsix/gallery": {"artifactory", repository},
		"--artifactory https://host/artifactory/vsix/gallery":         {"artifactory", repository},
	} {
		fields := strings.Fields(args)
		if i := slices.Index(fields, "--ca"); i >= 0 { // Kong checks that the file exists
			fields[i+1] = os.Args[0]
			want.settings["ca"] = os.Args[0]
		}
		f := parseFlags(t, fields...)
		if err := f.Check(""); err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		if got := f.target; got.Kind.Name != want.kind || !maps.Equal(got.Settings, want.settings) {
			t.Errorf("%s: got %s, %q", args, got.Kind.Name, map[string]string(got.Settings))
		}
	}
}

// TestCheckRefuses checks the errors for more than one target, and for one that is incomplete.
func TestCheckRefuses(t *testing.T) {
	for args, want := range map[string]string{
		"-o a --s3 b":                            "name one target only: a or --s3 b",
		"--s3 a --oss b":                         "name one target only: --s3 a or --oss b",
		"-o s3://a --dropbox /b":                 "name one target only: s3://a or --dropbox /b",
		"--backend b":                            "--backend needs -c",
		"--artifactory https://host/artifactory": "--artifactory needs --repo REPO[/PREFIX]",
		"--s3 /":                                 "--s3=/: want BUCKET[/PREFIX]",
		"-o s3:":                                 `"s3:": want s3://BUCKET/PREFIX`,
		"-o oss://":                              `"oss://": want oss://BUCKET/PREFIX`,
		"-o artifactory:https://host/x":          `"artifactory:https://host/x": want artifactory:URL/REPO/PREFIX`,
		"-o file:///srv":                         "file:///srv: a folder is named by its path",
		"-o gs://a":                              `gs://a: "gs" is not a kind of target`,
		"-o S4://a":                              `S4://a: "s4" is not a kind of target; did you mean "s3"?`,
		"-o artifactory:https://host/artifactory/a --repo b": "artifactory:https://host/artifactory/a and a flag both give the repo",
	} {
		if err := parseFlags(t, strings.Fields(args)...).Check(""); err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", args, err, want)
		}
	}
	if err := parseFlags(t, "-o", "a").Check("b"); err == nil || err.Error() != "name one target only: b or -o a" {
		t.Errorf("got %v", err)
	}
}

// TestVariables checks that variables name the target only if the command line does not.
func TestVariables(t *testing.T) {
	file := writeConfig(t, `{"backends": {"s3": {"bucket": "b"}, "folder": {"path": "/f"}}}`)
	for _, test := range []struct{ variables, argument, args, want string }{
		{"GALBUILD_OUTPUT=s3://vsix", "", "", "s3 map[bucket:vsix path:]"},
		{"GALBUILD_OUTPUT=s3://vsix", "gallery", "", "folder map[path:gallery]"},
		{"GALBUILD_OUTPUT=s3://vsix", "", "-o gallery", "folder map[path:gallery]"},
		{"GALBUILD_OUTPUT=s3://vsix", "", "--oss other", "oss map[bucket:other path:]"},
		{"GALBUILD_S3=vsix", "", "", "s3 map[bucket:vsix path:]"},
		{"GALBUILD_S3=vsix", "gallery", "", "folder map[path:gallery]"},
		{"GALBUILD_S3=vsix", "", "-o gallery", "folder map[path:gallery]"},
		{"GALBUILD_S3=vsix", "", "--s3 other", "s3 map[bucket:other path:]"},
		{"GALBUILD_S3=vsix GALBUILD_REGION=r", "s3://other", "", "s3 map[bucket:other path: region:r]"},
		{"GALBUILD_REPO=r", "artifactory:https://h/artifactory/vsix", "", "artifactory map[repo:vsix url:https://h/artifactory]"},
		{"GALBUILD_CONFIG=" + file + " GALBUILD_BACKEND=folder", "", "", "folder map[path:/f]"},
		{"GALBUILD_CONFIG=" + file, "", "--backend folder", "folder map[path:/f]"},
		{"GALBUILD_CONFIG=" + file + " GALBUILD_BACKEND=folder", "gallery", "", "folder map[path:gallery]"},
		{"GALBUILD_OUTPUT=a GALBUILD_S3=b", "", "", "name one target only: a or --s3 b"},
	} {
		t.Run(test.variables+" "+test.argument+test.args, func(t *testing.T) {
			for _, variable := range strings.Fields(test.variables) {
				name, value, _ := strings.Cut(variable, "=")
				t.Setenv(name, value)
			}
			f := parseFlags(t, strings.Fields(test.args)...)
			err := f.Check(test.argument)
			named := choice{}
			if err == nil {
				named, err = f.choose(target.Env{})
			}
			got := fmt.Sprint(named.Kind.Name, " ", map[string]string(named.Settings))
			if err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestFlagNames checks that flags have the names that AWS's tools and rclone give them as well.
func TestFlagNames(t *testing.T) {
	file := os.Args[0]
	aws := "--s3 b --endpoint-url https://h --profile p --ca-bundle " + file +
		" --sse aws:kms --sse-kms-key-id k --bucket-key-enabled --storage-class c --acl a --no-sign-request"
	rclone := "--s3 b --s3-endpoint https://h --s3-region r --s3-profile p --ca-cert " + file +
		" --s3-server-side-encryption aws:kms --s3-sse-kms-key-id k --s3-storage-class c --s3-acl a --no-s3-force-path-style --s3-requester-pays"
	common := target.Settings{"bucket": "b", "path": "", "endpoint": "https://h", "ca": file, "profile": "p",
		"server_side_encryption": "aws:kms", "sse_kms_key_id": "k", "storage_class": "c", "acl": "a"}
	for args, more := range map[string]target.Settings{
		aws:    {"bucket_key_enabled": "true", "no_sign_request": "true"},
		rclone: {"region": "r", "addressing_style": "virtual", "requester_pays": "true"},
	} {
		f := parseFlags(t, strings.Fields(args)...)
		if err := f.Check(""); err != nil {
			t.Fatal(err)
		}
		maps.Copy(more, common)
		if got := f.target.Settings; !maps.Equal(got, more) {
			t.Errorf("%s:\n got %q\nwant %q", args, map[string]string(got), map[string]string(more))
		}
	}
}

// TestFlagsBeforeFile checks that a flag has precedence over the key of a config file.
func TestFlagsBeforeFile(t *testing.T) {
	file := writeConfig(t, `{"backends": {"s3": {"bucket": "b", "region": "r", "force_path_style": true, "requester_pays": true}}}`)
	f := parseFlags(t, "-c", file, "--region", "other", "--s3-addressing-style", "virtual", "--s3-requester-pays=false")
	if err := f.Check(""); err != nil {
		t.Fatal(err)
	}
	got, err := f.choose(target.Env{})
	want := target.Settings{"bucket": "b", "region": "other", "addressing_style": "virtual", "requester_pays": "false"}
	if err != nil || !maps.Equal(got.Settings, want) {
		t.Errorf("got %q, %v", map[string]string(got.Settings), err)
	}
}

// TestLast separates the target from other arguments.
func TestLast(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"site/index/CURRENT", "1.0.0/index/CURRENT", "folder/x", "s3:file", "gs:/folder/x"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	other := func(arg string) string {
		if arg == "1.0.0" || strings.HasPrefix(arg, "https:") {
			return "a version"
		}
		return ""
	}
	for _, x := range []struct{ flags, args, rest, named string }{
		{"", "", "", ""},
		{"", "x", "x", ""},
		{"", "x site", "x", "site"},
		{"", "site", "site", ""},
		{"", "x s3://b", "x", "s3://b"},
		{"", "s3://b", "", "s3://b"},
		{"", "s3://b x", "s3://b x", ""},
		{"", "x gs://b", "x", "gs://b"}, // Check refuses the scheme
		{"", "x folder", "x folder", ""},
		{"", "x nosuch", "x nosuch", ""},
		{"", "x s3:file", "x s3:file", ""},
		{"", "x gs:/folder", "", "error: gs:/folder can be the target, because it is an address, or a folder of that name"},
		{"", "x https://h", "x https://h", ""},
		{"", "x http://h", "x", "http://h"},
		{"", "x 2.0.0", "x 2.0.0", ""},
		{"", "x ./1.0.0", "x", "./1.0.0"},
		{"", "x 1.0.0", "", "error: 1.0.0 can be the target, because it is the folder of a site, or a version"},
		{"-o o", "x site", "x site", ""},
		{"--s3 b", "x site", "x site", ""},
		{"-o o", "x 1.0.0", "x 1.0.0", ""},
		{"-o o", "x s3://b", "x", "s3://b"}, // Check refuses the second target
	} {
		f := parseFlags(t, strings.Fields(x.flags)...)
		rest, named, err := f.Last(strings.Fields(x.args), other)
		if err != nil {
			named = "error: " + err.Error()
		}
		if strings.Join(rest, " ") != x.rest || named != x.named {
			t.Errorf("%s %s: got %q, %q", x.flags, x.args, rest, named)
		}
	}
}
