package targets

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/publish/target"
	"galbuild/publish/target/all"
)

const secretText = "AKwJalrXUtnFEMI"

// writeConfig writes a config file that only its owner can read. It replaces SECRET by secretText.
func writeConfig(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, "SECRET", secretText)), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestReadConfig(t *testing.T) {
	const text = "\xef\xbb\xbf" + `{
  // dbem's three kinds, as dbem writes them
  "backends": {
    "oss": {"accessKeyId": "id", "accessKeySecret": "SECRET", "region": "oss-cn-hangzhou", "bucket": "vsix"},
    "s3": {"accessKeyId": "id", "secretAccessKey": "SECRET", "region": "eu-central-1", "bucket": "vsix"},
    "dropbox": {"accessToken": "SECRET"},
    /* and more */
    "a.b|c": {"type": "s3", "bucket": "mirror", "endpoint": "https://minio.example", "ca": "ca.pem", "prefix": "gallery"},
    "artifactory": {"url": "https://host/artifactory", "repo": "vsix", "token": "SECRET", "path": "gallery"},
    "folder": {"path": "../gallery"},
    "rclone": {"type": "s3", "access_key_id": "id", "secret_access_key": "SECRET", "session_token": "SECRET", "bucket": "vsix",
      "server_side_encryption": "aws:kms", "sse_kms_key_id": "k", "bucket_key_enabled": true, "storage_class": "STANDARD_IA", "acl": "private",
      "requester_pays": "true", "force_path_style": "false", "conditional_writes": "no"},
    "public": {"type": "s3", "bucket": "vsix", "no_sign_request": true, "addressing_style": "path"},
    "profile": {"type": "oss", "bucket": "vsix", "profile": "team", "force_path_style": true},
    "elsewhere": {"type": "folder", "path": "/srv/gallery"},
  },
}`
	file := writeConfig(t, text)
	dir := filepath.Dir(file)
	for name, want := range map[string]struct {
		kind     string
		settings target.Settings
	}{
		"":            {"oss", target.Settings{"accessKeyId": "id", "accessKeySecret": secretText, "region": "oss-cn-hangzhou", "bucket": "vsix"}},
		"s3":          {"s3", target.Settings{"accessKeyId": "id", "secretAccessKey": secretText, "region": "eu-central-1", "bucket": "vsix"}},
		"dropbox":     {"dropbox", target.Settings{"accessToken": secretText}},
		"a.b|c":       {"s3", target.Settings{"bucket": "mirror", "endpoint": "https://minio.example", "ca": filepath.Join(dir, "ca.pem"), "path": "gallery"}},
		"artifactory": {"artifactory", target.Settings{"url": "https://host/artifactory", "repo": "vsix", "token": secretText, "path": "gallery"}},
		"folder":      {"folder", target.Settings{"path": filepath.Join(filepath.Dir(dir), "gallery")}},
		"rclone": {"s3", target.Settings{"accessKeyId": "id", "secretAccessKey": secretText, "session_token": secretText, "bucket": "vsix",
			"server_side_encryption": "aws:kms", "sse_kms_key_id": "k", "bucket_key_enabled": "true", "storage_class": "STANDARD_IA", "acl": "private",
			"requester_pays": "true", "addressing_style": "virtual", "conditional_writes": "no"}},
		"public":    {"s3", target.Settings{"bucket": "vsix", "no_sign_request": "true", "addressing_style": "path"}},
		"profile":   {"oss", target.Settings{"bucket": "vsix", "profile": "team", "addressing_style": "path"}},
		"elsewhere": {"folder", target.Settings{"path": "/srv/gallery"}},
	} {
		got, warning, err := readConfig(all.Kinds(), file, name)
		if err != nil || warning != "" || got.Kind.Name != want.kind || !maps.Equal(got.Settings, want.settings) {
			t.Errorf("%q: got %s, %q, %q, %v", name, got.Kind.Name, map[string]string(got.Settings), warning, err)
		}
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			if printed := fmt.Sprintf(format, got); strings.Contains(printed, secretText) {
				t.Errorf("%s shows the secret: %s", format, printed)
			}
		}
	}
}

func TestReadConfigWarns(t *testing.T) {
	for text, want := range map[string]bool{
		`{"backends": {"dropbox": {"accessToken": "SECRET"}}}`: true,
		`{"backends": {"folder": {"path": "/srv"}}}`:           false,
	} {
		file := writeConfig(t, text)
		if err := os.Chmod(file, 0o640); err != nil {
			t.Fatal(err)
		}
		_, warning, err := readConfig(all.Kinds(), file, "")
		if err != nil || strings.Contains(warning, "chmod 600 "+file) != want {
			t.Errorf("%s: %q, %v", text, warning, err)
		}
	}
}

func TestReadConfigRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                               "not JSON: syntax error at line 1, column 1",
		`{"backends": []}`:               "backends: want an object, got a list",
		`{}`:                             "backends: want an object, got nothing",
		`{"backends": {}}`:               "backends: has no targets",
		`null`:                           "backends: want an object, got nothing",
		`{"backends": null}`:             "backends: want an object, got null",
		`{"backends":{"s3":null}}`:       "backends.s3: want an object, got null",
		strings.Repeat("[", 1000):        "brackets are nested deeper than the limit of 100",
		strings.Repeat(" ", maxConfig+1): "larger than the limit of 1048576 bytes",
		`{"backends": {"s3": {"bucket": SECRET}}}`:                                                    "not JSON: syntax error at line 1, column 32",
		`{"backends": {"s3": {"bucket": "b", "secretAccessKey": "SECRET` + "\n" + `"}}}`:              "not JSON: syntax error at line 1, column 56",
		`{"backends": {"s3": "SECRET"}}`:                                                              "backends.s3: want an object, got a string",
		`{"backends": {"google-drive": {}}}`:                                                          `backends.google-drive: "google-drive" is not a kind of target: want folder, s3, `,
		`{"backends": {"s3": {"type": "ftp"}}}`:                                                       `backends.s3: "ftp" is not a kind of target`,
		`{"backends": {"s3": {"type": 3, "bucket": "b"}}}`:                                            "backends.s3.type: want a string, got a number",
		`{"backends": {"s3": {"bucket": true, "secretKey": "SECRET"}}}`:                               "backends.s3.bucket: want a string, got true; backends.s3.secretKey: no such key; want some of accessKeyId, access_key_id, acl, addressing_style, aws_access_key_id, aws_secret_access_key, aws_session_token, bucket, ",
		`{"backends": {"s3": {"bucket": "b", "secretAccessKey": {"a": "SECRET"}}}}`:                   "backends.s3.secretAccessKey: want a string, got an object",
		`{"backends": {"s3": {"bucket": "b", "no_sign_request": "SECRET"}}}`:                          "backends.s3.no_sign_request: want true or false, got a string",
		`{"backends": {"s3": {"bucket": "b", "addressing_style": "path", "force_path_style": true}}}`: "backends.s3.force_path_style: already set by addressing_style",
		`{"backends": {"s3": {"bucket": "b", "server_side_encryption": true}}}`:                       "backends.s3.server_side_encryption: want a string, got true",
		`{"backends": {"s3": {"region": "r"}}}`:                                                       "backends.s3.bucket: is missing",
		`{"backends": {"artifactory": {"token": "SECRET"}}}`:                                          "backends.artifactory.url: is missing",
		`{"backends": {"folder": {"path": "a", "ca": "b"}}}`:                                          "backends.folder.ca: no such key; want some of path, type",
		`{"backends": {"s3": {"bucket": "a", "path": "a", "prefix": "b"}}}`:                           "backends.s3.prefix: already set by path",
		`{"backends": {"s3": {"bucket": "a"}, "s3": {"bucket": "b"}}}`:                                `backends: has 2 targets "s3"; give each its own name, and a "type"`,
	} {
		file := writeConfig(t, text)
		_, _, err := readConfig(all.Kinds(), file, "")
		if err == nil || !strings.HasPrefix(err.Error(), file+": "+want) {
			t.Errorf("%.200s:\n got %v\nwant %s", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), secretText) {
			t.Errorf("%s: the error shows the secret: %v", text, err)
		}
	}
	file := writeConfig(t, `{"backends": {"s3": {"bucket": "b"}, "oss": {}}}`)
	if _, _, err := readConfig(all.Kinds(), file, "dropbox"); err == nil || !strings.Contains(err.Error(), `backends: has no target "dropbox"; it has s3, oss`) {
		t.Errorf("got %v", err)
	}
	if _, _, err := readConfig(all.Kinds(), file+"x", ""); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
}

// FuzzConfig searches for a config file that is accepted without a required value, or whose error
// contains a secret.
func FuzzConfig(f *testing.F) {
	for _, seed := range []string{
		`{"backends": {"s3": {"accessKeyId": "id", "secretAccessKey": "` + secretText + `", "region": "eu-central-1", "bucket": "vsix"}}}`,
		`{"backends": {"dropbox": {"accessToken": "` + secretText + `"}, }, /* */ }`,
		`{"backends": {"a": {"type": "artifactory", "url": "https://host/artifactory", "repo": "vsix", "token": "` + secretText + `"}}}`,
		`{"backends":{"s3":null}}`, "null", "[[[[", `{"backends":{"folder":{"path":"a"}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		named, err := parseConfig(all.Kinds(), text, "")
		if err != nil {
			if strings.Contains(err.Error(), secretText) && !strings.Contains(string(text), `"`+secretText+`":`) {
				t.Errorf("the error shows the secret: %v", err)
			}
			return
		}
		if len(named.Kind.Missing(named.Settings)) > 0 {
			t.Errorf("%s %q of %s", named.Kind.Name, map[string]string(named.Settings), text)
		}
	})
}
